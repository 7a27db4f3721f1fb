//! Look-ups of the last second, so that a client that posts a hundred plans a second costs one look-up.

use super::Caller;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a look-up is good for, from before the database was asked: a token that has ended stops within this time.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(1);
/// More living tokens than this at once cost look-ups, not memory.
const ENTRIES_MAX: usize = 4_096;

/// Only tokens that were found are kept, so guesses fill up nothing.
#[derive(Debug, Default)]
pub(super) struct Cache {
    callers: Mutex<HashMap<[u8; 32], (Instant, Caller)>>,
}

impl Cache {
    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Caller> {
        let callers = self.locked();
        let (asked, caller) = callers.get(hash)?;
        (asked.elapsed() < KEPT_FOR).then(|| caller.clone())
    }

    pub(super) fn put(&self, hash: [u8; 32], caller: Caller, asked: Instant) {
        let mut callers = self.locked();
        if callers.len() >= ENTRIES_MAX {
            callers.retain(|_, (asked, _)| asked.elapsed() < KEPT_FOR);
            if callers.len() >= ENTRIES_MAX {
                callers.clear();
            }
        }
        callers.insert(hash, (asked, caller));
    }

    pub(super) fn forget(&self, token: i64) {
        self.locked().retain(|_, (_, caller)| caller.token != token);
    }

    /// A thread that panicked here left a map that is whole: each change to it is one call.
    fn locked(&self) -> MutexGuard<'_, HashMap<[u8; 32], (Instant, Caller)>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
