//! Laws of the layout, read from the workspace itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    // Only what was fetched to build for this machine: other systems' crates need not be at hand.
    let options = ["--offline", "--filter-platform", &host()].map(str::to_owned).to_vec();
    MetadataCommand::new().manifest_path(manifest).other_options(options).exec().unwrap()
}

/// The system that the compiler builds for, as it says itself.
fn host() -> String {
    let said = Command::new("rustc").arg("-vV").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Every package that each package is built with, directly or not; what only its tests use is left out.
fn built_with(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let nodes: BTreeMap<&PackageId, _> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|node| (&node.id, node)).collect();
    let mut all = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![&package.id]);
        while let Some(id) = open.pop() {
            for dependency in &nodes[id].deps {
                let built = dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
                if built && seen.insert(&dependency.pkg) {
                    open.push(&dependency.pkg);
                }
            }
        }
        let names = seen.into_iter().map(|id| metadata[id].name.to_string()).collect();
        all.insert(package.name.to_string(), names);
    }
    all
}

#[test]
fn the_server_never_depends_on_the_rules() {
    let built_with = built_with(&metadata());
    for other_side in ["plan-rules", "control-plane", "holdfast"] {
        assert!(!built_with["server"].contains(other_side), "server is built with {other_side}");
    }
    for other_side in ["plan-rules", "control-plane", "holdfast", "zone-model"] {
        assert!(!built_with[other_side].contains("server"), "{other_side} is built with server");
    }
}

/// The same fault in all of them would be no fault in each other's eyes (FAILURES.md, 25).
#[test]
fn the_auditor_shares_nothing_with_those_whom_it_audits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../control-plane/src");
    let mut files = vec![root.join("auditor.rs")];
    collect_rust_files(&root.join("auditor"), &mut files);
    assert!(files.len() > 5, "the sources were not found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for audited in ["plan_rules", "::admission", "::enactor", "::reading", "HistoryStore"] {
            assert!(!text.contains(audited), "{} mentions {audited}", file.display());
        }
    }
}

#[test]
fn nouns_and_verbs_do_no_io() {
    let built_with = built_with(&metadata());
    for pure in ["zone-model", "plan-rules"] {
        for hands in ["tokio", "sqlx", "axum", "hyper", "ureq", "rand", "getrandom", "tracing"] {
            assert!(!built_with[pure].contains(hands), "{pure} is built with {hands}");
        }
    }
    assert!(!built_with["zone-model"].contains("plan-rules"));
}

#[test]
fn nouns_and_verbs_read_no_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for room in ["zone-model/src", "plan-rules/src"] {
        collect_rust_files(&root.join(room), &mut files);
    }
    assert!(files.len() > 10, "the sources were not found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for clock in ["SystemTime", "Instant::now", "TcpStream", "UdpSocket", "std::fs", "std::thread"] {
            assert!(!text.contains(clock), "{} mentions {clock}", file.display());
        }
    }
}

/// An enactor whose clock is hours off decides as any other: no program reads a wall clock, but for the age of DNS cookies, which
/// is for those who answer packets alone. Ages are measured by the database, and a machine's own steady clock is only ever used
/// for how long to wait.
#[test]
fn f06_no_program_reads_a_wall_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for room in ["zone-model", "plan-rules", "control-plane", "server", "cli"] {
        collect_rust_files(&root.join(room).join("src"), &mut files);
    }
    assert!(files.len() > 100, "the sources were not found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        if file.ends_with("server/src/cookie_clock.rs") {
            continue;
        }
        let of_cookies =
            ["lib.rs", "tcp.rs", "udp/mod.rs", "udp/slow.rs"].map(|name| root.join("server/src").join(name));
        let may = of_cookies.contains(&file);
        assert!(may || !text.contains("cookie_clock"), "{} goes by the clock of cookies", file.display());
        for clock in ["SystemTime", "Utc::now", "Local::now", "OffsetDateTime::now", "clock_gettime"] {
            assert!(!text.contains(clock), "{} mentions {clock}", file.display());
        }
    }
    let lints = std::fs::read_to_string(root.join("clippy.toml")).unwrap();
    assert!(lints.contains("std::time::SystemTime"), "the lint that says so while one types is gone");
}

#[test]
fn a_package_is_named_after_its_folder() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().unwrap().file_name().unwrap();
        let expected = if folder == "cli" { "holdfast" } else { folder };
        assert_eq!(package.name.as_str(), expected);
    }
}

#[test]
fn every_dependency_has_a_line_of_why() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml")).unwrap();
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let lines: Vec<&str> = section.lines().collect();
    let mut checked = 0;
    for (number, line) in lines.iter().enumerate() {
        if line.contains(" = ") && !line.starts_with('#') && !line.contains("path = ") {
            // The why stands right above, or above the line before where two go together.
            let above = lines[..number].iter().rev().take(2);
            assert!(above.into_iter().any(|line| line.starts_with('#')), "no why above `{line}`");
            checked += 1;
        }
    }
    assert!(checked > 20, "the table of dependencies was not found");
}

fn collect_rust_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
