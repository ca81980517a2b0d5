//! What documents say of the source is so.

use std::collections::BTreeSet;
use std::path::Path;

const SECURITY: &str = include_str!("../../docs/security.md");

/// The names of all functions in tests, or beside them.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            let marks = [
                "#[test]",
                "#[actix_web::test]",
                "#[tokio::test]",
                "#[rstest]",
            ];
            is_test |= marks.contains(&line);
            let name = line.trim_start_matches("async ").strip_prefix("fn ");
            if let Some(name) = name.filter(|_| is_test) {
                let end = name.find(['(', '<']).unwrap_or(name.len());
                found.insert(name[..end].to_owned());
                is_test = false;
            }
        }
    }
}

/// Names of tests in a document: small words with at least three lines between.
fn named(document: &str) -> BTreeSet<&str> {
    let quoted = document.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        text.bytes().all(letters) && text.matches('_').count() >= 3
    };
    quoted.filter(is_name).collect()
}

#[test]
fn every_test_that_the_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = BTreeSet::new();
    functions(&root.join("tests"), &mut there);
    functions(&root.join("src"), &mut there);
    let named = named(SECURITY);
    assert!(named.len() > 80, "{named:?}");
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !there.contains(**name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_chapter_of_the_standard_is_answered() {
    for chapter in 1..=17 {
        assert!(SECURITY.contains(&format!("### V{chapter} ")), "V{chapter}");
    }
}
