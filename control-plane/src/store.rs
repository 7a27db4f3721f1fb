//! The history in Postgres: what is read to decide, and what is written under the premise of the decision.

mod read;
mod write;

pub use read::{ReadForRaise, ReadHistory};
pub use write::{StagedPlan, Write, Written};

use sqlx::PgPool;

/// Reads and writes the history; cheap to clone.
#[derive(Clone, Debug)]
pub struct HistoryStore {
    pool: PgPool,
}

/// The database could not be asked, or holds what was never written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, slow, or refused a statement.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row is not what Holdfast writes.
    #[error("the database holds a damaged row: {0}")]
    Damaged(String),
    /// Whoever was to ask has ended; whether it was carried out is not known.
    #[error("the admission ended before its result was known")]
    Ended,
}

impl StoreError {
    /// Whether the database refused a write that the rules had let through, because the world had moved on between
    /// the decision and the write. Told by the refusal's SQLSTATE (`migrations/README.md`).
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        let Self::Database(sqlx::Error::Database(refusal)) = self else { return false };
        // Stale plan, base above the tip, number not next, staged plan given up, number out of order, deletes given back, base below the
        // floor, another parent; deadlock; lock time-out.
        refusal.code().is_some_and(|code| {
            matches!(
                &*code,
                "HF004" | "HF005" | "HF006" | "HF015" | "HF018" | "HF031" | "HF032" | "HF038" | "40P01" | "55P03"
            )
        })
    }

    /// Whether the database keeps a group stopped, because a server reports more than the new epoch is above.
    #[must_use]
    pub fn is_still_behind(&self) -> bool {
        self.has_code("HF024")
    }

    /// Whether the database takes no generation of the group, because servers report what its history does not know.
    #[must_use]
    pub fn is_history_behind(&self) -> bool {
        self.has_code("HF023")
    }

    fn has_code(&self, wanted: &str) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(refusal)) if refusal.code().is_some_and(|code| code == wanted))
    }
}

impl HistoryStore {
    /// A store over a pool of connections.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}
