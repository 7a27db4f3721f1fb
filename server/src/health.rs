//! How the server is, for those who decide whether to send it clients. Nothing of it decides whether it answers: it answers from what it
//! has, however old.

use crate::replica::ReplicaStatus;
use crate::snapshot::Directory;
use serde::Serialize;

/// Of how many groups the generation is told; `/metrics` has all.
const GROUPS_TOLD_MAX: usize = 16;
/// Of how many groups is told why their head is refused.
const REFUSALS_TOLD_MAX: usize = 8;

/// The body of `/health/ready`.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    ready: bool,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// Where what is served comes from: `database` once the ring's heads were read, until then `disk`.
    source: Option<&'static str>,
    /// Since the ring's list of heads was last read: how old what is served may be. None before the first time.
    seconds_since_heads_read: Option<f64>,
    zones: usize,
    groups: usize,
    generations: Vec<GroupHealth>,
    groups_refused: usize,
    refused: Vec<RefusedGroup>,
}

/// What is served of a group.
#[derive(Clone, Debug, Serialize)]
struct GroupHealth {
    group: String,
    generation: i64,
    epoch: i64,
}

/// A group whose head is not installed.
#[derive(Clone, Debug, Serialize)]
struct RefusedGroup {
    group: String,
    /// The head that is refused.
    generation: i64,
    outcome: &'static str,
    why: String,
}

impl Health {
    /// How a server is that serves `directory`.
    ///
    /// Ready is who has data, and has read the ring's heads since it was started. One that began with its own disk is ready without
    /// that only when the database could not be asked: then it knows of nobody who has something newer.
    #[must_use]
    pub fn of(directory: &Directory, status: &ReplicaStatus) -> Self {
        let (since_heads_read, is_loaded) = (status.since_heads_read(), directory.is_loaded());
        let why = match (is_loaded, since_heads_read) {
            (true, None) if !status.is_lost() => {
                Some("what was on disk is served, and the database is being asked for what is newer")
            }
            (true, _) => None,
            (false, Some(_)) => Some("the ring has no group that could be installed yet"),
            (false, None) => Some("the database has not been reached yet"),
        };
        let source = if since_heads_read.is_some() { "database" } else { "disk" };
        let generations = directory.groups().take(GROUPS_TOLD_MAX).map(|(_, group)| GroupHealth {
            group: group.name.to_string(),
            generation: group.version.generation.get(),
            epoch: group.version.generation.epoch(),
        });
        let refusals = status.refusals();
        let refused = refusals.iter().take(REFUSALS_TOLD_MAX).map(|one| RefusedGroup {
            group: one.name.to_string(),
            generation: one.version.generation.get(),
            outcome: one.why.as_str(),
            why: one.why.to_string(),
        });
        Self {
            ready: why.is_none(),
            why,
            source: is_loaded.then_some(source),
            seconds_since_heads_read: since_heads_read.map(|since| since.as_secs_f64()),
            zones: directory.zone_count(),
            groups: directory.groups().count(),
            generations: generations.collect(),
            groups_refused: refusals.len(),
            refused: refused.collect(),
        }
    }

    /// Whether clients may be sent here.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Where what is served comes from: `database` or `disk`; none while there is nothing.
    #[must_use]
    pub const fn source(&self) -> Option<&'static str> {
        self.source
    }
}
