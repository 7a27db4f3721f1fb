//! What several endpoints show.

use super::submission::ChangesView;
use crate::reading::{PlanFound, State, StateInRing};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::RecordSet;

/// Time to live and records of a set.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RecordsView {
    /// Seconds that resolvers may keep it.
    ttl: u32,
    /// The records as in a zone file, names in them absolute.
    records: Vec<String>,
}

impl From<&RecordSet> for RecordsView {
    fn from(set: &RecordSet) -> Self {
        let records = set.records().iter().map(|record| record.to_text(set.rtype())).collect();
        Self { ttl: set.ttl(), records }
    }
}

/// A plan that made a generation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanView {
    generation: i64,
    /// What the generation is: 64 hexadecimal digits.
    id: String,
    /// The digest of all that stands at it.
    digest: String,
    /// What the plan's author had read.
    base: i64,
    /// Whether the plan landed on a tip above its base.
    rebased: bool,
    /// Why, in the author's words.
    reason: Option<String>,
    /// The guards that did not apply, each with a reason.
    #[schema(value_type = Vec<Object>)]
    acknowledged: serde_json::Value,
    /// The name of the token that it was posted with.
    by: Option<String>,
    /// When it was admitted.
    at: DateTime<Utc>,
    changes: ChangesView,
}

impl From<PlanFound> for PlanView {
    fn from(plan: PlanFound) -> Self {
        // Counts below nothing are refused by the table.
        let [added, replaced, deleted, absent] = plan.counts.map(|count| u32::try_from(count).unwrap_or(0));
        Self {
            generation: plan.version.generation.get(),
            id: plan.version.id.to_string(),
            digest: plan.digest.to_string(),
            base: plan.base,
            rebased: plan.rebased,
            reason: plan.reason,
            acknowledged: plan.acknowledged,
            by: plan.by,
            at: plan.at,
            changes: ChangesView { added, replaced, deleted, absent },
        }
    }
}

/// Where a generation stands in a ring.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateView {
    state: State,
    /// How many live servers the ring has.
    live: i64,
    /// Those that do not report the generation or a later one, a hundred at most.
    laggards: Vec<String>,
}

impl From<StateInRing> for StateView {
    fn from(standing: StateInRing) -> Self {
        Self { state: standing.state, live: standing.live, laggards: standing.laggards }
    }
}
