//! Questions and answers as text: every file in `answers/` has zones, questions, and what comes back. With
//! UPDATE_GOLDEN=1 the answers are rewritten, so that the difference can be read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::answer::{Transport, Verdict, answer};
use server::snapshot::Directory;
use std::fmt::Write;
use std::path::Path;
use support::wire::{Question, from_hex, to_text};

#[test]
fn every_answer_is_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10);
    let mut differences = String::new();
    for file in files {
        let written = std::fs::read_to_string(&file).unwrap();
        let actual = answer_all(&written);
        if actual != written {
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&file, &actual).unwrap();
                continue;
            }
            let changed = actual.lines().zip(written.lines()).find(|(ours, theirs)| ours != theirs);
            writeln!(differences, "{}: {changed:?}", file.display()).unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}read the difference with UPDATE_GOLDEN=1 and git diff");
}

/// The same text with every answer as it is. `zone NAME` begins a zone file that ends at an empty line; `? NAME TYPE …` and
/// `hex …` begin a question, and what follows up to an empty line is its answer.
fn answer_all(text: &str) -> String {
    let (mut zones, mut actual) = (Vec::new(), String::new());
    let mut directory = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(actual, "{line}").unwrap();
        if let Some(zone) = line.strip_prefix("zone ") {
            let mut file = String::new();
            while let Some(line) = lines.next_if(|line| !line.is_empty()) {
                writeln!(file, "{line}").unwrap();
            }
            actual.push_str(&file);
            zones.push((zone, file));
            continue;
        }
        let (request, tcp) = match (line.strip_prefix("? "), line.strip_prefix("hex ")) {
            (Some(question), _) => {
                let question = Question::parse(question);
                (question.to_wire(), question.tcp)
            }
            (_, Some(hex)) => (from_hex(hex.split('#').next().unwrap()), false),
            _ => continue,
        };
        let directory: &Directory = directory.get_or_insert_with(|| {
            let zones: Vec<_> = zones.iter().map(|(name, file)| (*name, file.as_str())).collect();
            support::directory_of(&zones)
        });
        let mut reply = Vec::new();
        match answer(directory, &request, if tcp { Transport::Tcp } else { Transport::Udp }, &mut reply) {
            Verdict::Drop => actual.push_str("silence\n"),
            Verdict::Reply(_) => actual.push_str(&to_text(&reply)),
        }
        while lines.next_if(|line| !line.is_empty()).is_some() {}
    }
    actual
}
