//! Encoded answers against the oracle, to the last octet: random zones, random changes of them, random questions.
//!
//! HOLDFAST_CASES says how many questions (default 100,000), HOLDFAST_SEED where to begin. A failure prints the seed of its
//! case; `HOLDFAST_SEED=… HOLDFAST_CASES=1` runs that alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::answer::{Context, GROUP_SIZE, Scratch, TCP_REPLY_SIZE, Transport, Verdict};
use server::disk;
use server::snapshot::Directory;
use std::sync::Arc;
use support::oracle::Zones;
use support::random::Numbers;
use support::random_zones::{Story, ZONES};
use support::wire::{Question, to_text};
use support::{SILENT, install, reply};

/// How many changes a case sees, and how many questions are asked after each.
const CHANGES: usize = 6;
const QUESTIONS: usize = 48;

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn encoded_answers_are_those_of_the_oracle_after_every_change() {
    let (first, cases) = (number_of("HOLDFAST_SEED", 1), number_of("HOLDFAST_CASES", 100_000));
    let mut asked = 0;
    let mut seed = first;
    while asked < cases {
        asked += case(seed);
        seed += 1;
    }
    println!("{asked} questions, seeds {first} to {}", seed - 1);
}

/// One directory and its changes; says how many questions were asked.
fn case(seed: u64) -> u64 {
    let mut numbers = Numbers::new(seed);
    let zones = 1 + numbers.below(ZONES.len());
    // Most zones are small, so that their names meet; some have pages to be cut.
    let size = [8, 24, 60, 900][if seed.is_multiple_of(40) { 3 } else { numbers.below(3) }];
    let mut stories: Vec<Story> = (1..)
        .zip(ZONES)
        .take(zones)
        .map(|(number, zone)| Story::begin(&mut numbers, number, zone, if number == 1 { size } else { size.min(24) }))
        .collect();
    let mut held = Arc::<Directory>::default();
    for story in &stories {
        held = install(&held, &story.history, story.history.tip(), true).unwrap();
    }
    let mut asked = 0;
    for _ in 0..CHANGES {
        let changed = numbers.below(stories.len());
        stories[changed].go_on(&mut numbers, 3);
        let history = &stories[changed].history;
        held = install(&held, history, history.tip(), false).unwrap();
        let mut anew = Arc::<Directory>::default();
        for story in stories.iter().rev() {
            anew = install(&anew, &story.history, story.history.tip(), true).unwrap();
        }
        let from_disk = by_way_of_disk(&held);
        let histories: Vec<_> = stories.iter().map(|story| &story.history).collect();
        let oracle = Zones::of(&histories, &held);
        let ask = |_| stories[numbers.below(stories.len())].question(&mut numbers);
        let questions: Vec<Question> = (0..QUESTIONS).map(ask).collect();
        for question in &questions {
            let transport = if question.tcp { Transport::Tcp } else { Transport::Udp };
            let expected = oracle.answer(question);
            for (how, directory) in [("changed", &held), ("built anew", &anew), ("from disk", &from_disk)] {
                let actual = reply(directory, &question.to_wire(), transport).unwrap();
                let ours = || to_text(&actual);
                assert!(actual == expected, "HOLDFAST_SEED={seed}, {how}\n{}oracle: {}", ours(), to_text(&expected));
            }
        }
        check_groups(&held, &questions);
        asked += questions.len() as u64;
        if numbers.below(3) == 0 {
            // A restart: what comes next is built upon what was on disk.
            held = from_disk;
        }
    }
    asked
}

/// What is left of a directory when every group has been a file.
fn by_way_of_disk(directory: &Directory) -> Arc<Directory> {
    let mut read = Directory::default();
    for (number, group) in directory.groups() {
        let mut file = Vec::new();
        disk::write(&mut file, ("fleet", 1), (number, group), directory).unwrap();
        let stored = disk::read(&file, "fleet").unwrap();
        assert_eq!((stored.number, stored.group.version, &stored.group.zones), (number, group.version, &group.zones));
        let zones = stored.zones.into_iter().map(|zone| (zone.name().clone(), Some(zone))).collect();
        read.install(number, stored.group, zones);
    }
    Arc::new(read)
}

/// Looking at packets ahead changes nothing.
fn check_groups(directory: &Directory, questions: &[Question]) {
    let (mut scratch, mut out) = (Scratch::default(), vec![0; TCP_REPLY_SIZE]);
    for group in questions.chunks(GROUP_SIZE) {
        let packets: Vec<_> = group.iter().map(Question::to_wire).collect();
        scratch.look_ahead(directory, packets.iter().map(Vec::as_slice));
        for (place, packet) in packets.iter().enumerate() {
            let expected = reply(directory, packet, Transport::Udp).unwrap();
            let context = Context { transport: Transport::Udp, ..*SILENT };
            let verdict = scratch.answer_next(directory, (place, packet), &context, &mut out);
            let Verdict::Reply(length, _) = verdict else { panic!("{verdict:?}") };
            assert_eq!(out[..length], expected);
        }
    }
}
