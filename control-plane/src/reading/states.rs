//! Where a generation stands: admitted, enacted, served, superseded.

use super::Reading;
use crate::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{GroupName, Version};

/// Where a generation stands in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = State)]
pub enum State {
    /// In the history, and above the ring's head.
    Admitted,
    /// The ring's head, and not reported by all live servers yet.
    Enacted,
    /// The ring's head, and reported by every live server, at least one.
    Served,
    /// Below the ring's head: a later generation is in force.
    Superseded,
}

/// Where a generation stands in one ring, and who lags behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateInRing {
    /// The ring.
    pub ring: String,
    /// In a word.
    pub state: State,
    /// How many live servers the ring has.
    pub live: i64,
    /// Those that do not report the generation or a later one, a hundred at most.
    pub laggards: Vec<String>,
}

impl Reading {
    /// The ring of this name; without one, the last that is not delayed on purpose. None if there is none.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn ring(&self, name: Option<&str>) -> Result<Option<String>, StoreError> {
        // A name with a NUL would be an error to Postgres, and is no ring's.
        if name.is_some_and(|name| name.contains('\0')) {
            return Ok(None);
        }
        Ok(sqlx::query_file_scalar!("queries/reading/choose_ring.sql", name).fetch_optional(&self.pool).await?)
    }

    /// Where a generation stands in a ring.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn state_in_ring(
        &self,
        group: &GroupName,
        version: Version,
        ring: &str,
    ) -> Result<StateInRing, StoreError> {
        let states = self.states(group, version, Some(ring)).await?;
        let nowhere = || StateInRing { ring: ring.to_owned(), state: State::Admitted, live: 0, laggards: Vec::new() };
        Ok(states.into_iter().next().unwrap_or_else(nowhere))
    }

    /// Where a generation stands in every ring.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn states_by_ring(&self, group: &GroupName, version: Version) -> Result<Vec<StateInRing>, StoreError> {
        self.states(group, version, None).await
    }

    async fn states(
        &self,
        group: &GroupName,
        version: Version,
        ring: Option<&str>,
    ) -> Result<Vec<StateInRing>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/reading/states_by_ring.sql",
            group.as_str(),
            version.generation.get(),
            &version.id.as_bytes()[..],
            ring
        )
        .fetch_all(&self.pool)
        .await?;
        let of_ring = |(ring, head, live, laggards): (String, Option<i64>, i64, Vec<String>)| {
            let all_serve = live > 0 && laggards.is_empty();
            let state = state(head, version.generation.get(), all_serve);
            StateInRing { ring, state, live, laggards }
        };
        Ok(rows.into_iter().map(|row| of_ring((row.ring, row.head, row.live, row.laggards))).collect())
    }
}

fn state(head: Option<i64>, generation: i64, all_serve: bool) -> State {
    match head {
        Some(head) if head > generation => State::Superseded,
        Some(head) if head == generation && all_serve => State::Served,
        Some(head) if head == generation => State::Enacted,
        _ => State::Admitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_from_head_and_reports() {
        assert_eq!(state(None, 5, true), State::Admitted);
        assert_eq!(state(Some(4), 5, true), State::Admitted);
        assert_eq!(state(Some(5), 5, false), State::Enacted);
        assert_eq!(state(Some(5), 5, true), State::Served);
        assert_eq!(state(Some(6), 5, true), State::Superseded);
    }
}
