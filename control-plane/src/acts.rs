//! Operators' acts that are no plans: freeze and thaw, rings, failed generations, forgotten servers. Each is one call of a
//! door of the database, which writes the audit log in the same transaction and commits by itself.

use crate::store::StoreError;
use crate::tokens::Caller;
use crate::told;
use chrono::{DateTime, Utc};
use move_trace::Move;
use plan_rules::RingName;
use sqlx::PgPool;
use zone_model::GroupName;

/// Carries acts out; cheap to clone.
#[derive(Clone, Debug)]
pub struct Acts {
    pool: PgPool,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such group, ring or server.
    #[error("there is no {0}")]
    NotFound(String),
    /// The database does not take it, in its words.
    #[error("{0}")]
    Refused(String),
    /// The database could not be asked, or holds what was never written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be stopped, or to go on: one group or every group, in one ring or every ring.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// The group; none for every group.
    pub group: Option<GroupName>,
    /// The ring; none for every ring.
    pub ring: Option<RingName>,
}

impl Extent {
    fn names(&self) -> (Option<String>, Option<String>) {
        (self.group.as_ref().map(ToString::to_string), self.ring.as_ref().map(ToString::to_string))
    }
}

/// What a ring shall be. What is not given stays as it is, or as it is for a new ring.
#[derive(Clone, Debug)]
pub struct RingWish {
    /// Its name.
    pub ring: RingName,
    /// Whether it proves what the others take.
    pub first: Option<bool>,
    /// For how many seconds the first ring proves.
    pub soak_s: Option<f64>,
    /// How many seconds after the verdict this ring follows.
    pub delay_s: Option<f64>,
    /// As few servers as these prove nothing.
    pub servers_min: Option<i32>,
}

impl Acts {
    /// Acts on the database that `pool` connects to.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Freezes, until it is thawed or until `until`, by the database's clock. When this is done, no move is in flight.
    ///
    /// # Errors
    /// When there is no such group or ring, `until` is over, or the database could not be asked.
    pub async fn freeze(
        &self,
        of: &Extent,
        reason: &str,
        until: Option<DateTime<Utc>>,
        caller: &Caller,
    ) -> Result<(), ActError> {
        let group = self.number_of(of.group.as_ref()).await?;
        let ring = of.ring.as_ref().map(RingName::as_str);
        let call =
            sqlx::query_file!("queries/acts/freeze.sql", group, ring, reason, caller.token, until, &*caller.name);
        let told = move_trace::about(|| {
            let (group, ring) = of.names();
            [Move::Freeze { group, ring, ends: until.is_some() }]
        });
        let frozen = call.fetch_one(&self.pool).await;
        told::ended(told, &frozen, |_| true);
        frozen.map_err(refused)?;
        Ok(())
    }

    /// Ends the stops of exactly this extent; says how many. A history that is still behind stays stopped.
    ///
    /// # Errors
    /// When there is no such group, or the database could not be asked.
    pub async fn thaw(&self, of: &Extent, reason: &str, caller: &Caller) -> Result<u32, ActError> {
        let group = self.number_of(of.group.as_ref()).await?;
        let ring = of.ring.as_ref().map(RingName::as_str);
        let call = sqlx::query_file!("queries/acts/thaw.sql", group, ring, reason, caller.token, &*caller.name);
        let told = move_trace::about(|| {
            let (group, ring) = of.names();
            [Move::Thaw { group, ring }]
        });
        let row = call.fetch_one(&self.pool).await;
        told::ended(told, &row, |row| row.thawed > Some(0));
        Ok(row.map_err(refused)?.thawed.and_then(|thawed| u32::try_from(thawed).ok()).unwrap_or_default())
    }

    /// Adds a ring, or changes one.
    ///
    /// # Errors
    /// When the rings would not have exactly one first, or the database could not be asked.
    pub async fn set_ring(&self, wish: &RingWish, reason: Option<&str>, caller: &Caller) -> Result<(), ActError> {
        let call = sqlx::query_file!(
            "queries/acts/set_ring.sql",
            wish.ring.as_str(),
            wish.first,
            wish.soak_s,
            wish.delay_s,
            wish.servers_min,
            reason,
            caller.token,
            &*caller.name
        );
        call.execute(&self.pool).await.map_err(refused)?;
        Ok(())
    }

    /// Ends a ring.
    ///
    /// # Errors
    /// When there is none, the others would have no first, or the database could not be asked.
    pub async fn end_ring(&self, ring: &RingName, reason: Option<&str>, caller: &Caller) -> Result<(), ActError> {
        let call = sqlx::query_file!("queries/acts/end_ring.sql", ring.as_str(), reason, caller.token, &*caller.name);
        let told = move_trace::about(|| [Move::EndRing { ring: ring.to_string() }]);
        let ended = call.execute(&self.pool).await;
        told::ended(told, &ended, |_| true);
        ended.map_err(refused)?;
        Ok(())
    }

    /// Says that a generation, which exists, failed: no head moves to it from now on.
    ///
    /// # Errors
    /// When there is no such group, or the database could not be asked.
    pub async fn fail(
        &self,
        group: &GroupName,
        generation: i64,
        reason: &str,
        caller: &Caller,
    ) -> Result<(), ActError> {
        let number = self.number_of(Some(group)).await?;
        let call = sqlx::query_file!("queries/acts/fail.sql", number, generation, reason, caller.token, &*caller.name);
        let told = move_trace::about(|| [Move::Judge { group: group.to_string(), generation, passed: false }]);
        let failed = call.execute(&self.pool).await;
        told::ended(told, &failed, |_| true);
        failed.map_err(refused)?;
        Ok(())
    }

    /// No move waits for this server any longer, and what it reported stops nothing. It counts again if it is live at a
    /// later move.
    ///
    /// # Errors
    /// When there is none of the name, or the database could not be asked.
    pub async fn forget_server(&self, server: &str, reason: &str, caller: &Caller) -> Result<(), ActError> {
        let call = sqlx::query_file!("queries/acts/forget_server.sql", server, reason, caller.token, &*caller.name);
        call.execute(&self.pool).await.map_err(refused)?;
        Ok(())
    }

    async fn number_of(&self, group: Option<&GroupName>) -> Result<Option<i64>, ActError> {
        let Some(group) = group else { return Ok(None) };
        let found = sqlx::query_file_scalar!("queries/acts/find_group_number.sql", group.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::from)?;
        found.map(Some).ok_or_else(|| ActError::NotFound(format!("group {group}")))
    }
}

/// Refusals of the doors by their SQLSTATE (`migrations/README.md`). All else is trouble.
fn refused(error: sqlx::Error) -> ActError {
    let sqlx::Error::Database(refusal) = &error else { return ActError::Store(error.into()) };
    match refusal.code().as_deref() {
        // Over already; rings without exactly one first, or one that comes back while it has moves.
        Some("HF021" | "HF028") => ActError::Refused(refusal.message().to_owned()),
        // A ring that does not exist; or a server, or one that has ended.
        Some("23503") => ActError::NotFound("ring of this name".to_owned()),
        Some("HF029") => ActError::NotFound(refusal.message().trim_start_matches("there is no ").to_owned()),
        _ => ActError::Store(error.into()),
    }
}
