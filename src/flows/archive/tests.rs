//! Archives that were made here, and archives that nobody honest made.

use std::sync::LazyLock;

use super::*;
use crate::domain::content::{Content, ContentKey, Place};
use crate::domain::id::{ExtId, ToolContentId};
use crate::domain::manifest::Payload;
use crate::domain::tool::{Tool, builtin_tools};
use futures_util::FutureExt;
use proptest::prelude::*;

const LONGEST: u64 = 1 << 20;

fn spool(bytes: &[u8]) -> Spool {
    let mut writer = SpoolWriter::new(u64::MAX).unwrap();
    writer.push(bytes).unwrap();
    writer.done()
}

fn bytes(spool: &Spool) -> Vec<u8> {
    let mut bytes = Vec::new();
    spool.reader().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Read once, not for each of thousands of cases.
static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| builtin_tools().collect());

fn manifest(which: usize, flags: (bool, bool), payload: Option<&Spool>) -> Manifest {
    let tool = &TOOLS[which];
    let at = chrono::DateTime::UNIX_EPOCH;
    let content = Content {
        key: ContentKey {
            platform: "lams".parse().unwrap(),
            signature: tool.signature.clone(),
            id: ToolContentId::from_number(7).unwrap(),
        },
        place: Place {
            server: "moodle".parse().unwrap(),
            user: "bill".into(),
            course: "7".into(),
            section: None,
            course_url: None,
        },
        ext_id: payload.map(|_| ExtId::stored("555".into())),
        define_later: flags.0,
        locked_until: None,
        run_offline: flags.1,
        in_use: true,
        created_at: at,
        updated_at: at,
    };
    let said = payload.map(|payload| Payload {
        bytes: payload.len(),
        sha256: payload.sha256(),
    });
    Manifest::of(&content, tool, said, "2026-01-01T00:00:00Z".into())
}

/// A ZIP of these files, as anybody could make it.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn refused(file: &[u8]) -> String {
    let tool = "mdquiz10".parse().unwrap();
    read(spool(file), &tool, LONGEST).unwrap_err().to_string()
}

proptest! {
    // Each packs a ZIP and reads it: ten thousand take seven seconds.
    #![proptest_config(ProptestConfig::with_cases(2_500))]

    #[test]
    fn what_was_packed_is_read_again_for_every_adapter(
        which in 0_usize..10, flags: (bool, bool), payload in prop::option::of(prop::collection::vec(any::<u8>(), 0..5000)),
    ) {
        let payload = payload.map(|payload| spool(&payload));
        let manifest = manifest(which, flags, payload.as_ref());
        let packed = write(&manifest, payload.as_ref()).unwrap();
        let archive = read(packed, &manifest.signature, LONGEST).unwrap();
        prop_assert_eq!(archive.flags, manifest.flags);
        prop_assert_eq!(archive.payload.as_ref().map(bytes), payload.as_ref().map(bytes));
    }

    #[test]
    fn a_changed_byte_of_the_payload_is_noticed(at in 0_usize..2000, by in 1_u8..) {
        let payload: Vec<u8> = (0..2000).map(|i| (i % 251) as u8).collect();
        let payload = spool(&payload);
        let text = serde_json::to_vec(&manifest(4, (false, false), Some(&payload))).unwrap();
        let mut changed = bytes(&payload);
        changed[at] ^= by;
        let file = zip(&[(MANIFEST, text.as_slice()), (PAYLOAD, changed.as_slice())]);
        prop_assert!(refused(&file).contains("has not the length and SHA-256"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn nothing_makes_reading_panic(mut file: Vec<u8>) {
        let _ = read(spool(&file), &"mdquiz10".parse().unwrap(), LONGEST);
        file.splice(0..0, *b"PK\x03\x04");
        let _ = read(spool(&file), &"mdquiz10".parse().unwrap(), LONGEST);
    }
}

#[test]
fn a_bare_file_is_the_payload() {
    let archive = read(spool(b"a:1:{}"), &"mdquiz10".parse().unwrap(), LONGEST).unwrap();
    assert_eq!(
        archive.payload.as_ref().map(bytes),
        Some(b"a:1:{}".to_vec())
    );
    assert_eq!(
        (archive.flags.define_later, archive.flags.run_offline),
        (false, false)
    );
}

#[test]
fn what_is_no_whole_archive_is_refused_with_the_reason() {
    let payload = spool(b"payload");
    let own = serde_json::to_vec(&manifest(4, (false, false), Some(&payload))).unwrap();
    let without = serde_json::to_vec(&manifest(4, (false, false), None)).unwrap();
    let other = serde_json::to_vec(&manifest(0, (false, false), None)).unwrap();
    let whole = zip(&[(MANIFEST, own.as_slice()), (PAYLOAD, b"payload")]);
    for (file, words) in [
        (Vec::new(), "the file is empty"),
        (whole[..whole.len() - 30].to_vec(), "the archive is damaged"),
        (b"PK\x03\x04".to_vec(), "the archive is damaged"),
        (zip(&[]), "no manifest.json"),
        (zip(&[(PAYLOAD, b"payload")]), "no manifest.json"),
        (zip(&[(MANIFEST, own.as_slice())]), "do not belong together"),
        (
            zip(&[(MANIFEST, without.as_slice()), (PAYLOAD, b"x")]),
            "do not belong together",
        ),
        (
            zip(&[(MANIFEST, other.as_slice())]),
            "content of the tool mdfrum10",
        ),
        (zip(&[(MANIFEST, b"{}")]), "not one of Toolgate's"),
        (
            zip(&[(MANIFEST, own.as_slice()), ("../../etc/passwd", b"x")]),
            "\"../../etc/passwd\", which does not belong",
        ),
        (
            zip(&[("a", b""), ("b", b""), ("c", b"")]),
            "more than two files",
        ),
        (
            zip(&[(MANIFEST, vec![b' '; 70_000].as_slice())]),
            "manifest.json is too long",
        ),
    ] {
        let refused = refused(&file);
        assert!(refused.contains(words), "{refused} does not say {words}");
    }
}

#[test]
fn what_unpacks_to_too_much_is_refused_before_it_does() {
    let payload = spool(&vec![0; LONGEST as usize + 1]);
    let manifest = manifest(4, (false, false), Some(&payload));
    let packed = write(&manifest, Some(&payload)).unwrap();
    assert!(packed.len() < 10_000, "it is a bomb");
    let refused = read(packed, &manifest.signature, LONGEST).unwrap_err();
    assert!(
        matches!(refused, Refusal::Spool(SpoolError::TooLong(LONGEST))),
        "{refused}"
    );
}

/// A record of a ZIP's end that names entries of which there are none, further on than it stands itself.
fn false_end(count: u8) -> Vec<u8> {
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend([count, 0, count, 0, 46, 0, 0, 0, 0, 0, 0, 0x7f, 0, 0]);
    end
}

#[test]
fn a_zip_that_can_be_read_in_more_than_one_way_is_refused() {
    let payload = spool(b"payload");
    let text = serde_json::to_vec(&manifest(4, (false, false), Some(&payload))).unwrap();
    let whole = zip(&[(MANIFEST, text.as_slice()), (PAYLOAD, b"payload")]);
    let tool = manifest(4, (false, false), None).signature;
    assert!(read(spool(&whole), &tool, LONGEST).is_ok());
    let end = whole.len() - 22;
    let changed = |at: &[usize], to: u8| {
        let mut file = whole.clone();
        at.iter().for_each(|at| file[end + at] = to);
        file
    };
    let commented = [changed(&[20], 1), vec![b'!']].concat();
    for file in [
        // The library takes the record before it, in which any number of entries could stand.
        [whole.clone(), false_end(1)].concat(),
        [whole.clone(), false_end(0)].concat(),
        commented,
        [b"PK\x03\x04".to_vec(), whole.clone()].concat(),
        // One entry of two, three of two, and another disk.
        changed(&[8, 10], 1),
        changed(&[8, 10], 0),
        changed(&[4, 6], 1),
        changed(&[8], 1),
    ] {
        let words = read(spool(&file), &tool, LONGEST).unwrap_err().to_string();
        assert!(words.contains("the archive is damaged"), "{words}");
    }
    let many = zip(&[("a", b""), ("b", b""), ("c", b"")]);
    let words = refused(&[many, false_end(1)].concat());
    assert!(words.contains("does not end as one does"), "{words}");
}

#[tokio::test]
async fn four_archives_are_read_at_once_and_the_fifth_waits_for_its_turn() {
    let archives = Archives::default();
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(archives.turn().now_or_never().unwrap().unwrap());
    }
    assert!(archives.turn().now_or_never().is_none());
    turns.pop();
    assert!(archives.turn().now_or_never().is_some());
    let tool = "mdquiz10".parse().unwrap();
    let archive = archives.open(spool(b"a:1:{}"), tool, LONGEST).await;
    assert!(archive.unwrap().payload.is_some());
}
