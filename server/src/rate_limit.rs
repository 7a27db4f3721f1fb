//! How often one network is told the same thing: a limit on replies to clients who may be somebody else (response rate limiting). A forged
//! question brings its answer to whoever it is forged of; beyond the limit it brings nothing, or a truncated reply, which a real
//! client answers with a connection.
//!
//! One table for all workers: forged questions come from changing ports, and so to every one of them. It is of fixed size, and
//! takes no lock; a count that two workers write at once loses one of the two, and whatever does not find a place is not
//! counted. So it errs by answering.

use crate::answer::{About, Rcode};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The most replies a second that can be set: as many as a slot can count.
pub const PER_SECOND_MAX: u32 = 1_000_000;
/// How many slots share a cache line: one is fetched, and all of it is looked through.
const LINE: usize = 8;
/// How many such lines there are, together half a MiB.
const LINES: usize = 1 << 13;

/// What operators may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Replies a second to one network about one thing; 0: no limit.
    pub per_second: u32,
    /// One limited reply in so many goes out truncated, the others not at all; 0: none does.
    pub slip: u32,
    /// How many bits of an IPv4 address are its network.
    pub ipv4_prefix: u8,
    /// How many bits of an IPv6 address are its network.
    pub ipv6_prefix: u8,
}

/// What becomes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is sent.
    Answer,
    /// It is sent truncated and empty, so that whoever really asked comes back over TCP.
    Truncate,
    /// It is not sent.
    Drop,
}

/// What is much the same to whoever is flooded with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Records that were asked for.
    Answer,
    /// None of this type; or others are to be asked.
    NoData,
    /// No such name.
    NoSuchName,
    /// Any error. They are alike, whatever was asked.
    Error,
}

impl Class {
    /// The class of a reply.
    #[inline]
    #[must_use]
    pub fn of(rcode: Rcode, reply: &[u8]) -> Self {
        match rcode {
            Rcode::NO_ERROR if reply.get(6..8).is_some_and(|answers| answers != [0, 0]) => Self::Answer,
            Rcode::NO_ERROR => Self::NoData,
            Rcode::NO_SUCH_NAME => Self::NoSuchName,
            _ => Self::Error,
        }
    }
}

/// The second in which something happens, counted from the limiter's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second(u16);

/// Counts replies, and says which are too many.
#[derive(Debug)]
pub struct RateLimiter {
    limit: RateLimit,
    /// Drawn at the start: nobody can choose a network or a name to meet another's.
    key: RandomState,
    table: Table,
    began: Instant,
}

impl RateLimiter {
    /// A limiter that has counted nothing yet; none if there is no limit.
    #[must_use]
    pub fn new(limit: RateLimit) -> Option<Self> {
        let (key, began) = (RandomState::new(), Instant::now());
        (limit.per_second > 0).then(|| Self { limit, key, table: Table::new(LINES), began })
    }

    /// The second of a moment.
    #[inline]
    #[must_use]
    pub fn second_of(&self, moment: Instant) -> Second {
        Second(moment.saturating_duration_since(self.began).as_secs() as u16)
    }

    /// Counts a reply of this class to `client`, and decides about it. Who has proven that it is where it says is not limited: nobody
    /// else is flooded.
    #[inline]
    #[must_use]
    pub fn decide(&self, (client, is_proven): (IpAddr, bool), class: Class, about: About, second: Second) -> Decision {
        if is_proven {
            return Decision::Answer;
        }
        self.table.decide(self.key_of(client, class, about), second, self.limit)
    }

    #[inline]
    fn key_of(&self, client: IpAddr, class: Class, about: About) -> u64 {
        // Unlike for the two families, also where the bits are the same.
        let (family, bits, prefix) = match client {
            IpAddr::V4(address) => (4, u128::from(address.to_bits()) << 96, self.limit.ipv4_prefix),
            IpAddr::V6(address) => (6, address.to_bits(), self.limit.ipv6_prefix),
        };
        let network = bits & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
        let mut hasher = self.key.build_hasher();
        hasher.write_u64((network >> 64) as u64);
        hasher.write_u64(network as u64);
        hasher.write_u64(if class == Class::Error { 0 } else { about.name });
        hasher.write_u64(family << 8 | class as u64);
        hasher.finish()
    }
}

/// Counts by key, in slots of one word: what of the key is not told by the place (28 bits), the second (16), and how many there were
/// in it (20). A slot whose second is over is free.
#[derive(Debug)]
struct Table(Box<[Line]>);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; LINE]);

const COUNT_BITS: u32 = 20;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
const SECOND_BITS: u32 = 16;
const _: () = assert!((PER_SECOND_MAX as u64) < COUNT_MAX);

impl Table {
    /// A table of so many lines, which is a power of two.
    fn new(lines: usize) -> Self {
        Self((0..lines).map(|_| Line::default()).collect())
    }

    #[inline]
    fn decide(&self, key: u64, Second(second): Second, limit: RateLimit) -> Decision {
        // The front of the key is the tag, its end the place.
        let mark = key >> (COUNT_BITS + SECOND_BITS) << SECOND_BITS | u64::from(second);
        let Some(Line(slots)) = self.0.get(key as usize & (self.0.len() - 1)) else { return Decision::Answer };
        let mut free = None;
        for slot in slots {
            let word = slot.load(Ordering::Relaxed);
            if word >> COUNT_BITS == mark && word & COUNT_MAX > 0 {
                let before = word & COUNT_MAX;
                // Not locked: what another worker counts at this very moment may be lost.
                slot.store(word + u64::from(before < COUNT_MAX), Ordering::Relaxed);
                return judge(before, limit);
            }
            let is_free = word & COUNT_MAX == 0 || (word >> COUNT_BITS) as u16 != second;
            if is_free && free.is_none() {
                free = Some(slot);
            }
        }
        // Where all are taken this second, nothing is counted, and so nothing limited. What comes often came before, and is not
        // pushed out by what comes once.
        if let Some(slot) = free {
            slot.store(mark << COUNT_BITS | 1, Ordering::Relaxed);
        }
        Decision::Answer
    }
}

/// What becomes of a reply that had so many before it.
#[inline]
fn judge(before: u64, limit: RateLimit) -> Decision {
    let Some(limited) = before.checked_sub(u64::from(limit.per_second)) else { return Decision::Answer };
    match u64::from(limit.slip) {
        0 => Decision::Drop,
        slip if (limited + 1).is_multiple_of(slip) => Decision::Truncate,
        _ => Decision::Drop,
    }
}

#[cfg(test)]
mod tests;
