//! Stops in force: what may not move, and why.

use super::{Reading, damaged};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use plan_rules::StopKind;
use sqlx::{PgExecutor, Postgres};

/// A stop.
#[derive(Clone, Debug)]
pub struct StopFound {
    /// Its number.
    pub number: i64,
    /// Why there is one.
    pub kind: StopKind,
    /// The group; none for every group.
    pub group: Option<String>,
    pub(super) group_number: Option<i64>,
    /// The ring; none for every ring.
    pub ring: Option<String>,
    /// Why, in somebody's words.
    pub reason: String,
    /// Whose words.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// The end that was given, if any.
    pub until: Option<DateTime<Utc>>,
}

impl Reading {
    /// All stops in force, the oldest first.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn stops(&self) -> Result<Vec<StopFound>, StoreError> {
        stops_on(&self.pool, None).await
    }
}

/// The stops in force that lie on these groups, those on every group among them.
pub(super) async fn stops_on<'e>(
    executor: impl PgExecutor<'e, Database = Postgres>,
    groups: Option<&[i64]>,
) -> Result<Vec<StopFound>, StoreError> {
    let rows = sqlx::query_file!("queries/reading/stops_in_force.sql", groups).fetch_all(executor).await?;
    let mut stops = Vec::with_capacity(rows.len());
    for row in rows {
        let kind = StopKind::parse(&row.kind);
        stops.push(StopFound {
            number: row.stop,
            kind: kind.ok_or_else(|| damaged(format_args!("a stop of the kind {}", row.kind)))?,
            group: row.group_name,
            group_number: row.zone_group,
            ring: row.ring,
            reason: row.reason,
            by: row.by,
            at: row.at,
            until: row.until,
        });
    }
    Ok(stops)
}
