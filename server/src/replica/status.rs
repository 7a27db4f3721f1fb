//! How following goes, for whoever asks.

use super::FetchError;
use crate::install::Refusal;
use crate::snapshot::GroupNumber;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zone_model::Version;

/// How many groups a heartbeat tells about.
const FAULTS_TOLD_MAX: usize = 8;

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
    heads_read: Option<Instant>,
    lost: bool,
    heads: usize,
    without_head: BTreeSet<Arc<str>>,
    refused: BTreeMap<GroupNumber, GroupRefused>,
    outcomes: BTreeMap<&'static str, u64>,
}

impl ReplicaStatus {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What is in here is only told, never relied on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All heads were looked at, as they were when this look began.
    pub(super) fn polled(
        &self,
        (began, heads): (Instant, usize),
        offered: &HashSet<GroupNumber>,
        without_head: BTreeSet<Arc<str>>,
    ) {
        let mut inner = self.inner();
        // No head is nobody's word to end anything. Enactors put missing moves back; a group that a restore took away
        // stays like this until somebody makes it again.
        for group in without_head.difference(&inner.without_head) {
            tracing::error!(%group, "held, and without a head in this ring; what is held is served on");
        }
        inner.without_head = without_head;
        // Where the head is what is held again, nothing is refused any more.
        inner.refused.retain(|group, _| offered.contains(group));
        if std::mem::take(&mut inner.lost) || inner.heads_read.is_none() {
            tracing::info!(groups = heads, "following the history");
        }
        (inner.heads_read, inner.heads) = (Some(began), heads);
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

    /// For how long the ring's list of heads was not read: as old may what is served be. None before the first time.
    #[must_use]
    pub fn since_heads_read(&self) -> Option<Duration> {
        self.inner().heads_read.map(|at| at.elapsed())
    }

    /// Whether the last try to read the history failed.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.inner().lost
    }

    /// How many groups have a head in the ring.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.inner().heads
    }

    /// Groups that are held, and of which the ring knows nothing.
    #[must_use]
    pub fn without_head(&self) -> Vec<Arc<str>> {
        self.inner().without_head.iter().cloned().collect()
    }

    /// What is refused at present, by group.
    pub(super) fn faults(&self) -> Vec<(GroupNumber, Version, String)> {
        self.inner().refused.iter().map(|(group, one)| (*group, one.version, one.why.to_string())).collect()
    }

    /// What is refused at present.
    #[must_use]
    pub fn refusals(&self) -> Vec<GroupRefused> {
        self.inner().refused.values().cloned().collect()
    }

    /// What is wrong, for the heartbeat: a line for each group, not more than people read.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let inner = self.inner();
        let told = inner.refused.values().take(FAULTS_TOLD_MAX);
        let mut lines: Vec<String> = told.map(|one| format!("group {}: {}", one.name, one.why)).collect();
        let more = inner.refused.len().saturating_sub(FAULTS_TOLD_MAX);
        if more > 0 {
            lines.push(format!("and {more} groups more"));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// How often each outcome was met.
    #[must_use]
    pub fn outcomes(&self) -> Vec<(&'static str, u64)> {
        self.inner().outcomes.iter().map(|(outcome, count)| (*outcome, *count)).collect()
    }
}
