//! The audit log: acts of tokens and logins that are no plans.

use super::Reading;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Something that was done.
#[derive(Clone, Debug)]
pub struct ActFound {
    /// Its number; later ones are greater, as a rule.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether through the API; else with a login of the database.
    pub by_token: bool,
    /// The token's name, or the login's.
    pub by: String,
    /// What, as a verb.
    pub act: String,
    /// On what, and why.
    pub detail: Value,
    /// The group that it was done to, if it was one.
    pub group: Option<String>,
}

impl Reading {
    /// Acts (on one group, of one kind, if any are named), the newest first, `limit` at most, those below the number
    /// `below`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn acts(
        &self,
        (group, act): (Option<&str>, Option<&str>),
        below: i64,
        limit: i64,
    ) -> Result<Vec<ActFound>, StoreError> {
        let rows =
            sqlx::query_file!("queries/reading/list_acts.sql", group, act, below, limit).fetch_all(&self.pool).await?;
        let acts = rows.into_iter().map(|row| ActFound {
            number: row.audit,
            at: row.at,
            by_token: row.by_token,
            by: row.by,
            act: row.act,
            detail: row.detail,
            group: row.group_name,
        });
        Ok(acts.collect())
    }
}
