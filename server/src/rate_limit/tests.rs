#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;
use zone_model::RecordType;

const LIMIT: RateLimit = RateLimit { per_second: 5, slip: 2, ipv4_prefix: 24, ipv6_prefix: 56 };
const NOW: Second = Second(7);

fn about(name: u64) -> About {
    About { rtype: RecordType(1), name }
}

fn limiter() -> RateLimiter {
    RateLimiter::new(LIMIT).unwrap()
}

/// How many of `asked` replies are answered, truncated and dropped.
fn tried(asked: usize, mut decide: impl FnMut() -> Decision) -> [usize; 3] {
    let mut tried = [0; 3];
    (0..asked).for_each(|_| tried[decide() as usize] += 1);
    tried
}

#[test]
fn beyond_the_limit_every_second_one_is_truncated_and_the_next_second_begins_anew() {
    let table = Table::new(4);
    for second in [1, 2, 65_535, 0, 1] {
        let decided: Vec<_> = (0..9).map(|_| table.decide(99, Second(second), LIMIT)).collect();
        assert_eq!(decided[..5], [Decision::Answer; 5], "second {second}");
        assert_eq!(decided[5..], [Decision::Drop, Decision::Truncate, Decision::Drop, Decision::Truncate]);
    }
    // The tag is the front of the key.
    for (slip, truncated) in [(0, 0), (1, 100), (2, 50), (3, 33), (10, 10)] {
        let limit = RateLimit { slip, ..LIMIT };
        assert_eq!(tried(105, || table.decide(u64::from(slip) << 40, NOW, limit)), [5, truncated, 100 - truncated]);
    }
}

#[test]
fn there_is_no_limiter_without_a_limit() {
    assert!(RateLimiter::new(RateLimit { per_second: 0, ..LIMIT }).is_none());
}

#[test]
fn a_network_is_limited_as_one_and_another_not_with_it() {
    let limiter = limiter();
    let decide = |client: &str| limiter.decide((client.parse().unwrap(), false), Class::Answer, about(1), NOW);
    for (flooded, with_it, other) in [
        ("192.0.2.1", "192.0.2.254", "192.0.3.1"),
        ("2001:db8:0:1::1", "2001:db8:0:ff::9", "2001:db8:0:100::1"),
        // The same bits as the first, and another family.
        ("c000:0200::1", "c000:200::2", "c000:300::1"),
    ] {
        let [answered, ..] = tried(100, || decide(flooded));
        assert_eq!(answered, 5, "{flooded}");
        assert_ne!(decide(with_it), Decision::Answer, "{with_it}");
        assert_eq!(decide(other), Decision::Answer, "{other}");
    }
}

#[test]
fn a_prefix_of_any_length_can_be_set() {
    let limiter = RateLimiter::new(RateLimit { ipv4_prefix: 32, ipv6_prefix: 128, ..LIMIT }).unwrap();
    for (one, other) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
        let key = |client: &str| limiter.key_of(client.parse().unwrap(), Class::Answer, about(1));
        assert_ne!(key(one), key(other));
    }
    let limiter = RateLimiter::new(RateLimit { ipv4_prefix: 1, ipv6_prefix: 1, ..LIMIT }).unwrap();
    let key = |client: &str| limiter.key_of(client.parse().unwrap(), Class::Answer, about(1));
    assert_eq!(key("1.0.0.0"), key("127.255.255.255"));
    assert_ne!(key("1.0.0.0"), key("128.0.0.0"));
    assert_eq!(key("2001::"), key("7fff::"));
}

#[test]
fn names_and_classes_are_counted_apart_and_errors_together() {
    let limiter = limiter();
    let client = (IpAddr::from([192, 0, 2, 1]), false);
    for class in [Class::Answer, Class::NoData, Class::NoSuchName] {
        for name in [1, 2] {
            assert_eq!(tried(100, || limiter.decide(client, class, about(name), NOW))[0], 5, "{class:?} {name}");
        }
    }
    let mut name = 0;
    let mut next = || {
        name += 1;
        limiter.decide(client, Class::Error, about(name), NOW)
    };
    assert_eq!(tried(100, &mut next)[0], 5);
}

#[test]
fn who_has_proven_where_it_is_is_answered_always_and_counts_for_nothing() {
    let limiter = limiter();
    let client = IpAddr::from([192, 0, 2, 1]);
    let decide = |is_proven| limiter.decide((client, is_proven), Class::Answer, about(1), NOW);
    assert_eq!(tried(1000, || decide(true)), [1000, 0, 0]);
    assert_eq!(tried(100, || decide(false))[0], 5);
    assert_eq!(decide(true), Decision::Answer);
}

#[test]
fn a_full_table_limits_what_it_knows_and_answers_the_rest() {
    let table = Table::new(1);
    // The tag is the front of the key.
    let key = |tag: u64| tag << 40;
    for tag in 1..=8 {
        assert_eq!(tried(10, || table.decide(key(tag), NOW, LIMIT))[0], 5);
    }
    assert_eq!(tried(1000, || table.decide(key(9), NOW, LIMIT)), [1000, 0, 0]);
    assert_ne!(table.decide(key(3), NOW, LIMIT), Decision::Answer, "it is still known");
    assert_eq!(tried(1000, || table.decide(key(9), Second(8), LIMIT))[0], 5, "until the second is over");
}

#[test]
fn a_flood_is_found_among_many_others() {
    let limiter = limiter();
    let mut decided = BTreeMap::<bool, [usize; 3]>::new();
    for number in 0..400_000_u32 {
        let is_flood = number.is_multiple_of(20);
        let client = Ipv4Addr::from_bits(if is_flood { 0xc000_0201 } else { number << 8 });
        let decision = limiter.decide((client.into(), false), Class::Answer, about(1), NOW);
        decided.entry(is_flood).or_default()[decision as usize] += 1;
    }
    assert_eq!(decided[&true], [5, 9_997, 9_998]);
    assert!(decided[&false][0] >= 379_990, "{decided:?}");
}

#[test]
fn several_workers_share_the_limit() {
    const EACH: usize = 50_000;
    let limiter = limiter();
    let ask = || tried(EACH, || limiter.decide((IpAddr::from([192, 0, 2, 1]), false), Class::Answer, about(1), NOW))[0];
    let answered: usize = std::thread::scope(|scope| {
        let workers = [(); 4].map(|()| scope.spawn(ask));
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    // Counts that meet can be lost, a few at the beginning.
    assert!((5..=20).contains(&answered), "{answered}");
}

#[test]
fn the_class_of_a_reply_is_read_from_it() {
    let reply = |answers: u8| [0, 0, 0x84, 0, 0, 1, 0, answers, 0, 0, 0, 0];
    assert_eq!(Class::of(Rcode::NO_ERROR, &reply(1)), Class::Answer);
    assert_eq!(Class::of(Rcode::NO_ERROR, &reply(0)), Class::NoData);
    assert_eq!(Class::of(Rcode::NO_SUCH_NAME, &reply(1)), Class::NoSuchName);
    assert_eq!(Class::of(Rcode::REFUSED, &reply(0)), Class::Error);
}

#[test]
fn seconds_go_on_from_the_beginning() {
    let limiter = limiter();
    assert_eq!(limiter.second_of(limiter.began), Second(0));
    assert_eq!(limiter.second_of(limiter.began + Duration::from_millis(1999)), Second(1));
    assert_eq!(limiter.second_of(limiter.began + Duration::from_secs(65_537)), Second(1));
}
