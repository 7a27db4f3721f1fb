//! How following goes, for whoever asks.

use super::FetchError;
use crate::install::Refusal;
use crate::snapshot::GroupNumber;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zone_model::Version;

/// A group that is kept at an older generation than its head, and why.
#[derive(Clone, Debug)]
pub struct GroupRefused {
    /// The group.
    pub name: Arc<str>,
    /// The head that was refused.
    pub version: Version,
    /// Why.
    pub why: Refusal,
}

/// How following goes. Written by the replica, read by `/metrics`, `/health` and the heartbeat; never by answers.
#[derive(Debug, Default)]
pub struct ReplicaStatus(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last_poll: Option<Instant>,
    lost: bool,
    heads: usize,
    refused: BTreeMap<GroupNumber, GroupRefused>,
    outcomes: BTreeMap<&'static str, u64>,
}

impl ReplicaStatus {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What is in here is only told, never relied on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn polled(&self, heads: usize, offered: &HashSet<GroupNumber>) {
        let mut inner = self.inner();
        // Where the head is what is held again, nothing is refused any more.
        inner.refused.retain(|group, _| offered.contains(group));
        if std::mem::take(&mut inner.lost) || inner.last_poll.is_none() {
            tracing::info!(groups = heads, "following the history");
        }
        (inner.last_poll, inner.heads) = (Some(Instant::now()), heads);
    }

    pub(super) fn lost(&self, error: &FetchError) {
        // Once for each loss, and not for each try.
        if !std::mem::replace(&mut self.inner().lost, true) {
            tracing::warn!(%error, "the database is lost; what is held is served on");
        }
    }

    pub(super) fn installed(&self, group: GroupNumber) {
        let mut inner = self.inner();
        inner.refused.remove(&group);
        *inner.outcomes.entry("installed").or_default() += 1;
    }

    pub(super) fn refused(&self, group: GroupNumber, name: &Arc<str>, version: Version, why: Refusal) {
        let mut inner = self.inner();
        *inner.outcomes.entry(why.as_str()).or_default() += 1;
        let before = inner.refused.get(&group);
        if before.is_none_or(|before| before.version != version || before.why != why) {
            let (outcome, generation) = (why.as_str(), version.generation.get());
            tracing::error!(group = &**name, generation, outcome, %why, "refused; what is held is served on");
            inner.refused.insert(group, GroupRefused { name: name.clone(), version, why });
        }
    }

    /// Since when nothing was heard from the history; none when there never was anything.
    #[must_use]
    pub fn since_last_poll(&self) -> Option<Duration> {
        self.inner().last_poll.map(|at| at.elapsed())
    }

    /// How many groups have a head in the ring.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.inner().heads
    }

    /// What is refused at present.
    #[must_use]
    pub fn refusals(&self) -> Vec<GroupRefused> {
        self.inner().refused.values().cloned().collect()
    }

    /// What is wrong, for the heartbeat.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.inner().refused.values().next().map(|one| format!("group {}: {}", one.name, one.why))
    }

    /// How often each outcome was met.
    #[must_use]
    pub fn outcomes(&self) -> Vec<(&'static str, u64)> {
        self.inner().outcomes.iter().map(|(outcome, count)| (*outcome, *count)).collect()
    }
}
