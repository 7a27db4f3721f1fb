//! What is answered while generations are swapped in: all of one group in an answer is of one generation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use arc_swap::ArcSwap;
use server::answer::{GROUP_SIZE, Scratch, UDP_REPLY_SIZE, Verdict};
use server::replica::{Identity, Replica, Waiting};
use server::snapshot::{Directory, ZoneNumber};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use support::postgres::Postgres;
use support::wire::Question;
use support::{Change, History, SILENT, changes_of, name_of, put};
use zone_model::RecordType;

const FLIPS: usize = 2_000;
const ANSWERS_MIN: u64 = 1_000_000;

const ZONE: &str = "$TTL 1\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n";

/// All record sets that questions below meet, each with the generation as its TTL: in two zones, of several names and both families of
/// addresses, by alias, as what an MX and a delegation need, and below an asterisk.
fn flipped(generation: u32) -> Vec<Change> {
    let set = |zone, owner: &str, rtype, data: &[&str]| put(zone, owner, rtype, generation, data);
    vec![
        set(1, "www.example.", RecordType::CNAME, &["www.example.org."]),
        set(2, "www.example.org.", RecordType::A, &["192.0.2.1", "192.0.2.2"]),
        set(2, "www.example.org.", RecordType::AAAA, &["2001:db8::1"]),
        set(1, "mail.example.", RecordType::MX, &["1 in.example.", "2 in.example.org."]),
        set(1, "in.example.", RecordType::A, &["192.0.2.3"]),
        set(1, "in.example.", RecordType::AAAA, &["2001:db8::3"]),
        set(2, "in.example.org.", RecordType::A, &["192.0.2.4"]),
        set(2, "in.example.org.", RecordType::AAAA, &["2001:db8::4"]),
        set(2, "sub.example.org.", RecordType::NS, &["ns.sub.example.org.", "in.example."]),
        set(2, "ns.sub.example.org.", RecordType::A, &["192.0.2.5"]),
        set(1, "*.any.example.", RecordType::CNAME, &["www.example."]),
    ]
}

/// Questions, and how many records each answer holds.
const QUESTIONS: [(&str, usize); 6] = [
    ("www.example. A", 3),
    ("www.example. AAAA", 2),
    ("mail.example. MX", 6),
    ("x.sub.example.org. A", 5),
    ("one.any.example. A", 4),
    ("www.example.org. A", 2),
];

/// The TTLs of all records in a reply.
fn ttls(reply: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let after_name = |mut at: usize| loop {
        match reply[at] {
            0 => break at + 1,
            0xc0.. => break at + 2,
            label => at += 1 + usize::from(label),
        }
    };
    let records: usize = [6, 8, 10].map(|at| usize::from(u16::from_be_bytes([reply[at], reply[at + 1]]))).iter().sum();
    let mut at = after_name(12) + 4;
    (0..records).map(move |_| {
        let head = after_name(at);
        let ttl = u32::from_be_bytes(*reply[head + 4..].first_chunk().unwrap());
        at = head + 10 + usize::from(u16::from_be_bytes([reply[head + 8], reply[head + 9]]));
        ttl
    })
}

/// Asks as a worker does, by the group and looked at ahead, until it is over.
fn read(directory: &ArcSwap<Directory>, done: &AtomicBool, answers: &AtomicU64) -> usize {
    let packets: Vec<(Vec<u8>, usize)> =
        QUESTIONS.iter().map(|(question, count)| (Question::parse(question).to_wire(), *count)).collect();
    let (mut scratch, mut out) = (Scratch::default(), [0; UDP_REPLY_SIZE]);
    let (mut newest, mut seen) = (0, BTreeSet::new());
    while !done.load(Ordering::Relaxed) {
        let directory = directory.load();
        let of_place = |place: usize| &packets[place % packets.len()];
        scratch.look_ahead(&directory, (0..GROUP_SIZE).map(|place| of_place(place).0.as_slice()));
        for place in 0..GROUP_SIZE {
            let (packet, count) = of_place(place);
            let Verdict::Reply(length, _) = scratch.answer_next(&directory, (place, packet), &SILENT, &mut out) else {
                panic!("no answer")
            };
            let reply = &out[..length];
            let first = ttls(reply).next().unwrap_or_else(|| panic!("nothing: {}", support::wire::to_text(reply)));
            let is_whole = ttls(reply).all(|ttl| ttl == first) && ttls(reply).count() == *count;
            assert!(is_whole, "torn: {}", support::wire::to_text(reply));
            assert!(first >= newest, "{first} after {newest}");
            newest = first;
        }
        seen.insert(newest);
        answers.fetch_add(GROUP_SIZE as u64, Ordering::Relaxed);
    }
    seen.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f30_all_of_a_group_in_an_answer_is_of_one_generation_over_thousands_of_flips() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = History::new(1, &[(1, "example."), (2, "example.org.")]);
    let zones = [(1, "example."), (2, "example.org.")];
    let begun = zones.iter().flat_map(|(number, name)| changes_of(ZoneNumber(*number), &name_of(name), ZONE));
    history.admit(begun.chain(flipped(1)).collect());
    postgres.write(&history, 0).await;

    let identity = Identity {
        server: "test".to_owned(),
        instance: uuid::Uuid::new_v4(),
        ring: "fleet".to_owned(),
        answers_at: None,
    };
    let database = PgConnectOptions::from_str(&postgres.url()).unwrap();
    let replica = Replica::new(identity, database, Duration::from_secs(1), Arc::default());
    let (mut connection, mut waiting) = (PgConnection::connect(&postgres.url()).await.unwrap(), Waiting::default());
    replica.look(&mut connection, &mut waiting).await.unwrap();

    // All generations are there, and the head moves through them one by one.
    for flip in 2..=FLIPS + 1 {
        history.admit(flipped(u32::try_from(flip).unwrap()));
    }
    postgres.write_below_the_head(&history, 1).await;
    let (done, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let reading = (replica.directory.clone(), done.clone(), answers.clone());
    let reader = std::thread::spawn(move || read(&reading.0, &reading.1, &reading.2));
    let mut owner = postgres.owner().await;
    let (mut flips, mut head) = (0, 1);
    while flips < FLIPS || answers.load(Ordering::Relaxed) < ANSWERS_MIN {
        assert!(!reader.is_finished(), "an answer was torn");
        if head <= FLIPS {
            head += 1;
            postgres.move_head(&mut owner, &history, head).await;
            flips += usize::try_from(replica.look(&mut connection, &mut waiting).await.unwrap()).unwrap();
        } else {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    done.store(true, Ordering::Relaxed);
    let seen = reader.join().unwrap();
    assert!(seen > FLIPS / 10, "of {FLIPS} flips the reader met {seen}");
}
