//! Counts of what happens between receive and send. Every worker has its own, so counting takes no lock and shares no
//! cache line; whoever asks adds them up.

mod histogram;
mod kinds;

pub use histogram::Histogram;
pub use kinds::{RCODE_NAMES, TYPE_NAMES};

use crate::answer::Rcode;
use kinds::{RCODES, TYPES};
use std::cell::Cell;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zone_model::RecordType;

/// Of so many batches of datagrams, and so many questions over TCP, one is timed.
pub const TIMED_ONE_IN: u64 = 128;
/// The sizes of replies that are told apart, in octets: the limits that matter to UDP (512 without EDNS, 1232) among them.
pub const SIZES: [u64; 8] = [64, 128, 256, 512, 1232, 4096, 16_384, 65_535];
/// The times that are told apart, in nanoseconds.
pub const TIMES: [u64; 12] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    10_000_000,
    50_000_000,
    250_000_000,
];

/// One worker's counts.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    queries: [Count; TYPES],
    replies: [Count; RCODES],
    /// How long replies were, in octets.
    pub sizes: Histogram<8>,
    /// How long one batch in [`TIMED_ONE_IN`] took from receive to send, in nanoseconds; over TCP, one question.
    pub times: Histogram<12>,
    /// Replies that say that something is missing (TC), those of the limiter among them.
    pub truncated: Count,
    /// Answered by silence: responses, fragments of headers.
    pub dropped: Count,
    /// Dropped because nothing may be sent to the port it came from.
    pub dropped_port: Count,
    /// Dropped because too much of what takes longer was waiting already.
    pub dropped_slow: Count,
    /// Replies that were not sent, because their network was told the same too often.
    pub dropped_limited: Count,
    /// Replies that were sent truncated and empty for that reason.
    pub slipped: Count,
    /// Replies that could not be sent, and errors on receiving.
    pub socket_errors: Count,
    /// Connections accepted.
    pub accepted: Count,
    /// Connections closed again at once, because there were too many.
    pub rejected: Count,
    /// Connections that are open.
    pub open: Count,
}

impl Counters {
    /// Queries by type, in the order of [`TYPE_NAMES`].
    #[must_use]
    pub fn queries(&self) -> [u64; TYPES] {
        self.queries.each_ref().map(Count::get)
    }

    /// Replies by response code, in the order of [`RCODE_NAMES`].
    #[must_use]
    pub fn replies(&self) -> [u64; RCODES] {
        self.replies.each_ref().map(Count::get)
    }
}

/// One count.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds so many, whoever else does.
    fn add_many(&self, many: u64) {
        self.0.fetch_add(many, Ordering::Relaxed);
    }

    /// Adds so many where nobody else does: without the lock of an instruction that would have to look.
    #[inline]
    fn add_alone(&self, many: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(many), Ordering::Relaxed);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who counts.
pub trait Tally: Deref<Target = Counters> {
    /// Adds so many to one of its counts.
    fn add_to(&self, count: &Count, many: u64);

    /// Adds one.
    #[inline]
    fn add(&self, which: impl FnOnce(&Counters) -> &Count) {
        self.add_to(which(self), 1);
    }

    /// Counts a query for this type.
    #[inline]
    fn asked(&self, rtype: RecordType) {
        if let Some(count) = self.queries.get(kinds::place_of(rtype)) {
            self.add_to(count, 1);
        }
    }

    /// Counts a reply.
    #[inline]
    fn replied(&self, rcode: Rcode, reply: &[u8]) {
        if let Some(count) = self.replies.get(usize::from(rcode.0).min(RCODES - 1)) {
            self.add_to(count, 1);
        }
        if reply.get(2).is_some_and(|flags| flags & 2 != 0) {
            self.add(|all| &all.truncated);
        }
        self.sizes.add(self, &SIZES, reply.len() as u64);
    }

    /// Counts what was timed.
    fn took(&self, time: Duration) {
        self.times.add(self, &TIMES, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Counts that only their owner adds to. It can be given away, and never be in two threads at once:
///
/// ```compile_fail
/// fn is_shared<T: Sync>() {}
/// is_shared::<server::counters::Own>();
/// ```
#[derive(Debug)]
pub struct Own(Arc<Counters>, PhantomData<Cell<()>>);

impl Deref for Own {
    type Target = Counters;

    #[inline]
    fn deref(&self) -> &Counters {
        &self.0
    }
}

impl Tally for Own {
    #[inline]
    fn add_to(&self, count: &Count, many: u64) {
        count.add_alone(many);
    }
}

/// Counts that many threads add to.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Counters>);

impl Shared {
    /// Takes one away again from what is open.
    pub fn closed(&self) {
        self.open.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Deref for Shared {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.0
    }
}

impl Tally for Shared {
    fn add_to(&self, count: &Count, many: u64) {
        count.add_many(many);
    }
}

/// What is counted: by which transport, and from addresses of which family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Of {
    /// `udp` or `tcp`.
    pub transport: &'static str,
    /// `ipv4` or `ipv6`.
    pub family: &'static str,
}

impl Of {
    /// Datagrams of IPv4.
    pub const UDP_V4: Self = Self { transport: "udp", family: "ipv4" };
    /// Datagrams of IPv6.
    pub const UDP_V6: Self = Self { transport: "udp", family: "ipv6" };

    /// What comes in at `address`. A socket has clients of its own family only.
    #[must_use]
    pub const fn new(transport: &'static str, address: SocketAddr) -> Self {
        Self { transport, family: if address.is_ipv4() { "ipv4" } else { "ipv6" } }
    }
}

/// The counts of all workers.
#[derive(Debug, Default)]
pub struct AllCounters(Mutex<Vec<(Of, Arc<Counters>)>>);

impl AllCounters {
    /// Counts for one more worker.
    #[must_use]
    pub fn of_worker(&self, of: Of) -> Own {
        Own(self.one_more(of), PhantomData)
    }

    /// Counts for workers that are not one thread.
    #[must_use]
    pub fn of_many(&self, of: Of) -> Shared {
        Shared(self.one_more(of))
    }

    fn one_more(&self, of: Of) -> Arc<Counters> {
        let counters = Arc::<Counters>::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((of, counters.clone()));
        counters
    }

    /// All of them, to be read.
    #[must_use]
    pub fn all(&self) -> Vec<(Of, Arc<Counters>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
