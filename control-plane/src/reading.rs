//! Reading the history for people and programs: every GET of the API. Nothing here decides or writes.
//!
//! What belongs together is read in one snapshot, or at a generation, which never changes, but may be retired while it is
//! read: so whoever reads at a generation looks afterwards whether the floor has passed it. Whatever is missing from what
//! was read was deleted after the floor had risen, and a floor never falls.

mod acts;
mod differences;
mod events;
mod explain;
mod fleet;
mod groups;
mod name_history;
mod plans;
mod record_sets;
mod rings;
mod settings;
mod states;
mod stops;
mod zones;

pub use acts::ActFound;
pub use differences::Difference;
pub use events::{Event, Happened, Position, Seen, Since, States};
pub use explain::{Explanation, Finding, Gone, Place, RingSeen, ServerStands, Standing, Stands, Step, StopSeen};
pub use fleet::{EnactorSeen, ServerSeen, Serving};
pub use groups::{GroupFound, HeadFound};
pub use name_history::{Before, PlaceInHistory, VersionFound};
pub use plans::{PlanFound, VerdictFound};
pub use record_sets::{KeyInOrder, SetFound};
pub use rings::RingFound;
pub use settings::SettingsFound;
pub use states::{State, StateInRing};
pub use stops::StopFound;
pub use zones::{ZoneFound, ZoneListed};

use crate::store::StoreError;
use sqlx::{PgPool, PgTransaction};
use zone_model::{Digest, Generation, Id, Version};

/// Reads; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reading {
    pool: PgPool,
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no {0}")]
    NotFound(String),
    /// A generation above the tip.
    #[error("generation {generation} is above the tip")]
    FutureGeneration {
        /// What was asked for.
        generation: i64,
        /// The tip.
        tip: Version,
    },
    /// A generation below the floor.
    #[error("generation {generation} is below the floor {floor}")]
    BelowFloor {
        /// What was asked for.
        generation: i64,
        /// The floor.
        floor: i64,
    },
    /// The database could not be asked, or holds what was never written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Reading {
    /// Reads from the database that `pool` connects to.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The version of the database's schema; none before its first migration. Also shows that the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn schema_version(&self) -> Result<Option<i64>, StoreError> {
        // The table is sqlx's own, and not there when queries are checked against a schema that psql applied.
        let version = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
        Ok(version.fetch_one(&self.pool).await?)
    }

    /// That what was just read of a zone at a generation was all there.
    async fn was_whole(&self, zone: i64, generation: i64) -> Result<(), ReadError> {
        let floor = sqlx::query_file_scalar!("queries/reading/floor_of_zone.sql", zone).fetch_one(&self.pool).await?;
        if generation < floor { Err(ReadError::BelowFloor { generation, floor }) } else { Ok(()) }
    }

    /// The same of a group.
    async fn group_was_whole(&self, group: i64, generation: i64) -> Result<(), ReadError> {
        let floor = sqlx::query_file_scalar!("queries/reading/floor_of_group.sql", group).fetch_one(&self.pool).await?;
        if generation < floor { Err(ReadError::BelowFloor { generation, floor }) } else { Ok(()) }
    }

    /// One snapshot for several statements.
    async fn snapshot(&self) -> Result<PgTransaction<'static>, StoreError> {
        Ok(self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?)
    }
}

/// The generation that was asked for, the tip if none was.
fn choose_generation(asked: Option<i64>, tip: Version, floor: i64) -> Result<i64, ReadError> {
    match asked {
        None => Ok(tip.generation.get()),
        Some(generation) if generation > tip.generation.get() => Err(ReadError::FutureGeneration { generation, tip }),
        Some(generation) if generation < floor => Err(ReadError::BelowFloor { generation, floor }),
        Some(generation) => Ok(generation),
    }
}

fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(what.to_string())
}

fn read_version(generation: i64, id: &[u8]) -> Result<Version, StoreError> {
    let id = Id::from_bytes(id).ok_or_else(|| damaged("an id that is not 32 octets"))?;
    Ok(Version { generation: read_generation(generation)?, id })
}

fn read_generation(generation: i64) -> Result<Generation, StoreError> {
    Generation::new(generation).ok_or_else(|| damaged(format_args!("the generation {generation}")))
}

fn read_digest(digest: &[u8]) -> Result<Digest, StoreError> {
    Digest::from_bytes(digest).ok_or_else(|| damaged("a digest that is not 32 octets"))
}
