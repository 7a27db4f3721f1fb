//! Plans that made generations.

use super::{GroupFound, ReadError, Reading, read_digest, read_version};
use chrono::{DateTime, Utc};
use serde_json::Value;
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
}

impl Reading {
    /// The plans of a group by their generations, the newest first, `limit` at most, those below the generation `below`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn plans(&self, group: &GroupFound, below: i64, limit: i64) -> Result<Vec<PlanFound>, ReadError> {
        let rows = sqlx::query_file!("queries/reading/list_plans.sql", group.number, below, limit)
            .fetch_all(&self.pool)
            .await?;
        let mut plans = Vec::with_capacity(rows.len());
        for row in rows {
            plans.push(PlanFound {
                version: read_version(row.generation, &row.id)?,
                digest: read_digest(&row.digest)?,
                at: row.at,
                base: row.base,
                rebased: row.rebased,
                reason: row.reason,
                acknowledged: row.acknowledged,
                by: row.by,
                counts: [row.added, row.replaced, row.deleted, row.absent],
            });
        }
        Ok(plans)
    }

    /// The plan that made a generation.
    ///
    /// # Errors
    /// When there is no such generation, or the database could not be asked.
    pub async fn plan(&self, group: &GroupFound, generation: i64) -> Result<PlanFound, ReadError> {
        let generation = group.generation(Some(generation))?;
        let newest = self.plans(group, generation.saturating_add(1), 1).await?;
        let plan = newest.into_iter().next().filter(|plan| plan.version.generation.get() == generation);
        // Raising the epoch skips numbers.
        plan.ok_or_else(|| ReadError::NotFound(format!("generation {generation} of the group {}", group.name)))
    }
}
