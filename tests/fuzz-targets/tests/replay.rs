//! What the fuzzer ever found, and what it begins with, does no harm: the same functions, without a fuzzer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use fuzz_targets::{Target, seeds};
use std::fs;
use std::path::Path;

/// Runs a target on all that is kept for it, and says on what.
fn replay(name: &str) {
    let target = Target::named(name).unwrap();
    let mut count = 0;
    for folder in ["corpus", "found"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder).join(name);
        // Nothing was found of many.
        let Ok(files) = fs::read_dir(&folder) else { continue };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            println!("{}", file.display());
            target.run(&fs::read(&file).unwrap());
            count += 1;
        }
    }
    assert!(count >= 6, "the corpus of {name} was not found");
    for (seed, input) in seeds::of(name) {
        println!("seed {seed}");
        target.run(&input);
    }
}

#[test]
fn packets_do_no_harm() {
    replay("answer");
}

#[test]
fn files_on_disk_do_no_harm() {
    replay("snapshot_file");
}

#[test]
fn zone_files_do_no_harm() {
    replay("zone_text");
}

#[test]
fn record_data_does_no_harm() {
    replay("record_wire");
}

#[test]
fn bodies_of_plans_do_no_harm() {
    replay("plan_body");
}
