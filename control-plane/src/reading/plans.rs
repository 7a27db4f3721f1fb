//! Plans that made generations.

use super::{GroupFound, ReadError, Reading, choose_generation, read_digest, read_version};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;
use zone_model::{Digest, Version};

/// A plan in the history.
#[derive(Clone, Debug)]
pub struct PlanFound {
    /// The generation that it made.
    pub version: Version,
    /// The digest of all that stands at it.
    pub digest: Digest,
    /// When it was admitted.
    pub at: DateTime<Utc>,
    /// Its base.
    pub base: i64,
    /// What it is for: `change`, `rollback`, `raise` or `end-zone`.
    pub kind: String,
    /// For a rollback: the generation whose content it restores.
    pub rolled_back_to: Option<i64>,
    /// Whether it is a rollback that may be enacted through a freeze.
    pub through_freeze: bool,
    /// Whether it landed on a tip above its base.
    pub rebased: bool,
    /// Why, in its author's words.
    pub reason: Option<String>,
    /// The guards that did not apply to it, each with a reason.
    pub acknowledged: Value,
    /// The name of the token that it was posted with.
    pub by: Option<String>,
    /// Record sets that were added, replaced, deleted, and deletes of what was not there.
    pub counts: [i32; 4],
    /// That its generation passed, if it did.
    pub passed: Option<VerdictFound>,
    /// That its generation failed, if it did: for ever, whatever else was found.
    pub failed: Option<VerdictFound>,
}

/// What was found about a generation.
#[derive(Clone, Debug)]
pub struct VerdictFound {
    /// Why.
    pub why: String,
    /// An enactor's name, or a person's.
    pub by: String,
    /// When it was found.
    pub at: DateTime<Utc>,
}

impl VerdictFound {
    fn read(why: Option<String>, by: Option<String>, at: Option<DateTime<Utc>>) -> Option<Self> {
        Some(Self { why: why?, by: by?, at: at? })
    }
}

impl Reading {
    /// The plans of a group by their generations, the newest first, `limit` at most, those below the generation `below`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn plans(&self, group: &GroupFound, below: i64, limit: i64) -> Result<Vec<PlanFound>, ReadError> {
        Ok(read_plans(&self.pool, group.number, below, limit).await?)
    }

    /// The plan that made a generation. It is remembered for long after the generation was retired.
    ///
    /// # Errors
    /// When there is no such generation, or not any more, or the database could not be asked.
    pub async fn plan(&self, group: &GroupFound, generation: i64) -> Result<PlanFound, ReadError> {
        let generation = choose_generation(Some(generation), group.tip, 0)?;
        let plan = read_plan(&self.pool, group.number, generation).await?;
        // Raising the epoch skips numbers.
        plan.ok_or_else(|| match group.floor {
            floor if generation < floor => ReadError::BelowFloor { generation, floor },
            _ => ReadError::NotFound(format!("generation {generation} of the group {}", group.name)),
        })
    }
}

/// The plan that made a generation of the group of this number; none if there is no such generation.
pub(super) async fn read_plan(
    executor: impl PgExecutor<'_>,
    group: i64,
    generation: i64,
) -> Result<Option<PlanFound>, StoreError> {
    let newest = read_plans(executor, group, generation.saturating_add(1), 1).await?;
    Ok(newest.into_iter().next().filter(|plan| plan.version.generation.get() == generation))
}

async fn read_plans(
    executor: impl PgExecutor<'_>,
    group: i64,
    below: i64,
    limit: i64,
) -> Result<Vec<PlanFound>, StoreError> {
    let rows = sqlx::query_file!("queries/reading/list_plans.sql", group, below, limit).fetch_all(executor).await?;
    let mut plans = Vec::with_capacity(rows.len());
    for row in rows {
        plans.push(PlanFound {
            version: read_version(row.generation, &row.id)?,
            digest: read_digest(&row.digest)?,
            at: row.at,
            base: row.base,
            kind: row.kind,
            rolled_back_to: row.rolled_back_to,
            through_freeze: row.through_freeze,
            rebased: row.rebased,
            reason: row.reason,
            acknowledged: row.acknowledged,
            by: row.by,
            counts: [row.added, row.replaced, row.deleted, row.absent],
            passed: VerdictFound::read(row.passed_why, row.passed_by, row.passed_at),
            failed: VerdictFound::read(row.failed_why, row.failed_by, row.failed_at),
        });
    }
    Ok(plans)
}
