//! Pins: generations that people hold on to. While one is pinned, its group's floor does not pass it.

use crate::reading::ReadError;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use zone_model::Generation;

/// Sets and takes away pins; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pins {
    pool: PgPool,
}

/// A pin.
#[derive(Clone, Debug)]
pub struct PinFound {
    /// Its number.
    pub pin: i64,
    /// What it holds.
    pub generation: i64,
    /// Why.
    pub why: String,
    /// Who set it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Who acts, for the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The token's number.
    pub token: i64,
    /// The token's name.
    pub name: &'a str,
}

impl Pins {
    /// Pins in the database that `pool` connects to.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The pins of a group in order of their numbers, `limit` at most, after one of them.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn list(&self, group: i64, after: i64, limit: i64) -> Result<Vec<PinFound>, StoreError> {
        Ok(sqlx::query_file_as!(PinFound, "queries/pins/list_pins.sql", group, after, limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Pins a generation. The pin's number.
    ///
    /// # Errors
    /// When there is no such generation, it is below the floor by now, or the database could not be asked.
    pub async fn pin(&self, group: i64, generation: Generation, why: &str, actor: Actor<'_>) -> Result<i64, ReadError> {
        let pinned = sqlx::query_file!(
            "queries/pins/pin_a_generation.sql",
            group,
            generation.get(),
            why,
            actor.token,
            actor.name
        )
        .fetch_one(&self.pool)
        .await;
        match pinned {
            Ok(row) => row.p_pin.ok_or_else(|| StoreError::Damaged("a pin without a number".to_owned()).into()),
            // Raising the epoch skips numbers.
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("23503") => {
                Err(ReadError::NotFound(format!("generation {generation} of the group")))
            }
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("HF009") => {
                let floor: i64 =
                    sqlx::query_file_scalar!("queries/reading/floor_of_group.sql", group).fetch_one(&self.pool).await?;
                Err(ReadError::BelowFloor { generation: generation.get(), floor })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a pin away. The generation that it held; none if there is no such pin.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn unpin(&self, group: i64, pin: i64, why: &str, actor: Actor<'_>) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query_file!("queries/pins/unpin_a_generation.sql", group, pin, why, actor.token, actor.name)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.p_generation)
    }
}
