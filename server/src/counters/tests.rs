#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use std::sync::atomic::AtomicBool;

const EACH: u64 = 200_000;
const WORKERS: u64 = 4;

fn queries(all: &AllCounters) -> u64 {
    all.all().iter().map(|(_, counters)| counters.queries().iter().sum::<u64>()).sum()
}

/// What each worker does: queries of two types, every fourth of them truncated, sizes from 0 to 1999.
fn work(tally: &impl Tally) {
    for number in 0..EACH {
        tally.asked(RecordType(if number % 2 == 0 { 1 } else { 28 }));
        let flags = if number % 4 == 3 { 2 } else { 0 };
        let size = (number % 2000) as usize;
        tally.replied(Rcode((number % 3) as u16), &[flags; 2000][..size]);
    }
}

fn is_right(all: &AllCounters) {
    let of = |sum: fn(&Counters) -> u64| all.all().iter().map(|(_, counters)| sum(counters)).sum::<u64>();
    assert_eq!(queries(all), EACH * WORKERS);
    assert_eq!(of(|counters| counters.queries()[kinds::place_of(RecordType(28))]), EACH * WORKERS / 2);
    assert_eq!(of(|counters| counters.replies().iter().sum()), EACH * WORKERS);
    assert_eq!(of(|counters| counters.truncated.get()), EACH * WORKERS / 4);
    assert_eq!(of(|counters| counters.sizes.counts().iter().sum()), EACH * WORKERS);
    assert_eq!(of(|counters| counters.sizes.sum()), EACH / 2000 * (1999 * 2000 / 2) * WORKERS);
}

#[test]
fn sums_over_workers_that_count_alone_are_right_while_somebody_reads() {
    let (all, done) = (AllCounters::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..WORKERS).map(|_| all.of_worker(Of::UDP_V4)).map(|own| scope.spawn(move || work(&own))).collect();
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let now = queries(&all);
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    is_right(&all);
}

#[test]
fn sums_over_threads_that_share_their_counts_are_right() {
    let all = AllCounters::default();
    let shared = all.of_many(Of { transport: "tcp", family: "ipv6" });
    std::thread::scope(|scope| {
        (0..WORKERS).for_each(|_| drop(scope.spawn(|| work(&shared))));
    });
    is_right(&all);
    shared.add(|all| &all.open);
    shared.closed();
    assert_eq!(shared.open.get(), 0);
}

#[test]
fn a_value_counts_for_the_first_bound_that_it_is_not_above() {
    let all = AllCounters::default();
    let own = all.of_worker(Of::UDP_V4);
    for size in [0, 64, 65, 512, 513, 1232, 65_535] {
        own.replied(Rcode::NO_ERROR, &vec![0; size]);
    }
    assert_eq!(own.sizes.counts(), [2, 1, 0, 1, 2, 0, 0, 1, 0]);
    for time in [0, 5_000, 5_001, 250_000_000, u64::MAX] {
        own.took(Duration::from_nanos(time));
    }
    let times = own.times.counts();
    assert_eq!((times[0], times[1], times[11], times[12]), (2, 1, 1, 1));
}

#[test]
fn greater_codes_than_are_told_count_as_the_last() {
    let all = AllCounters::default();
    let own = all.of_worker(Of::UDP_V4);
    for code in [16, 17, 23, 4000] {
        own.replied(Rcode(code), &[]);
    }
    assert_eq!(own.replies()[RCODES - 2..], [1, 3]);
}
