//! The track record names tests that exist, for every way to fail that is to be survived.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of FAILURES.md that a test has to stand beside.
const ROWS: &str = "1-15 17 18 20-27 31 33 36 43 45-60";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn numbers(text: &str) -> BTreeSet<u8> {
    let range = |word: &str| {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        first.parse::<u8>().unwrap()..=last.parse::<u8>().unwrap()
    };
    text.split_whitespace().flat_map(range).collect()
}

/// Rows such as: | 5 | `plan-rules/tests/admission.rs` `f05_guard…` | what was taken out |
fn rows(text: &str) -> Vec<(u8, String, String)> {
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let number = cells.next()?.parse().ok()?;
        let mut names = cells.next()?.split('`').skip(1).step_by(2);
        Some((number, names.next()?.to_owned(), names.next()?.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

fn text_below(folder: &Path) -> String {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
}

#[test]
fn every_test_that_the_track_record_names_exists() {
    let schema = text_below(&workspace().join("migrations/tests"));
    let record = fs::read_to_string(workspace().join("docs/track-record.md")).unwrap();
    let rows = rows(&record);
    assert!(rows.len() >= 40, "{} rows", rows.len());
    let is_there = |place: &str, name: &str| match place {
        "schema" => schema.lines().any(|line| {
            line.strip_prefix("--! case ")
                .or_else(|| line.strip_prefix("--! race "))
                .is_some_and(|of| of.trim() == name)
        }),
        file => fs::read_to_string(workspace().join(file)).is_ok_and(|text| text.contains(&format!("fn {name}("))),
    };
    let absent: Vec<_> = rows.iter().filter(|(_, place, name)| !is_there(place, name)).collect();
    assert!(absent.is_empty(), "named, and not there: {absent:#?}");
}

#[test]
fn every_way_to_fail_has_a_test() {
    let record = fs::read_to_string(workspace().join("docs/track-record.md")).unwrap();
    let shown: BTreeSet<u8> = rows(&record).into_iter().map(|(number, ..)| number).collect();
    let lacking: Vec<u8> = numbers(ROWS).difference(&shown).copied().collect();
    assert!(lacking.is_empty(), "no test is named for {lacking:?}");
}
