//! What is served, kept on disk: what was written is read, what is damaged is refused, and a server starts from it alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::disk::{Disk, FormatError, LoadError, read, write};
use server::snapshot::{Directory, GroupNumber, ZoneNumber};
use std::fs;
use std::sync::Arc;
use support::postgres::Postgres;
use support::program::{Program, eventually};
use support::wire::{Question, to_text};
use support::{Change, History, changes_of, directory_of, gone, install, name_of, put};
use tempfile::TempDir;
use zone_model::{Content, Key, RecordType, Serial, SetKey, Setting, SettingValue};

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nWwW A 192.0.2.1\n\
                    a.b.c TXT \"deep\"\n*.w A 192.0.2.9\nsub NS ns.sub\nns.sub A 192.0.2.8\n";

/// A group with everything in it that a group can have.
fn history() -> History {
    let mut history = History::new(1, &[(1, "example."), (2, "example.org.")]);
    let mut changes = changes_of(ZoneNumber(1), &name_of("example."), ZONE);
    changes.extend(changes_of(ZoneNumber(2), &name_of("example.org."), &ZONE.replace(" 40 ", " 7 ")));
    let guarded = Key::Guarded(SetKey::new(&name_of("www.example."), RecordType::A));
    changes.push((ZoneNumber(1), guarded, Some(Content::Minimum(1))));
    changes.push(setting(SettingValue::Switch(true)));
    history.admit(changes);
    history.admit(vec![put(2, "www.example.org.", RecordType::A, 300, &["192.0.2.2"])]);
    history
}

fn setting(value: SettingValue) -> Change {
    (ZoneNumber(-1), Key::Setting(Setting::References), Some(Content::Setting(value)))
}

fn held(history: &History) -> Arc<Directory> {
    install(&Arc::default(), history, history.tip(), true).unwrap()
}

fn file_of(directory: &Directory) -> Vec<u8> {
    let mut file = Vec::new();
    let (number, group) = directory.groups().next().unwrap();
    write(&mut file, ("fleet", 3), (number, group), directory).unwrap();
    file
}

/// The hash that a file ends with, made anew.
fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    let end = file.len() - 32;
    let hash = *blake3::hash(&file[..end - 5]).as_bytes();
    file[end..].copy_from_slice(&hash);
    file
}

#[test]
fn f35_what_was_written_is_read() {
    let mut history = history();
    let before = held(&history);
    let stored = read(&file_of(&before), "fleet").unwrap();
    let group = before.group(GroupNumber(1)).unwrap();
    assert_eq!((stored.sequence, stored.number), (3, GroupNumber(1)));
    assert_eq!(
        (&*stored.group.name, stored.group.version, stored.group.digest),
        (&*group.name, group.version, group.digest)
    );
    assert_eq!((&stored.group.zones, &stored.group.settings), (&group.zones, &group.settings));
    assert_eq!(stored.group.settings.len(), 1);
    for zone in &stored.zones {
        let was = before.zone(zone.name()).unwrap();
        assert_eq!(
            (zone.serial(), zone.serial_mark(), zone.touched()),
            (was.serial(), was.serial_mark(), was.touched())
        );
        assert_eq!(zone.guards().collect::<Vec<_>>(), was.guards().collect::<Vec<_>>());
        assert_eq!(zone.set_count(), was.set_count());
    }
    assert_eq!(
        stored.zones.iter().map(server::snapshot::Zone::serial).collect::<Vec<_>>(),
        [Some(Serial(40)), Some(Serial(8))]
    );

    // What comes next fits, and what the guard forbids is refused as before.
    let mut directory = Directory::default();
    let zones = stored.zones.into_iter().map(|zone| (zone.name().clone(), Some(zone))).collect();
    directory.install(stored.number, stored.group, zones);
    let directory = Arc::new(directory);
    history.admit(vec![put(1, "new.example.", RecordType::A, 60, &["192.0.2.77"])]);
    let next = install(&directory, &history, history.tip(), false).unwrap();
    assert_eq!(next.zone(&name_of("example.")).unwrap().serial(), Some(Serial(42)));
    history.admit(vec![gone(1, "www.example.", RecordType::A)]);
    assert_eq!(install(&next, &history, history.tip(), false).unwrap_err().as_str(), "guarded");
}

#[test]
fn f35_what_another_version_adds_is_stepped_over_and_what_it_changes_is_refused() {
    let file = file_of(&held(&history()));
    let (before, end) = file.split_at(file.len() - 37);
    let added = sealed([before, &[77, 0, 0, 0, 3], b"new", end].concat());
    assert!(read(&added, "fleet").is_ok());
    let mut other = file.clone();
    other[9] = 2;
    let refused = read(&sealed(other), "fleet").unwrap_err();
    assert_eq!(refused, FormatError::OtherVersion(2));
    assert_eq!(refused.to_string(), "it has version 2 of the format, and this program reads version 1");
    assert_eq!(read(&file, "canary").unwrap_err(), FormatError::OtherRing("fleet".to_owned()));
    assert_eq!(read(b"something else", "fleet").unwrap_err(), FormatError::NoSnapshot);
}

#[test]
fn a_file_that_is_cut_or_has_one_other_octet_is_refused() {
    let file = file_of(&held(&history()));
    for length in 0..file.len() {
        assert!(read(&file[..length], "fleet").is_err(), "cut to {length}");
    }
    for place in 0..file.len() {
        for bit in [1, 0x80] {
            let mut damaged = file.clone();
            damaged[place] ^= bit;
            assert!(read(&damaged, "fleet").is_err(), "octet {place}");
        }
    }
    assert!(read(&[&*file, b"x"].concat(), "fleet").is_err());
}

/// As if the damage had been there when the hash was made: nothing that the digest is taken of may differ.
#[test]
fn damage_that_the_hash_does_not_see_is_seen_by_the_digest_or_by_the_rules() {
    let before = held(&history());
    let (file, group) = (file_of(&before), before.group(GroupNumber(1)).unwrap());
    let mut passed = 0;
    for place in 0..file.len() - 32 {
        for bit in [1, 0x80] {
            let mut damaged = file.clone();
            damaged[place] ^= bit;
            if let Ok(stored) = read(&sealed(damaged), "fleet") {
                passed += 1;
                assert_eq!(stored.group.digest, group.digest, "octet {place}");
                let sets = |zones: &[server::snapshot::Zone]| {
                    zones.iter().map(server::snapshot::Zone::set_count).sum::<usize>()
                };
                assert_eq!(sets(&stored.zones), before.zones().map(|zone| zone.set_count()).sum::<usize>());
            }
        }
    }
    // Numbers of the group and its zones, names of the group, and generations are not content.
    assert!(passed > 0 && passed < 400, "{passed}");
}

#[test]
fn a_zone_that_went_to_another_group_is_taken_from_the_newer_file() {
    let folder = TempDir::new().unwrap();
    let disk = Disk::open(folder.path(), "fleet").unwrap();
    let (first, second) = (
        directory_of(&[("example.", ZONE)]),
        held(&{
            let mut other = History::new(2, &[(9, "example.")]);
            other.admit(changes_of(ZoneNumber(9), &name_of("example."), ZONE));
            other
        }),
    );
    disk.write(GroupNumber(1), &first, 5).unwrap();
    disk.write(GroupNumber(2), &second, 4).unwrap();
    let found = disk.load().unwrap();
    assert_eq!((found.versions.len(), found.sequence), (1, 5));
    assert!(found.versions.contains_key(&GroupNumber(1)));
    assert!(matches!(&found.refused[..], [(_, LoadError::ZoneOfAnotherGroup(_))]));
    // What was begun and not ended is nothing.
    fs::write(folder.path().join("group-3.new"), b"half").unwrap();
    fs::write(folder.path().join("group-4.snapshot"), b"").unwrap();
    let found = disk.load().unwrap();
    assert_eq!((found.versions.len(), found.refused.len()), (1, 2));
}

fn served(owner: &str, program: &Program) -> String {
    let reply = to_text(&program.ask_udp(&Question::new(&name_of(owner), RecordType::A).to_wire()));
    let address = reply.split_once(" A 192").map(|(_, rest)| format!("192{}", rest.lines().next().unwrap()));
    address.unwrap_or_else(|| reply.split_whitespace().next().unwrap().to_owned())
}

fn is_on_disk(program: &Program) -> bool {
    let metrics = program.get("/metrics").1;
    metrics.contains("disk_groups_behind 0") && !metrics.contains("disk_writes_total{outcome=\"written\"} 0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_from_disk_alone_and_goes_on_when_the_database_comes() {
    let Some(postgres) = Postgres::start().await else { return };
    let folder = TempDir::new().unwrap();
    let options = ["--snapshot-dir", folder.path().to_str().unwrap()];
    let mut history = history();
    postgres.write(&history, 0).await;
    let program = Program::start_with(&postgres.url(), "one", &options);
    program.wait_ready();
    eventually("it is on disk", || is_on_disk(&program));
    // A change right before the stop is on disk as well.
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.3"])]);
    postgres.write(&history, 2).await;
    eventually("the change is served", || served("www.example.", &program) == "192.0.2.3");
    assert!(program.stop().success());

    postgres.end();
    let program = Program::start_with(&postgres.url(), "one", &options);
    program.wait_ready();
    assert_eq!(served("www.example.", &program), "192.0.2.3");
    assert_eq!(served("x.w.example.", &program), "192.0.2.9");
    assert_eq!(served("b.c.example.", &program), "NOERROR");
    // Killed, it does the same again.
    drop(program);
    let program = Program::start_with(&postgres.url(), "one", &options);
    program.wait_ready();
    assert_eq!(served("www.example.", &program), "192.0.2.3");

    postgres.begin();
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.4"])]);
    postgres.write(&history, 3).await;
    eventually("it goes on", || served("www.example.", &program) == "192.0.2.4");
    assert!(program.get("/metrics").1.contains("installs_total{outcome=\"installed\"} 1"));
    assert!(program.stop().success());

    // What the database has is taken in before anything older is served.
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.5"])]);
    postgres.write(&history, 4).await;
    let program = Program::start_with(&postgres.url(), "one", &options);
    let first = loop {
        let first = served("www.example.", &program);
        if first != "SERVFAIL" {
            break first;
        }
    };
    assert_eq!(first, "192.0.2.5");

    // Damaged files are said, and the database has everything.
    assert!(program.stop().success());
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let mut octets = fs::read(&path).unwrap();
        let middle = octets.len() / 2;
        octets[middle] ^= 1;
        fs::write(&path, octets).unwrap();
    }
    let program = Program::start_with(&postgres.url(), "one", &options);
    let said = program.logged("a snapshot on disk is not used");
    assert!(said.contains("group-1.snapshot") && said.contains("its hash is another"), "{said}");
    program.wait_ready();
    assert_eq!(served("www.example.", &program), "192.0.2.5");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_disk_and_database_it_is_up_and_not_ready_and_heals() {
    let Some(postgres) = Postgres::start().await else { return };
    let folder = TempDir::new().unwrap();
    postgres.write(&history(), 0).await;
    postgres.end();
    let program =
        Program::start_with(&postgres.url(), "one", &["--snapshot-dir", folder.path().join("new").to_str().unwrap()]);
    assert_eq!(program.get("/health/live").0, 200);
    assert_eq!(program.get("/health/ready").0, 503);
    assert_eq!(served("www.example.", &program), "SERVFAIL");
    postgres.begin();
    program.wait_ready();
    assert_eq!(served("www.example.", &program), "192.0.2.1");
    eventually("it is on disk", || is_on_disk(&program));
    assert!(program.stop().success());

    // A folder that cannot be one is an error at once, and not on the day that it is needed.
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_holdfast-server"))
        .args(["--database-url", &postgres.url(), "--dns", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .args(["--snapshot-dir", file.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("--snapshot-dir"), "{said}");
}
