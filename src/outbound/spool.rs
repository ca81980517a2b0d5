//! Bytes that are too many for memory: an archive or payload on its way through, in a file without a
//! name, which is gone when nobody holds it any more. Counted, summed and limited while it is written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use sha2::{Digest, Sha256};

/// So many bytes are read at once.
const PIECE: usize = 64 * 1024;

/// Written bytes; cheap to clone, and read from any place without disturbing other readers.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<File>,
    length: u64,
    sha256: [u8; 32],
}

/// Bytes that are being written.
pub struct SpoolWriter {
    file: File,
    length: u64,
    sum: Sha256,
    most: u64,
}

/// Why bytes were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// There are more than were allowed.
    #[error("it is longer than {0} bytes")]
    TooLong(u64),
    /// The machine's temporary folder did not take them.
    #[error("the temporary file failed: {0}")]
    Io(#[from] io::Error),
}

impl SpoolWriter {
    /// An empty one that takes `most` bytes.
    pub fn new(most: u64) -> Result<Self, SpoolError> {
        Ok(Self {
            file: tempfile::tempfile()?,
            length: 0,
            sum: Sha256::new(),
            most,
        })
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.length += bytes.len() as u64;
        if self.length > self.most {
            return Err(SpoolError::TooLong(self.most));
        }
        self.sum.update(bytes);
        self.file.write_all(bytes)?;
        Ok(())
    }

    /// Appends all that a reader has.
    pub fn push_all(&mut self, reader: &mut impl Read) -> Result<(), SpoolError> {
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(()),
                read => self.push(&piece[..read])?,
            }
        }
    }

    /// What was written.
    pub fn done(self) -> Spool {
        Spool {
            file: Arc::new(self.file),
            length: self.length,
            sha256: self.sum.finalize().into(),
        }
    }
}

impl Spool {
    /// Everything that was written to a file, wherever within it.
    pub fn of_file(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let (mut sum, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                read => {
                    sum.update(&piece[..read]);
                    length += read as u64;
                }
            }
        }
        Ok(Self {
            file: Arc::new(file),
            length,
            sha256: sum.finalize().into(),
        })
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Their SHA-256, in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(self.sha256)
    }

    /// Their beginning, enough to see what they are.
    pub fn beginning(&self) -> Vec<u8> {
        let mut beginning = vec![0; 1024];
        let read = self.file.read_at(&mut beginning, 0).unwrap_or_default();
        beginning.truncate(read);
        beginning
    }

    /// A reader of its own from the beginning.
    pub fn reader(&self) -> SpoolReader {
        SpoolReader {
            spool: self.clone(),
            at: 0,
        }
    }

    /// All bytes, a piece at a time. The file is in the system's cache or on a disk nearby, so that reading
    /// it does not hold up a thread noticeably.
    pub fn stream(&self) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
        stream::unfold(self.reader(), |mut reader| async move {
            let mut piece = vec![0; PIECE];
            match reader.read(&mut piece) {
                Ok(0) => None,
                Ok(read) => {
                    piece.truncate(read);
                    Some((Ok(piece), reader))
                }
                Err(error) => Some((Err(error), reader)),
            }
        })
    }
}

/// Reads a [`Spool`].
#[derive(Debug)]
pub struct SpoolReader {
    spool: Spool,
    at: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let read = self.spool.file.read_at(piece, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.spool.length, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        self.at = from
            .checked_add_signed(by)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_counted_summed_and_read_by_many() {
        let mut writer = SpoolWriter::new(10).unwrap();
        writer.push(b"hello ").unwrap();
        writer.push_all(&mut b"you".as_slice()).unwrap();
        let spool = writer.done();
        assert_eq!(spool.len(), 9);
        assert_eq!(spool.sha256(), hex::encode(Sha256::digest("hello you")));
        let (mut one, mut two) = (spool.reader(), spool.reader());
        let mut text = String::new();
        one.read_to_string(&mut text).unwrap();
        two.seek(SeekFrom::End(-3)).unwrap();
        two.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello youyou");
    }

    #[test]
    fn more_than_allowed_is_refused() {
        let mut writer = SpoolWriter::new(3).unwrap();
        writer.push(b"abc").unwrap();
        assert!(matches!(writer.push(b"d"), Err(SpoolError::TooLong(3))));
    }
}
