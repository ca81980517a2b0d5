//! Archives of content: a ZIP of `manifest.json` and, where the content exists outside, `ext_tool.txt`, what
//! the external server exported. A bare `ext_tool.txt`, as an old LAMS has it, is read too.
//!
//! Names within an archive are compared and never used; sums are checked, lengths limited while they are
//! unpacked. Works on files, on a thread that may wait.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::Refusal;
use crate::domain::id::Signature;
use crate::domain::manifest::{Flags, Manifest, ManifestError};
use crate::outbound::{Spool, SpoolError, SpoolReader, SpoolWriter};

const MANIFEST: &str = "manifest.json";
const PAYLOAD: &str = "ext_tool.txt";
/// A manifest has at most so many bytes.
const LONGEST_MANIFEST: u64 = 64 * 1024;
/// An archive has at most so many entries.
const ENTRIES: u16 = 2;
/// The list of them has at most so many bytes.
const LONGEST_DIRECTORY: u32 = 4096;
/// How a ZIP begins: with a file, or with its end where it is empty.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// How an entry of the list begins.
const LISTED: &[u8] = b"PK\x01\x02";
/// So many archives are read at once.
const AT_ONCE: usize = 4;

/// An archive, read.
#[derive(Debug)]
pub struct Archive {
    /// How learners meet the content.
    pub flags: Flags,
    /// What the external server exported; nothing where it did not have the content.
    pub payload: Option<Spool>,
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no ZIP that can be read.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// It holds what no archive of this kind holds.
    #[error("the archive holds {0:?}, which does not belong there")]
    Unexpected(String),
    /// It lacks its manifest.
    #[error("the archive has no manifest.json")]
    NoManifest,
    /// Its manifest is not one that can be read here.
    #[error("the archive is not one for this: {0}")]
    Manifest(#[from] ManifestError),
    /// It holds a payload and its manifest names none, or the other way round.
    #[error("the archive is not whole: manifest.json and ext_tool.txt do not belong together")]
    NotWhole,
    /// The payload is not the one that the manifest names.
    #[error(
        "the archive is damaged: ext_tool.txt has not the length and SHA-256 that manifest.json says"
    )]
    Sum,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
}

/// The bytes that a file may have whose payload has at most `longest`: what cannot be packed any further
/// grows by a little.
pub fn longest_file(longest: u64) -> u64 {
    longest + longest / 1000 + 2 * LONGEST_MANIFEST
}

/// Reads archives, a few at once: each takes memory, a thread and a file. Others wait.
pub(super) struct Archives(Arc<Semaphore>);

impl Default for Archives {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Archives {
    /// Reads an archive of content of a tool; what it unpacks to has at most `longest` bytes.
    pub(super) async fn open(
        &self,
        file: Spool,
        tool: Signature,
        longest: u64,
    ) -> Result<Archive, Refusal> {
        let turn = self.turn().await?;
        aside(move || {
            let _turn = turn;
            read(file, &tool, longest)
        })
        .await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let turn = Arc::clone(&self.0).acquire_owned().await;
        turn.map_err(|_| Refusal::Stopped)
    }
}

/// Makes an archive.
pub(super) async fn pack(manifest: Manifest, payload: Option<Spool>) -> Result<Spool, Refusal> {
    aside(move || write(&manifest, payload.as_ref())).await
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Refusal::Stopped),
        },
    }
}

/// The same on this thread, which may wait.
pub fn read(file: Spool, tool: &Signature, longest: u64) -> Result<Archive, Refusal> {
    let mut beginning = Vec::new();
    file.reader()
        .take(4)
        .read_to_end(&mut beginning)
        .map_err(SpoolError::from)?;
    if beginning.is_empty() {
        return Err(ArchiveError::Empty.into());
    }
    if !ZIP.contains(&beginning.as_slice()) {
        if file.len() > longest {
            return Err(SpoolError::TooLong(longest).into());
        }
        return Ok(Archive {
            flags: Flags {
                define_later: false,
                run_offline: false,
            },
            payload: Some(file),
        });
    }
    check_count(&file)?;
    let mut zip = ZipArchive::new(BufReader::new(file.reader())).map_err(damaged)?;
    let belongs = |name: &&[u8]| [MANIFEST.as_bytes(), PAYLOAD.as_bytes()].contains(name);
    if let Some(other) = zip.file_names_raw().find(|name| !belongs(name)) {
        let other = String::from_utf8_lossy(other).chars().take(60).collect();
        return Err(ArchiveError::Unexpected(other).into());
    }
    let mut text = Vec::new();
    entry(&mut zip, MANIFEST)?
        .ok_or(ArchiveError::NoManifest)?
        .take(LONGEST_MANIFEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| ArchiveError::Damaged(error.to_string()))?;
    if text.len() as u64 > LONGEST_MANIFEST {
        return Err(ArchiveError::Damaged("its manifest.json is too long".to_owned()).into());
    }
    let manifest = Manifest::read(&text, tool).map_err(ArchiveError::from)?;
    let payload = match (entry(&mut zip, PAYLOAD)?, &manifest.payload) {
        (None, None) => None,
        (Some(mut entry), Some(said)) => {
            let payload = unpacked(&mut entry, longest)?;
            if payload.len() != said.bytes || !payload.sha256().eq_ignore_ascii_case(&said.sha256) {
                return Err(ArchiveError::Sum.into());
            }
            Some(payload)
        }
        _ => return Err(ArchiveError::NotWhole.into()),
    };
    Ok(Archive {
        flags: manifest.flags,
        payload,
    })
}

/// Refuses a ZIP that has more entries than an archive has, before the library makes a list of them. It has to end
/// as a gateway's does, with a record that its list stands just before: of any other the library looks for another
/// record further up, which may be of the larger form and say anything.
fn check_count(file: &Spool) -> Result<(), Refusal> {
    let end = file.len().saturating_sub(End::LENGTH);
    let record = bytes_at(file, end, End::LENGTH)?;
    let Some(record) = record.first_chunk().map(End) else {
        return Err(ArchiveError::Damaged("it is cut short".to_owned()).into());
    };
    let (count, size, offset) = (record.two(10), record.four(12), record.four(16));
    let is_end = record.0.starts_with(ZIP[1]);
    if is_end && (count > ENTRIES || size > LONGEST_DIRECTORY) {
        return Err(ArchiveError::Unexpected("more than two files".to_owned()).into());
    }
    // The disks that there are, and how many entries are on this one; the length of a comment.
    let is_plain = [record.two(4), record.two(6), record.two(20)] == [0; 3]
        && record.two(8) == count
        && offset != u32::MAX;
    let is_behind_list = u64::from(offset) + u64::from(size) == end;
    if !(is_end && is_plain && is_behind_list) {
        return Err(ArchiveError::Damaged("it does not end as one does".to_owned()).into());
    }
    let list = bytes_at(file, offset.into(), size.into())?;
    if entries_in(&list) != Some(count) {
        return Err(ArchiveError::Damaged("its list of files is not whole".to_owned()).into());
    }
    Ok(())
}

/// The record that ends a ZIP.
struct End<'a>(&'a [u8; 22]);

impl End<'_> {
    /// Without a comment.
    const LENGTH: u64 = 22;

    fn two(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    fn four(&self, at: usize) -> u32 {
        u32::from(self.two(at)) | u32::from(self.two(at + 2)) << 16
    }
}

fn bytes_at(file: &Spool, at: u64, length: u64) -> Result<Vec<u8>, Refusal> {
    let mut reader = file.reader();
    reader.seek(SeekFrom::Start(at)).map_err(SpoolError::from)?;
    let mut bytes = Vec::new();
    let mut reader = reader.take(length);
    reader.read_to_end(&mut bytes).map_err(SpoolError::from)?;
    Ok(bytes)
}

/// How many entries a ZIP's list has; nothing where it holds anything else.
fn entries_in(mut list: &[u8]) -> Option<u16> {
    let mut count = 0;
    while !list.is_empty() {
        let head = list.first_chunk::<46>()?;
        // Behind it are a name, other fields and a comment.
        let behind = [28, 30, 32].map(|at| u16::from_le_bytes([head[at], head[at + 1]]));
        let length = head.len() + behind.into_iter().map(usize::from).sum::<usize>();
        list = list.get(length..).filter(|_| head.starts_with(LISTED))?;
        count += 1;
    }
    Some(count)
}

type Zip = ZipArchive<BufReader<SpoolReader>>;

fn entry<'z>(zip: &'z mut Zip, name: &str) -> Result<Option<impl Read + 'z>, Refusal> {
    match zip.by_name(name) {
        Ok(entry) => Ok(Some(entry)),
        Err(ZipError::FileNotFound) => Ok(None),
        Err(error) => Err(damaged(error)),
    }
}

/// What an entry unpacks to. An error of the reader is the archive's, one of the writer this machine's.
fn unpacked(entry: &mut impl Read, longest: u64) -> Result<Spool, Refusal> {
    let mut writer = SpoolWriter::new(longest)?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = entry
            .read(&mut piece)
            .map_err(|error| ArchiveError::Damaged(error.to_string()))?;
        if read == 0 {
            return Ok(writer.done());
        }
        writer.push(&piece[..read])?;
    }
}

fn write(manifest: &Manifest, payload: Option<&Spool>) -> Result<Spool, Refusal> {
    let file = tempfile::tempfile().map_err(SpoolError::from)?;
    let mut zip = ZipWriter::new(file);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let failed = |error: ZipError| match error {
        ZipError::Io(error) => SpoolError::Io(error),
        error => SpoolError::Io(std::io::Error::other(error)),
    };
    let text = serde_json::to_vec_pretty(manifest)
        .map_err(|error| SpoolError::Io(std::io::Error::other(error)))?;
    zip.start_file(MANIFEST, options).map_err(failed)?;
    zip.write_all(&text).map_err(SpoolError::from)?;
    if let Some(payload) = payload {
        zip.start_file(PAYLOAD, options).map_err(failed)?;
        std::io::copy(&mut payload.reader(), &mut zip).map_err(SpoolError::from)?;
    }
    let file = zip.finish().map_err(failed)?;
    Ok(Spool::of_file(file).map_err(SpoolError::from)?)
}

fn damaged(error: ZipError) -> Refusal {
    ArchiveError::Damaged(error.to_string()).into()
}

#[cfg(test)]
mod tests;
