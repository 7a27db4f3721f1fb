//! What must hold for every history and every packet.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use hickory_proto::op::Message;
use proptest::prelude::*;
use server::answer::{EDNS_PAYLOAD_SIZE, Transport};
use server::snapshot::{Directory, HashedName, ZoneNumber};
use std::sync::Arc;
use support::random::{Numbers, QUESTION_TYPES, question_name, zone};
use support::wire::{ASKS_FOR_GENERATION, Question, generation_told, sections};
use support::{Change, History, changes_of, contents_of, directory_of, install, name_of, reply};
use zone_model::{Content, Key, Serial};

/// A generation that turns what stands into the contents of a zone file, as a replacement plan does.
fn replacement(history: &History, zone: i64, text: &str) -> Vec<Change> {
    let number = ZoneNumber(zone);
    let contents = contents_of(history.zone_name(number), text);
    let mut wanted: Vec<Change> = Vec::new();
    for (key, set) in contents.into_sets() {
        let (key, content) = (Key::Records(key), Content::Records(set));
        if history.content().get(&(number, key.clone())) != Some(&content) {
            wanted.push((number, key, Some(content)));
        }
    }
    let texts = contents_of(history.zone_name(number), text);
    for (of, key) in history.content().keys() {
        if let Key::Records(set) = key
            && *of == number
            && !texts.sets().contains_key(set)
        {
            wanted.push((number, key.clone(), None));
        }
    }
    wanted
}

/// Everything that a directory says, as text.
fn all_it_says(directory: &Directory) -> Vec<String> {
    let of_zone = |zone: &Arc<server::snapshot::Zone>| {
        let sets = zone.nodes().flat_map(|node| node.sets().iter().map(|set| format!("{set:?}")).collect::<Vec<_>>());
        [format!("{} {:?} {:?} {}", zone.name(), zone.serial(), zone.negative_ttl(), zone.set_count())]
            .into_iter()
            .chain(sets)
            .collect::<Vec<_>>()
    };
    let mut all: Vec<_> = directory.zones().flat_map(of_zone).collect();
    all.sort();
    all
}

fn replies(directory: &Directory, numbers: &mut Numbers, zones: &[&str]) -> Vec<Vec<u8>> {
    let ask = |_| {
        let zone = *numbers.one_of(zones);
        let question = Question::new(&question_name(numbers, zone), *numbers.one_of(&QUESTION_TYPES));
        reply(directory, &question.to_wire(), Transport::Tcp).unwrap()
    };
    (0..60).map(ask).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Whatever happened in whichever steps, the increments end where a load in full ends, in content and in answers.
    #[test]
    fn increments_end_where_a_load_in_full_ends(seed: u64, steps in prop::collection::vec((any::<u64>(), 1_usize..3, any::<bool>()), 1..8)) {
        let zones = ["z.", "sub.z."];
        let mut history = History::new(1, &[(1, zones[0]), (2, zones[1])]);
        let first = zones.iter().zip(1..).flat_map(|(name, number)| {
            let text = zone(&mut Numbers::new(seed ^ number), name);
            changes_of(ZoneNumber(i64::try_from(number).unwrap()), &name_of(name), &text)
        });
        history.admit(first.collect());
        let mut by_increments = install(&Arc::default(), &history, 1, true).unwrap();
        for (seed, number, installs) in steps {
            let text = zone(&mut Numbers::new(seed), zones[number - 1]);
            let number = i64::try_from(number).unwrap();
            let mut changes = replacement(&history, number, &text);
            if seed % 5 == 0 {
                changes.push((ZoneNumber(number), Key::Serial, Some(Content::Serial(Serial(u32::try_from(seed % 77).unwrap())))));
            }
            history.admit(changes);
            if installs {
                by_increments = install(&by_increments, &history, history.tip(), false).unwrap();
            }
        }
        if by_increments.groups().next().unwrap().1.version != history.head(history.tip()).version {
            by_increments = install(&by_increments, &history, history.tip(), false).unwrap();
        }
        let in_full = install(&Arc::default(), &history, history.tip(), true).unwrap();
        prop_assert_eq!(all_it_says(&by_increments), all_it_says(&in_full));
        let of = |directory| replies(directory, &mut Numbers::new(seed), &zones);
        prop_assert_eq!(of(&by_increments), of(&in_full));
        // And a load in full over what is held is the same again.
        let reloaded = install(&by_increments, &history, history.tip(), true).unwrap();
        prop_assert_eq!(all_it_says(&reloaded), all_it_says(&in_full));
    }

    /// Replies to whatever questions are messages, no longer than asked, with the question in its spelling; and nothing
    /// but the question depends on the spelling.
    #[test]
    fn replies_are_whole_and_short_and_keep_the_case(seed: u64, size in prop::option::of(0_u16..2000), tcp: bool, do_bit: bool) {
        let mut numbers = Numbers::new(seed);
        let text = zone(&mut numbers, "z.");
        let directory = directory_of(&[("z.", &text)]);
        for _ in 0..40 {
            let name = question_name(&mut numbers, "z.");
            let question = Question { size, tcp, dnssec_ok: do_bit, ..Question::new(&name, *numbers.one_of(&QUESTION_TYPES)) };
            let ask = |question: &Question| {
                let transport = if tcp { Transport::Tcp } else { Transport::Udp };
                reply(&directory, &question.to_wire(), transport).unwrap()
            };
            let reply = ask(&question);
            let limit = if tcp { 65_535 } else { size.unwrap_or(512).clamp(512, EDNS_PAYLOAD_SIZE) };
            prop_assert!(reply.len() <= usize::from(limit));
            let message = Message::from_vec(&reply).unwrap();
            prop_assert_eq!(message.edns.is_some(), size.is_some());
            prop_assert_eq!(message.queries[0].name().to_ascii(), name.to_string());
            sections(&reply);
            let lower = ask(&Question { name: name.to_lowercase(), ..question.clone() });
            // But what a DNAME makes of a name is spelled as the name is.
            if sections(&reply)[0].1.iter().any(|line| line.contains(" DNAME ")) {
                continue;
            }
            let after = 12 + name.as_wire().len();
            prop_assert_eq!(&reply[after..], &lower[after..]);
            prop_assert_eq!(&reply[..12], &lower[..12]);
        }
    }

    /// Asked which generation an answer is made from, a server says that of the group it begins in; and says all that it
    /// says to who does not ask, or as much as there is space for.
    #[test]
    fn the_generation_told_is_that_of_the_answer(seed: u64, size in 512_u16..2000, tcp: bool) {
        let mut numbers = Numbers::new(seed);
        let (zones, texts) = (["z.", "y."], [zone(&mut numbers, "z."), zone(&mut numbers, "y.")]);
        let directory = directory_of(&[(zones[0], &texts[0]), (zones[1], &texts[1])]);
        for _ in 0..40 {
            let begins = *numbers.one_of(&zones);
            let name = question_name(&mut numbers, begins);
            let plain = Question { size: Some(size), tcp, ..Question::new(&name, *numbers.one_of(&QUESTION_TYPES)) };
            let asking = Question { options: ASKS_FOR_GENERATION.to_vec(), ..plain.clone() };
            let transport = if tcp { Transport::Tcp } else { Transport::Udp };
            let [plain, told] =
                [plain, asking].map(|question| reply(&directory, &question.to_wire(), transport).unwrap());
            prop_assert_eq!(generation_told(&plain), None);
            let begins_in = directory.closest(&HashedName::of(&name), name.label_count()).unwrap();
            prop_assert_eq!(generation_told(&told), Some(directory.group(begins_in.group).unwrap().version));
            prop_assert!(tcp || told.len() <= usize::from(size.clamp(512, EDNS_PAYLOAD_SIZE)));
            if told.len() == plain.len() + 44 {
                prop_assert_eq!(sections(&plain), sections(&told));
            } else {
                prop_assert!(!tcp && plain.len() + 44 > usize::from(size.min(EDNS_PAYLOAD_SIZE)));
            }
        }
    }

    /// Nothing that arrives makes us panic, and what we say to it is a message, never said to a response.
    #[test]
    fn no_packet_does_harm(packet in prop::collection::vec(any::<u8>(), 0..200)) {
        check_packet(&packet);
    }

    /// The same for packets that were right before some of their octets changed.
    #[test]
    fn no_spoilt_packet_does_harm(seed: u64, options in prop::collection::vec(any::<u8>(), 0..20), spoils in prop::collection::vec((any::<u16>(), any::<u8>()), 0..6), cut in prop::option::of(any::<u16>())) {
        let mut numbers = Numbers::new(seed);
        let question = Question { size: Some(1232), options, ..Question::new(&question_name(&mut numbers, "z."), *numbers.one_of(&QUESTION_TYPES)) };
        let mut packet = question.to_wire();
        for (at, value) in spoils {
            let at = usize::from(at) % packet.len();
            packet[at] = value;
        }
        if let Some(cut) = cut {
            packet.truncate(usize::from(cut) % packet.len());
        }
        check_packet(&packet);
    }
}

fn check_packet(packet: &[u8]) {
    let directory = directory_of(&[("z.", &zone(&mut Numbers::new(7), "z.")), (".", &zone(&mut Numbers::new(8), "."))]);
    for transport in [Transport::Udp, Transport::Tcp] {
        match reply(&directory, packet, transport) {
            None => assert!(packet.len() < 12 || packet[2] & 0x80 != 0),
            Some(said) => {
                assert!(packet.len() >= 12 && packet[2] & 0x80 == 0);
                let message = Message::from_vec(&said).unwrap();
                assert_eq!(message.metadata.id.to_be_bytes(), packet[..2]);
                sections(&said);
                // Never answered itself.
                assert_eq!(reply(&directory, &said, transport), None);
            }
        }
    }
}
