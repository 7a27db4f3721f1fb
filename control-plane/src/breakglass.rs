//! Break-glass: what an operator does straight on the database when API, planner and enactors are dead. The same doors
//! and the same triggers as theirs, so nothing is possible here that would be refused there.
//!
//! The login is the owner's, or one whose rights suffice. What is done says who did it, in the audit log.

mod by_hand;
mod rollback;

pub use rollback::Rollback;

use crate::admission::AdmissionError;
use crate::database::pool;
use crate::reading::{ReadError, Reading};
use crate::store::StoreError;
use move_trace::{Move, Role};
use sqlx::PgPool;
use std::time::Duration;

/// Connections at once: one does all the work, a second lists.
const CONNECTIONS_MAX: u32 = 2;
/// The longest name in the audit log.
const NAME_LENGTH_MAX: usize = 255;

/// The database, and who is at work.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    pool: PgPool,
    by: String,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum BreakGlassError {
    /// There is none of that name or number.
    #[error("there is no {0}")]
    Unknown(String),
    /// A generation that cannot be read: above the tip, or below the floor.
    #[error("{0}")]
    Unreadable(String),
    /// The head is above.
    #[error(
        "the head of {group} in ring {ring} is at generation {head}, and heads never move back: to return to what stood at \
         {asked}, roll back"
    )]
    HeadIsAbove {
        /// The group.
        group: String,
        /// The ring.
        ring: String,
        /// Its head.
        head: i64,
        /// What was asked for.
        asked: i64,
    },
    /// The database refused: a guard of its own, or a right that the login lacks.
    #[error("the database refused ({code}): {message}")]
    Refused {
        /// The SQLSTATE, explained in migrations/README.md.
        code: String,
        /// Its words.
        message: String,
    },
    /// A plan was refused, or could not be admitted.
    #[error("{0}")]
    NotAdmitted(AdmissionError),
    /// The database does not answer, or holds what was never written.
    #[error(transparent)]
    Store(StoreError),
}

impl From<AdmissionError> for BreakGlassError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Store(error) => error.into(),
            other => Self::NotAdmitted(other),
        }
    }
}

impl From<ReadError> for BreakGlassError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::NotFound(what) => Self::Unknown(what),
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl From<StoreError> for BreakGlassError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(sqlx::Error::Database(refusal)) => Self::Refused {
                code: refusal.code().unwrap_or_default().into_owned(),
                message: refusal.message().to_owned(),
            },
            other => Self::Store(other),
        }
    }
}

impl From<sqlx::Error> for BreakGlassError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// What a stop covers, by names that exist.
#[derive(Clone, Debug)]
pub struct Extent {
    group: Option<i64>,
    group_name: Option<String>,
    ring: Option<String>,
}

/// A stop in force.
#[derive(Clone, Debug)]
pub struct StopFound {
    /// Its number.
    pub stop: i64,
    /// `freeze`, `auditor` or `history-behind`.
    pub kind: String,
    /// The group; none for every group.
    pub zone_group: Option<String>,
    /// The ring; none for every ring.
    pub ring: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// How old it is, by the database's clock.
    pub age_ms: i64,
    /// How long until it ends by itself, if it does.
    pub left_ms: Option<i64>,
}

/// What became of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enacted {
    /// Whether it was written just now; else it was there.
    pub moved: bool,
    /// The head afterwards, which enactors that are alive may have moved on.
    pub head: i64,
}

impl BreakGlass {
    /// Looks whether the database answers, and as whom it knows us. `person` is who is at the terminal.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn open(database_url: &str, person: Option<&str>) -> Result<Self, BreakGlassError> {
        let pool = pool(database_url, "holdfast breakglass", CONNECTIONS_MAX)?;
        let login = sqlx::query_file_scalar!("queries/breakglass/session.sql").fetch_one(&pool).await?;
        let by = person.map_or(login.clone(), |person| format!("{person}, as {login}"));
        Ok(Self { pool, by: by.chars().take(NAME_LENGTH_MAX).collect() })
    }

    /// Who the audit log will say it was.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// Reads all that the API would tell.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading::new(self.pool.clone())
    }

    /// The stops in force.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stops(&self) -> Result<Vec<StopFound>, BreakGlassError> {
        Ok(sqlx::query_file_as!(StopFound, "queries/breakglass/stops.sql").fetch_all(&self.pool).await?)
    }

    /// What a stop is to cover: a group or every one, in a ring or every one.
    ///
    /// # Errors
    /// When there is no such group or ring.
    pub async fn extent(&self, group: Option<&str>, ring: Option<&str>) -> Result<Extent, BreakGlassError> {
        let group_name = group.map(str::to_owned);
        let group = match group {
            Some(name) => Some(self.group(name).await?),
            None => None,
        };
        if let Some(ring) = ring {
            self.role_of(ring).await?;
        }
        Ok(Extent { group, group_name, ring: ring.map(str::to_owned) })
    }

    /// Freezes: when it has answered, no move is in flight, and none comes until it is thawed, or `within` is over. The
    /// number of the stop.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn freeze(
        &self,
        extent: &Extent,
        reason: &str,
        within: Option<Duration>,
    ) -> Result<Option<i64>, BreakGlassError> {
        let seconds = within.map(|within| within.as_secs_f64());
        let (group, ring) = (extent.group, extent.ring.as_deref());
        let call = sqlx::query_file!("queries/breakglass/freeze.sql", group, ring, reason, self.by, seconds);
        let told = move_trace::about(|| {
            let (group, ring) = (extent.group_name.clone(), extent.ring.clone());
            [Move::Freeze { group, ring, ends: within.is_some() }]
        });
        let frozen = call.fetch_one(&self.pool).await;
        crate::told::ended(told, &frozen, |_| true);
        Ok(frozen?.stop)
    }

    /// Ends the stops of exactly this extent. How many those were.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn thaw(&self, extent: &Extent, reason: &str) -> Result<i32, BreakGlassError> {
        let (group, ring) = (extent.group, extent.ring.as_deref());
        let call = sqlx::query_file!("queries/breakglass/thaw.sql", group, ring, reason, self.by);
        let told = move_trace::about(|| {
            let (group, ring) = (extent.group_name.clone(), extent.ring.clone());
            [Move::Thaw { group, ring }]
        });
        let thawed = call.fetch_one(&self.pool).await;
        crate::told::ended(told, &thawed, |row| row.thawed > Some(0));
        Ok(thawed?.thawed.unwrap_or_default())
    }

    /// Moves a head. The triggers judge the move: to what failed, has not passed, is frozen or below the floor none goes.
    ///
    /// # Errors
    /// When the head is above, the database refuses, or does not answer.
    pub async fn enact(
        &self,
        group: &str,
        ring: &str,
        generation: i64,
        reason: &str,
    ) -> Result<Enacted, BreakGlassError> {
        let number = self.group(group).await?;
        // A ring that is alone proves nothing to nobody.
        let role = self.role_of(ring).await?;
        let expected = match role {
            Role::First => {
                Some(sqlx::query_file_scalar!("queries/breakglass/live_servers.sql", ring).fetch_all(&self.pool).await?)
            }
            Role::Alone | Role::Later => None,
        };
        let head = self.head(number, ring).await?;
        if let Some(head) = head.filter(|head| *head > generation) {
            let (group, ring) = (group.to_owned(), ring.to_owned());
            return Err(BreakGlassError::HeadIsAbove { group, ring, head, asked: generation });
        }
        let expected = expected.as_deref();
        let enacted = sqlx::query_file!(
            "queries/breakglass/enact_by_hand.sql",
            number,
            ring,
            generation,
            expected,
            reason,
            self.by
        );
        let wished = self.move_of_head(group, (ring, role), head, generation).await;
        let told = move_trace::about(|| wished);
        let enacted = enacted.fetch_one(&self.pool).await;
        crate::told::ended(told, &enacted, |row| row.moved == Some(true));
        let moved = enacted?.moved.unwrap_or_default();
        // A hint; whoever misses it looks within a second.
        let notice = sqlx::query!("select pg_notify($1, '')", crate::notices::MOVED).execute(&self.pool).await;
        if let Err(error) = notice {
            tracing::debug!(%error, "the servers were not told; they look by themselves");
        }
        Ok(Enacted { moved, head: self.head(number, ring).await?.unwrap_or(generation) })
    }

    async fn group(&self, name: &str) -> Result<i64, BreakGlassError> {
        let found = sqlx::query_file!("queries/breakglass/find_group.sql", name).fetch_optional(&self.pool).await?;
        let group = found.filter(|group| group.tip.is_some());
        Ok(group.ok_or_else(|| BreakGlassError::Unknown(format!("group {name}")))?.zone_group)
    }

    async fn head(&self, group: i64, ring: &str) -> Result<Option<i64>, BreakGlassError> {
        Ok(sqlx::query_file_scalar!("queries/breakglass/head.sql", group, ring).fetch_one(&self.pool).await?)
    }

    /// Which of the rings one is.
    async fn role_of(&self, name: &str) -> Result<Role, BreakGlassError> {
        let rings = sqlx::query_file!("queries/breakglass/rings.sql").fetch_all(&self.pool).await?;
        let Some(ring) = rings.iter().find(|ring| ring.ring == name) else {
            let known: Vec<&str> = rings.iter().map(|ring| ring.ring.as_str()).collect();
            return Err(BreakGlassError::Unknown(format!("ring {name}; there are: {}", known.join(", "))));
        };
        Ok(match (ring.first, rings.len()) {
            (true, 1) => Role::Alone,
            (true, _) => Role::First,
            (false, _) => Role::Later,
        })
    }
}
