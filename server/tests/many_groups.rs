//! Many groups: all are loaded, from the database and from disk, and what one change costs does not grow with how many others there
//! are. How long it takes with ten thousand is measured by `cargo xtask bench groups`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(unsafe_code, reason = "an allocator that counts cannot be written otherwise")]

mod support;

use server::snapshot::{Directory, ZoneNumber};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use support::postgres::Postgres;
use support::program::{Program, eventually};
use support::wire::{Question, to_text};
use support::{History, changes_of, install, name_of, put};
use zone_model::RecordType;

/// As many as continuous integration bears in a debug build.
const GROUPS: i64 = 1_000;
/// Nobody listens there.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none";

struct Counting;

thread_local!(static OCTETS: Cell<usize> = const { Cell::new(0) });

// SAFETY: what is asked for comes from the system's allocator, and goes back there.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = OCTETS.try_with(|octets| octets.set(octets.get() + layout.size()));
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn zone_of(group: i64) -> String {
    format!("z{group}.example.")
}

/// A group with a zone of its own, whose `www` has an address that tells it from the others.
fn history(group: i64) -> History {
    let mut history = History::new(group, &[(group, &zone_of(group))]);
    let [.., a, b] = group.to_be_bytes();
    let text = format!("$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\nwww A 10.0.{a}.{b}\n");
    history.admit(changes_of(ZoneNumber(group), &name_of(&zone_of(group)), &text));
    history
}

/// How many octets are allocated to install one changed address where there are so many groups.
fn cost_of_a_change(groups: i64) -> usize {
    let mut directory = Arc::<Directory>::default();
    for group in 1..=groups {
        directory = install(&directory, &history(group), 1, false).unwrap();
    }
    assert_eq!(directory.zone_count(), usize::try_from(groups).unwrap());
    let mut changed = history(groups / 2);
    changed.admit(vec![put(groups / 2, &format!("www.{}", zone_of(groups / 2)), RecordType::A, 300, &["192.0.2.1"])]);
    let before = OCTETS.get();
    let next = install(&directory, &changed, 2, false).unwrap();
    let cost = OCTETS.get() - before;
    assert_eq!(next.group(changed.group).unwrap().version, changed.head(2).version);
    cost
}

#[test]
fn one_change_costs_as_much_among_many_groups_as_among_few() {
    let (few, many) = (cost_of_a_change(30), cost_of_a_change(3_000));
    println!("{few} octets allocated among 30 groups, {many} among 3,000");
    // A branch more on the way to it, of 128 places.
    assert!(many < few + 8_192, "{few} octets among 30 groups, {many} among 3,000");
}

fn address_of(program: &Program, group: i64) -> String {
    let name = name_of(&format!("www.{}", zone_of(group)));
    let reply = to_text(&program.ask_udp(&Question::new(&name, RecordType::A).to_wire()));
    reply.split_once("300 A ").map_or(reply.clone(), |(_, rest)| rest.lines().next().unwrap().to_owned())
}

fn all_answer(program: &Program, changed: i64) {
    for group in 1..=GROUPS {
        let [.., a, b] = group.to_be_bytes();
        let expected = if group == changed { "192.0.2.7".to_owned() } else { format!("10.0.{a}.{b}") };
        assert_eq!(address_of(program, group), expected, "group {group}");
    }
}

fn figure(program: &Program, name: &str) -> Option<i64> {
    let (_, metrics) = program.get("/metrics");
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_groups_are_loaded_followed_and_kept_on_disk() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut histories: Vec<History> = (1..=GROUPS).map(history).collect();
    postgres.write_beginnings(&histories).await;
    let folder = tempfile::tempdir().unwrap();
    let on_disk = ["--snapshot-dir", folder.path().to_str().unwrap()];
    let program = Program::start_with(&postgres.url(), "one", &on_disk);
    program.wait_ready();
    // They come in one swap.
    all_answer(&program, 0);
    assert_eq!(figure(&program, "holdfast_server_zones"), Some(GROUPS));
    assert_eq!(figure(&program, "holdfast_server_installs_total{outcome=\"installed\"}"), Some(GROUPS));

    // One of them changes, and nothing else is installed for it.
    let changed = 617;
    let history = &mut histories[usize::try_from(changed).unwrap() - 1];
    history.admit(vec![put(changed, &format!("www.{}", zone_of(changed)), RecordType::A, 300, &["192.0.2.7"])]);
    postgres.write(history, 1).await;
    eventually("the change is followed", || address_of(&program, changed) == "192.0.2.7");
    all_answer(&program, changed);
    assert_eq!(figure(&program, "holdfast_server_installs_total{outcome=\"installed\"}"), Some(GROUPS + 1));
    let (_, metrics) = program.get("/metrics");
    assert_eq!(metrics.matches("holdfast_server_group_generation{").count(), usize::try_from(GROUPS).unwrap());

    // Each has its file, and those are enough.
    assert!(program.stop().success());
    let again = Program::start_with(NO_DATABASE, "one", &on_disk);
    again.wait_ready();
    assert_eq!(figure(&again, "holdfast_server_zones"), Some(GROUPS));
    all_answer(&again, changed);
}
