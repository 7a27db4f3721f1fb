//! Where a generation stands: admitted, enacted, served, superseded, failed.

use super::Reading;
use crate::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{GroupName, Version};

use super::PlanFound;

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
    /// Found to be bad, for ever: no head moves there any more. A ring whose head it is stays until it moves on.
    Failed,
}

/// Where a generation stands in one ring, and who lags behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateInRing {
    /// The ring.
    pub ring: String,
    /// In a word.
    pub state: State,
    /// The generation in force there.
    pub head: Option<i64>,
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
        let states = self.states(group, Some(version), Some(ring)).await?;
        let (state, laggards) = (State::Admitted, Vec::new());
        let nowhere = || StateInRing { ring: ring.to_owned(), state, head: None, live: 0, laggards };
        Ok(states.into_iter().next().unwrap_or_else(nowhere))
    }

    /// Where a generation stands in every ring.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn states_by_ring(&self, group: &GroupName, version: Version) -> Result<Vec<StateInRing>, StoreError> {
        self.states(group, Some(version), None).await
    }

    /// How the head of every ring stands.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn heads_by_ring(&self, group: &GroupName) -> Result<Vec<StateInRing>, StoreError> {
        self.states(group, None, None).await
    }

    async fn states(
        &self,
        group: &GroupName,
        version: Option<Version>,
        ring: Option<&str>,
    ) -> Result<Vec<StateInRing>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/reading/states_by_ring.sql",
            group.as_str(),
            version.map(|version| version.generation.get()),
            version.as_ref().map(|version| &version.id.as_bytes()[..]),
            ring
        )
        .fetch_all(&self.pool)
        .await?;
        let states = rows.into_iter().map(|row| {
            let all_serve = row.live > 0 && row.laggards.is_empty();
            let generation = version.map(|version| version.generation.get()).or(row.head);
            let state = generation.map_or(State::Admitted, |of| state(row.head, of, all_serve, row.failed));
            StateInRing { ring: row.ring, state, head: row.head, live: row.live, laggards: row.laggards }
        });
        Ok(states.collect())
    }
}

impl StateInRing {
    /// Where a plan's generation stands in this ring, whose head is in the state that this tells.
    #[must_use]
    pub fn of_plan(&self, plan: &PlanFound) -> State {
        state(self.head, plan.version.generation.get(), self.state == State::Served, plan.failed.is_some())
    }
}

fn state(head: Option<i64>, generation: i64, all_serve: bool, failed: bool) -> State {
    match head {
        _ if failed => State::Failed,
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
        assert_eq!(state(None, 5, true, false), State::Admitted);
        assert_eq!(state(Some(4), 5, true, false), State::Admitted);
        assert_eq!(state(Some(5), 5, false, false), State::Enacted);
        assert_eq!(state(Some(5), 5, true, false), State::Served);
        assert_eq!(state(Some(6), 5, true, false), State::Superseded);
        for head in [None, Some(4), Some(5), Some(6)] {
            assert_eq!(state(head, 5, true, true), State::Failed);
        }
    }
}
