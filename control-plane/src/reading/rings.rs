//! Rings.

use super::Reading;
use crate::store::StoreError;

/// A ring that has not ended.
#[derive(Clone, Debug)]
pub struct RingFound {
    /// Its name.
    pub ring: String,
    /// Whether it proves what the others take.
    pub first: bool,
    /// For how many seconds the first ring proves.
    pub soak_s: f64,
    /// How many seconds after the verdict this ring follows.
    pub delay_s: f64,
    /// As few servers as these prove nothing.
    pub servers_min: i32,
}

impl Reading {
    /// All rings that have not ended, the first one first.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn rings(&self) -> Result<Vec<RingFound>, StoreError> {
        Ok(sqlx::query_file_as!(RingFound, "queries/reading/list_rings.sql").fetch_all(&self.pool).await?)
    }
}
