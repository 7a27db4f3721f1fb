//! Counts of what happens between receive and send. Every worker has its own, so counting takes no lock and shares no
//! cache line; whoever asks adds them up.

use crate::answer::Rcode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Response codes that are counted by themselves; greater ones count as the last.
const RCODES: usize = 18;

/// The names of the response codes, in order; of those above BADVERS only the last is ever sent.
pub const RCODE_NAMES: [&str; RCODES] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "RCODE11",
    "RCODE12",
    "RCODE13",
    "RCODE14",
    "RCODE15",
    "BADVERS",
    "BADCOOKIE",
];

/// One worker's counts.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    replies: [AtomicU64; RCODES],
    /// Answered by silence: responses, fragments of headers, ports that must not be answered.
    pub dropped: Count,
    /// Dropped because too much of what takes longer was waiting already.
    pub dropped_slow: Count,
    /// Replies that could not be sent, and errors on receiving.
    pub socket_errors: Count,
    /// Connections accepted.
    pub accepted: Count,
    /// Connections closed again at once, because there were too many.
    pub rejected: Count,
    /// Connections that are open.
    pub open: Count,
}

/// One count.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one.
    pub fn add(&self) {
        self.add_many(1);
    }

    /// Adds so many.
    pub fn add_many(&self, many: u64) {
        self.0.fetch_add(many, Ordering::Relaxed);
    }

    /// Takes one away.
    pub fn subtract(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts a reply.
    pub fn replied(&self, rcode: Rcode) {
        if let Some(count) = self.replies.get(usize::from(rcode.0).min(RCODES - 1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Replies by response code, in the order of [`RCODE_NAMES`].
    #[must_use]
    pub fn replies(&self) -> [u64; RCODES] {
        std::array::from_fn(|rcode| self.replies.get(rcode).map_or(0, |count| count.load(Ordering::Relaxed)))
    }
}

/// The counts of all workers.
#[derive(Debug, Default)]
pub struct AllCounters(Mutex<Vec<(&'static str, Arc<Counters>)>>);

impl AllCounters {
    /// Counts for one more worker of this transport.
    #[must_use]
    pub fn of_worker(&self, transport: &'static str) -> Arc<Counters> {
        let counters = Arc::<Counters>::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((transport, counters.clone()));
        counters
    }

    /// All of them, each with its transport.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, Arc<Counters>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
