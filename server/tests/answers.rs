//! Questions and answers as text: every file in `answers/` has zones, questions, and what comes back. With
//! UPDATE_GOLDEN=1 the answers are rewritten, so that the difference can be read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::answer::Transport;
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
        match support::reply(directory, &request, if tcp { Transport::Tcp } else { Transport::Udp }) {
            None => actual.push_str("silence\n"),
            Some(reply) => actual.push_str(&to_text(&reply)),
        }
        while lines.next_if(|line| !line.is_empty()).is_some() {}
    }
    actual
}

/// Addresses without which nobody gets to the servers of a delegation are needed: all of them, or the client comes back over TCP
/// (RFC 9471 §3.1).
#[test]
fn a_referral_whose_glue_does_not_fit_is_truncated() {
    let mut zone = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n".to_owned();
    for server in 0..12 {
        zone.push_str(&format!("sub NS n{server}.sub\nn{server}.sub AAAA 2001:db8::{server:x}\n"));
    }
    let directory = support::directory_of(&[("example.", &zone)]);
    let question = Question::new(&support::name_of("www.sub.example."), zone_model::RecordType::A);
    let is_cut = |question: &Question| {
        let reply = support::reply(&directory, &question.to_wire(), Transport::Udp).unwrap();
        reply[2] & 2 != 0
    };
    assert!(is_cut(&question), "512 octets have room for the servers, and not for all of their addresses");
    assert!(!is_cut(&Question { size: Some(1232), ..question }));
}
