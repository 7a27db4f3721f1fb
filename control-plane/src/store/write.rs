//! Writing a plan: its rows first, its generation last, under the premise of the decision.

use super::{HistoryStore, ReadHistory, StoreError};
use crate::admission::Submission;
use plan_rules::{Admission, Change};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{Name, Plan, ROW_TYPE_TOUCHED};

/// Plans of more rows are staged in batches, so that no transaction is long and a lost race does not write them again.
const ROWS_IN_ONE_CALL_MAX: usize = 4_000;
/// Rows staged at a time: a tenth of a second or so.
const ROWS_IN_A_BATCH: usize = 20_000;

/// What became of the attempt to write a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the history.
    Admitted,
    /// Somebody took the number since it was decided. Nothing was written.
    LostRace,
    /// The idempotency key has its result already. Nothing was written.
    KeyKnown,
}

/// A plan whose rows are in the database, where nobody sees them until a generation names the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagedPlan(pub i64);

/// A plan's rows as columns.
#[derive(Default)]
struct ChangeColumns {
    zones: Vec<i64>,
    owners: Vec<String>,
    types: Vec<i32>,
    covered: Vec<i32>,
    values: Vec<Option<Vec<u8>>>,
}

impl HistoryStore {
    /// Begins the group and the zones that the plan begins, so that they have numbers. Whether they became the plan's
    /// is for the next read to tell.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn begin(&self, plan: &Plan, zones: &[Name]) -> Result<(), StoreError> {
        let names: Vec<String> = zones.iter().map(|zone| zone.to_lowercase().to_string()).collect();
        sqlx::query_file!("queries/admission/begin_a_group_and_zones.sql", plan.group.as_str(), &names)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether the plan is so large that it is staged before it is admitted.
    #[must_use]
    pub fn is_staged_first(admission: &Admission) -> bool {
        admission.changes.len() > ROWS_IN_ONE_CALL_MAX
    }

    /// Writes a large plan's rows, in batches; they have no effect yet.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn stage(
        &self,
        submission: &Submission,
        admission: &Admission,
        read: &ReadHistory,
    ) -> Result<StagedPlan, StoreError> {
        let counts = counts(admission);
        let staged = sqlx::query_file!(
            "queries/admission/stage_a_plan.sql",
            read.group.unwrap_or_default(),
            admission.base.get(),
            submission.token,
            submission.plan.reason.as_deref(),
            acknowledged(&submission.plan),
            &admission.digest_delta.as_bytes()[..],
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            counts[4]
        )
        .fetch_one(&self.pool)
        .await?;
        let touched = touched_rows(admission.changes.iter(), read);
        self.stage_batch(staged.plan, touched).await?;
        for batch in admission.changes.chunks(ROWS_IN_A_BATCH) {
            let mut columns = ChangeColumns::default();
            columns.extend(batch.iter(), &read.zones);
            self.stage_batch(staged.plan, columns).await?;
        }
        Ok(StagedPlan(staged.plan))
    }

    async fn stage_batch(&self, plan: i64, rows: ChangeColumns) -> Result<(), StoreError> {
        sqlx::query_file!(
            "queries/admission/stage_changes.sql",
            plan,
            &rows.zones,
            &rows.owners,
            &rows.types,
            &rows.covered,
            &rows.values as &[Option<Vec<u8>>]
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Writes the generation, with the plan's rows unless they are staged. One call, which commits by itself: it needs
    /// this program no more once it has begun, so a stopped one makes nobody wait.
    ///
    /// # Errors
    /// When the database cannot be asked, or refuses; [`StoreError::is_overtaken`] tells which refusals are races.
    pub async fn write(
        &self,
        submission: &Submission,
        admission: &Admission,
        read: &ReadHistory,
        staged: Option<StagedPlan>,
    ) -> Result<Written, StoreError> {
        let mut rows = ChangeColumns::default();
        if staged.is_none() {
            rows = touched_rows(admission.changes.iter(), read);
            rows.extend(admission.changes.iter(), &read.zones);
        }
        let (read_zones, read_owners) = reads(admission, read);
        let key = submission.idempotency.as_ref();
        let row = sqlx::query_file!(
            "queries/admission/admit_a_plan.sql",
            read.group.unwrap_or_default(),
            staged.map(|plan| plan.0),
            admission.base.get(),
            submission.token,
            submission.plan.reason.as_deref(),
            acknowledged(&submission.plan),
            &admission.digest_delta.as_bytes()[..],
            &counts(admission)[..],
            &rows.zones,
            &rows.owners,
            &rows.types,
            &rows.covered,
            &rows.values as &[Option<Vec<u8>>],
            &read_zones,
            &read_owners,
            key.map(|key| key.key.as_str()),
            key.map(|key| &key.body_hash[..]),
            admission.version.generation.get(),
            &admission.version.id.as_bytes()[..],
            &admission.digest.as_bytes()[..]
        )
        .fetch_one(&self.pool)
        .await?;
        match row.outcome.as_deref() {
            Some("admitted") => Ok(Written::Admitted),
            Some("lost-race") => Ok(Written::LostRace),
            Some("key-known") => Ok(Written::KeyKnown),
            other => Err(StoreError::Damaged(format!("admit ended in {other:?}"))),
        }
    }
}

impl ChangeColumns {
    fn extend<'a>(&mut self, changes: impl Iterator<Item = &'a Change>, zones: &BTreeMap<Name, i64>) {
        for change in changes {
            let columns = change.key.to_columns(&change.zone);
            self.zones.push(zones.get(&change.zone).copied().unwrap_or_default());
            self.owners.push(columns.owner);
            self.types.push(columns.rtype);
            self.covered.push(columns.covered);
            self.values.push(change.content.as_ref().map(zone_model::Content::to_value));
        }
    }
}

/// The row that says that a plan changes a zone, for each of its zones: the zone's serial goes by it.
fn touched_rows<'a>(changes: impl Iterator<Item = &'a Change>, read: &ReadHistory) -> ChangeColumns {
    let mut rows = ChangeColumns::default();
    let zones: BTreeSet<&Name> = changes.map(|change| &change.zone).collect();
    for zone in zones {
        rows.zones.push(read.zones.get(zone).copied().unwrap_or_default());
        rows.owners.push(String::new());
        rows.types.push(ROW_TYPE_TOUCHED);
        rows.covered.push(0);
        rows.values.push(Some(vec![1]));
    }
    rows
}

fn reads(admission: &Admission, read: &ReadHistory) -> (Vec<i64>, Vec<String>) {
    let numbered = admission.reads.iter().filter_map(|(zone, owner)| {
        let number = read.zones.get(zone).copied()?;
        let owner = owner.as_ref().map_or(Some(String::new()), |owner| owner.to_lowercase().relative_to(zone))?;
        Some((number, owner))
    });
    numbered.unzip()
}

/// In the order of the procedure `admit`: changes, added, replaced, deleted, absent.
fn counts(admission: &Admission) -> [i32; 5] {
    let column = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let counts = admission.counts;
    let changes = u32::try_from(admission.changes.len()).unwrap_or(u32::MAX);
    [changes, counts.added, counts.replaced, counts.deleted, counts.absent].map(column)
}

fn acknowledged(plan: &Plan) -> serde_json::Value {
    plan.acknowledged
        .iter()
        .map(|(guard, reason)| serde_json::json!({ "guard": guard.as_str(), "reason": reason }))
        .collect()
}
