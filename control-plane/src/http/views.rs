//! What several endpoints show.

use super::submission::ChangesView;
use crate::reading::{PlanFound, State, StateInRing, VerdictFound};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{Content, Key, RecordSet, SettingValue};

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

/// What kind of content it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Of {
    /// A record set.
    Records,
    /// A guard on a record set: it is never absent, nor has it fewer records than the minimum.
    Guard,
    /// A setting of the group.
    Setting,
}

impl From<&Key> for Of {
    fn from(key: &Key) -> Self {
        match key {
            // A serial is shown as a part of its SOA.
            Key::Records(_) | Key::Serial => Self::Records,
            Key::Guarded(_) => Self::Guard,
            Key::Setting(_) => Self::Setting,
        }
    }
}

/// What stands: of records, of a guard, or of a setting.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Content)]
pub(crate) enum ContentView {
    /// Of records.
    Records(RecordsView),
    /// Of a guard.
    Minimum {
        /// The fewest records that the set may have.
        minimum: u16,
    },
    /// Of a setting that is a limit.
    Limit {
        /// Always allowed.
        at_least: u32,
        /// Allowed of what stands, if that is more.
        percent: u8,
    },
    /// Of a setting that is on or off.
    Switch {
        /// Whether it is on.
        on: bool,
    },
    /// Of the setting `closed`.
    Closed {
        /// Why planners are shut out.
        reason: String,
    },
}

impl ContentView {
    /// None for a serial, which is shown as a part of its SOA.
    pub(crate) fn of(content: &Content) -> Option<Self> {
        Some(match content {
            Content::Records(set) => Self::Records(set.into()),
            Content::Minimum(minimum) => Self::Minimum { minimum: *minimum },
            Content::Setting(SettingValue::Limit(limit)) => {
                Self::Limit { at_least: limit.at_least, percent: limit.percent() }
            }
            Content::Setting(SettingValue::Switch(on)) => Self::Switch { on: *on },
            Content::Setting(SettingValue::Closed(reason)) => Self::Closed { reason: reason.to_string() },
            Content::Serial(_) => return None,
        })
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
    /// `change`, `rollback`, `raise` (of the epoch) or `end-zone`.
    kind: String,
    /// For a rollback: the generation whose content it restores.
    rolled_back_to: Option<i64>,
    /// Whether it is a rollback that may be enacted through a freeze.
    through_freeze: bool,
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
    /// That the first ring's servers proved the generation; null if they did not, or nobody asked them to.
    passed: Option<VerdictView>,
    /// That the generation failed, for ever, whatever else was found; null if it did not.
    failed: Option<VerdictView>,
}

/// What was found about a generation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictView {
    why: String,
    /// An enactor's name, or a person's.
    by: String,
    at: DateTime<Utc>,
}

impl From<VerdictFound> for VerdictView {
    fn from(VerdictFound { why, by, at }: VerdictFound) -> Self {
        Self { why, by, at }
    }
}

impl From<PlanFound> for PlanView {
    fn from(plan: PlanFound) -> Self {
        // Counts below nothing are refused by the table.
        let [added, replaced, deleted, absent] = plan.counts.map(|count| u32::try_from(count).unwrap_or(0));
        Self {
            generation: plan.version.generation.get(),
            id: plan.version.id.to_string(),
            digest: plan.digest.to_string(),
            kind: plan.kind,
            rolled_back_to: plan.rolled_back_to,
            through_freeze: plan.through_freeze,
            base: plan.base,
            rebased: plan.rebased,
            reason: plan.reason,
            acknowledged: plan.acknowledged,
            by: plan.by,
            at: plan.at,
            changes: ChangesView { added, replaced, deleted, absent },
            passed: plan.passed.map(VerdictView::from),
            failed: plan.failed.map(VerdictView::from),
        }
    }
}

/// Where a generation stands in a ring.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateView {
    state: State,
    /// The generation that is in force there; null if none is.
    head: Option<i64>,
    /// How many live servers the ring has.
    live: i64,
    /// Those that do not report the generation or a later one, a hundred at most.
    laggards: Vec<String>,
}

impl From<StateInRing> for StateView {
    fn from(standing: StateInRing) -> Self {
        Self { state: standing.state, head: standing.head, live: standing.live, laggards: standing.laggards }
    }
}
