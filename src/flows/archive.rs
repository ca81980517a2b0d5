//! Archives of content: a ZIP of `manifest.json` and, where the content exists outside, `ext_tool.txt`, what
//! the external server exported. A bare `ext_tool.txt`, as an old LAMS has it, is read too.
//!
//! Names within an archive are compared and never used; sums are checked, lengths limited while they are
//! unpacked. Works on files, on a thread that may wait.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};

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
/// Where a ZIP says how many it has: in its last so many bytes, a comment of the longest form included.
const LONGEST_END: u64 = 22 + 65_535;
/// How a ZIP begins: with a file, or with its end where it is empty.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

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

/// Reads an archive of content of a tool; what it unpacks to has at most `longest` bytes.
pub(super) async fn open(file: Spool, tool: Signature, longest: u64) -> Result<Archive, Refusal> {
    aside(move || read(file, &tool, longest)).await
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

/// Refuses a ZIP that says it has more entries than an archive has, before a list of them is made.
fn check_count(file: &Spool) -> Result<(), Refusal> {
    let mut reader = file.reader();
    let tail = file.len().min(LONGEST_END);
    reader
        .seek(SeekFrom::Start(file.len() - tail))
        .map_err(SpoolError::from)?;
    let mut end = Vec::new();
    reader.read_to_end(&mut end).map_err(SpoolError::from)?;
    let at = end.windows(4).rposition(|bytes| bytes == ZIP[1]);
    let Some(record) = at.and_then(|at| end[at..].first_chunk::<22>()) else {
        return Err(ArchiveError::Damaged("it is cut short".to_owned()).into());
    };
    let count = u16::from_le_bytes([record[10], record[11]]);
    let [size, offset] = [12, 16]
        .map(|at| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]));
    // A record of the larger form would be asked in place of this one.
    let larger_form = [size, offset].contains(&u32::MAX) || count == u16::MAX;
    if larger_form || count > ENTRIES || size > LONGEST_DIRECTORY {
        return Err(ArchiveError::Unexpected("more than two files".to_owned()).into());
    }
    Ok(())
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
