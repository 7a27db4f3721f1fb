//! Writing a plan: its rows first, its generation last, under the premise of the decision.

use super::{HistoryStore, ReadHistory, StoreError};
use crate::admission::Submission;
use crate::told;
use move_trace::Move;
use plan_rules::{Admission, Change, RecordSets};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{Content, Id, Key, KeyColumns, Name, Plan, PlanKind, ROW_TYPE_TOUCHED};

/// Rows staged at a time: a tenth of a second or so.
const ROWS_IN_A_BATCH: usize = 20_000;

/// What became of the attempt to write a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the history.
    Admitted,
    /// Somebody took the number since it was decided, or it was decided on what is not there. Nothing was written.
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
    /// Names with a space between; in their text a space is written as `\032`.
    points_to: Vec<Option<String>>,
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
            admission.kind.as_str(),
            through_freeze(admission.kind),
            rolled_back_to(admission.kind),
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            counts[4]
        )
        .fetch_one(&self.pool)
        .await?;
        let staged = StagedPlan(staged.plan);
        let group = read.group.unwrap_or_default();
        // With the plan and not at the door: the loser of a race is judged by them as well.
        let (read_zones, read_owners): (Vec<i64>, Vec<String>) = reads(admission, &read.zones).unzip();
        sqlx::query_file!("queries/admission/stage_reads.sql", staged.0, &read_zones, &read_owners)
            .execute(&self.pool)
            .await?;
        let mut touched = ChangeColumns::default();
        touched.extend_touched(&Write { submission, admission, group, zones: &read.zones, staged: Some(staged) });
        self.stage_batch(staged.0, touched).await?;
        // On two connections, so that this encodes while the database writes, and it writes with two processes.
        let batches = || admission.changes.chunks(ROWS_IN_A_BATCH);
        let even = self.stage_batches(staged.0, batches().step_by(2), group, &read.zones);
        let odd = self.stage_batches(staged.0, batches().skip(1).step_by(2), group, &read.zones);
        tokio::try_join!(even, odd)?;
        Ok(staged)
    }

    async fn stage_batches(
        &self,
        plan: i64,
        batches: impl Iterator<Item = &[Change]>,
        group: i64,
        zones: &BTreeMap<Name, i64>,
    ) -> Result<(), StoreError> {
        for batch in batches {
            let mut rows = ChangeColumns::default();
            rows.extend(batch, group, zones);
            self.stage_batch(plan, rows).await?;
        }
        Ok(())
    }

    async fn stage_batch(&self, plan: i64, rows: ChangeColumns) -> Result<(), StoreError> {
        sqlx::query_file!(
            "queries/admission/stage_changes.sql",
            plan,
            &rows.zones,
            &rows.owners,
            &rows.types,
            &rows.covered,
            &rows.values as &[Option<Vec<u8>>],
            &rows.points_to as &[Option<String>]
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Writes generations, with the rows of those plans that are not staged: all, or none. One call, which commits by
    /// itself: it needs this program no more once it has begun, so a stopped one makes nobody wait.
    ///
    /// # Errors
    /// When the database cannot be asked, or refuses; [`StoreError::is_overtaken`] tells which refusals are races.
    pub async fn write(&self, plans: &[Write<'_>]) -> Result<Written, StoreError> {
        let mut rows = ChangeColumns::default();
        let (mut change_places, mut read_places) = (Vec::new(), Vec::new());
        let (mut read_zones, mut read_owners) = (Vec::new(), Vec::new());
        for (place, plan) in (1_i32..).zip(plans) {
            if plan.staged.is_none() {
                rows.extend_touched(plan);
                rows.extend(&plan.admission.changes, plan.group, plan.zones);
            }
            change_places.resize(rows.zones.len(), place);
            if plan.staged.is_none() {
                for (zone, owner) in reads(plan.admission, plan.zones) {
                    read_places.push(place);
                    read_zones.push(zone);
                    read_owners.push(owner);
                }
            }
        }
        let each = |column: fn(&Write<'_>) -> i64| plans.iter().map(column).collect::<Vec<i64>>();
        let counts: Vec<[i32; 5]> = plans.iter().map(|plan| counts(plan.admission)).collect();
        let count = |place: usize| counts.iter().map(|of_plan| of_plan[place]).collect::<Vec<i32>>();
        let staged: Vec<Option<i64>> = plans.iter().map(|plan| plan.staged.map(|staged| staged.0)).collect();
        let reasons: Vec<Option<String>> = plans.iter().map(|plan| plan.submission.plan.reason.clone()).collect();
        let acknowledged: Vec<_> = plans.iter().map(|plan| acknowledged(&plan.submission.plan)).collect();
        let deltas: Vec<Vec<u8>> = plans.iter().map(|plan| plan.admission.digest_delta.as_bytes().to_vec()).collect();
        let keys = plans.iter().map(|plan| plan.submission.idempotency.as_ref());
        let (keys, hashes): (Vec<Option<String>>, Vec<Option<Vec<u8>>>) =
            keys.map(|key| (key.map(|key| key.key.clone()), key.map(|key| key.body_hash.to_vec()))).unzip();
        let parents = plans
            .iter()
            .map(|plan| plan.admission.parent)
            .map(|id| (id != Id::GENESIS).then(|| id.as_bytes().to_vec()));
        let ids: Vec<Vec<u8>> = plans.iter().map(|plan| plan.admission.version.id.as_bytes().to_vec()).collect();
        let digests: Vec<Vec<u8>> = plans.iter().map(|plan| plan.admission.digest.as_bytes().to_vec()).collect();
        let answers: Vec<Vec<u8>> = plans.iter().map(|plan| plan.admission.answers.as_bytes().to_vec()).collect();
        let kinds: Vec<String> = plans.iter().map(|plan| plan.admission.kind.as_str().to_owned()).collect();
        let told = move_trace::about(|| plans.iter().map(Write::as_move));
        let row = sqlx::query_file!(
            "queries/admission/admit_plans.sql",
            &each(|plan| plan.group),
            &staged as &[Option<i64>],
            &each(|plan| plan.admission.base.get()),
            &each(|plan| plan.submission.token),
            &reasons as &[Option<String>],
            &acknowledged,
            &deltas,
            &kinds,
            &plans.iter().map(|plan| through_freeze(plan.admission.kind)).collect::<Vec<bool>>(),
            &plans.iter().map(|plan| rolled_back_to(plan.admission.kind)).collect::<Vec<_>>() as &[Option<i64>],
            &count(0),
            &count(1),
            &count(2),
            &count(3),
            &count(4),
            &change_places,
            &rows.zones,
            &rows.owners,
            &rows.types,
            &rows.covered,
            &rows.values as &[Option<Vec<u8>>],
            &rows.points_to as &[Option<String>],
            &read_places,
            &read_zones,
            &read_owners,
            &keys as &[Option<String>],
            &hashes as &[Option<Vec<u8>>],
            &each(|plan| plan.admission.version.generation.get()),
            &parents.collect::<Vec<_>>() as &[Option<Vec<u8>>],
            &ids,
            &digests,
            &answers,
            &each(|plan| i64::try_from(plan.admission.deletes_spent).unwrap_or(i64::MAX))
        )
        .fetch_one(&self.pool)
        .await;
        told::ended(told, &row, |row| row.outcome.as_deref() == Some("admitted"));
        match row?.outcome.as_deref() {
            Some("admitted") => Ok(Written::Admitted),
            Some("lost-race") => Ok(Written::LostRace),
            Some("key-known") => Ok(Written::KeyKnown),
            other => Err(StoreError::Damaged(format!("admit ended in {other:?}"))),
        }
    }
}

/// A decided plan, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// As it was posted.
    pub submission: &'a Submission,
    /// As it was decided.
    pub admission: &'a Admission,
    /// The group's number.
    pub group: i64,
    /// The zones' numbers.
    pub zones: &'a BTreeMap<Name, i64>,
    /// Where its rows are already, if they are.
    pub staged: Option<StagedPlan>,
}

impl Write<'_> {
    fn as_move(&self) -> Move {
        let Admission { version, base, kind, .. } = self.admission;
        Move::Admit {
            group: self.submission.plan.group.to_string(),
            base: base.get(),
            to: (*version).into(),
            through_freeze: through_freeze(*kind),
        }
    }
}

impl ChangeColumns {
    fn extend(&mut self, changes: &[Change], group: i64, zones: &BTreeMap<Name, i64>) {
        for change in changes {
            let columns = change.key.to_columns(&change.zone);
            let value = change.content.as_ref().map(Content::to_value);
            let zone = if let Key::Setting(_) = change.key { Some(-group) } else { zones.get(&change.zone).copied() };
            self.push(zone, columns, value);
            if let Some(Content::Records(set)) = &change.content {
                let names: Vec<String> = set.points_to().iter().map(Name::to_string).collect();
                if let (false, Some(last)) = (names.is_empty(), self.points_to.last_mut()) {
                    *last = Some(names.join(" "));
                }
            }
        }
    }

    /// The row that says that the plan changes a zone, for each of its zones: the zone's serial goes by it, and it says how
    /// many record sets stand there then (`migrations/0002_history.sql`). Settings have a zone of their own, with nothing
    /// in it to be counted.
    fn extend_touched(&mut self, plan: &Write<'_>) {
        let changes = plan.admission.changes.iter();
        let zones = changes.map(|change| (!matches!(change.key, Key::Setting(_))).then_some(&change.zone));
        for zone in zones.collect::<BTreeSet<Option<&Name>>>() {
            let columns = KeyColumns { owner: String::new(), rtype: ROW_TYPE_TOUCHED, covered: 0 };
            let number = zone.map_or(Some(-plan.group), |zone| plan.zones.get(zone).copied());
            let record_sets = zone.and_then(|zone| plan.admission.record_sets.get(zone));
            // A staged plan may land on another tip than it was decided on, and then only the difference is right.
            let value = match record_sets {
                Some(RecordSets { after: Some(after), .. }) if plan.staged.is_none() => (b't', after.to_be_bytes()),
                Some(RecordSets { growth, .. }) => (b'd', growth.to_be_bytes()),
                None => (b'd', [0; 8]),
            };
            self.push(number, columns, Some([&[value.0], &value.1[..]].concat()));
        }
    }

    fn push(&mut self, zone: Option<i64>, columns: KeyColumns, value: Option<Vec<u8>>) {
        // No zone has the number 0, so a zone that was not read is refused by the database.
        self.zones.push(zone.unwrap_or_default());
        self.owners.push(columns.owner);
        self.types.push(columns.rtype);
        self.covered.push(columns.covered);
        self.values.push(value);
        self.points_to.push(None);
    }
}

/// What the decision leans on besides the names it changes, as columns; owner `""` is a whole zone.
fn reads(admission: &Admission, zones: &BTreeMap<Name, i64>) -> impl Iterator<Item = (i64, String)> {
    admission.reads.iter().filter_map(|(zone, owner)| {
        let owner = owner.as_ref().map_or(Some(String::new()), |owner| owner.to_lowercase().relative_to(zone))?;
        Some((*zones.get(zone)?, owner))
    })
}

const fn through_freeze(kind: PlanKind) -> bool {
    matches!(kind, PlanKind::Rollback { through_freeze: true, .. })
}

const fn rolled_back_to(kind: PlanKind) -> Option<i64> {
    match kind {
        PlanKind::Rollback { to, .. } => Some(to.get()),
        PlanKind::Change | PlanKind::Raise | PlanKind::EndZone => None,
    }
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
