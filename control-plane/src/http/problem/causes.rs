//! From what the rules and the database say to problems. Each source is matched to its last variant.

use super::Problem;
use crate::admission::AdmissionError;
use crate::reading::ReadError;
use crate::store::StoreError;
use plan_rules::{Forbidden, Refusal};

impl From<AdmissionError> for Problem {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Refused(refusal) => refusal.into(),
            AdmissionError::KeyReused => Self::KeyReused,
            AdmissionError::Busy(_) => {
                Self::Busy { message: "other plans of this group were admitted first, again and again" }
            }
            AdmissionError::Store(error) if error.is_history_behind() => Self::HistoryBehind {
                message:
                    "servers report generations that this history does not know; no plan is admitted and no head moves \
                          until an operator raises the epoch"
                        .to_owned(),
            },
            AdmissionError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forbidden(forbidden) => forbidden.into(),
            Refusal::UnknownBase { tip, why } => Self::UnknownBase { tip, message: why },
            Refusal::Retired { generation, floor } => {
                Self::BelowFloor { generation: generation.get(), floor: floor.get() }
            }
            Refusal::StaleBase { tip, conflicts, conflict_count } => Self::StaleBase { tip, conflicts, conflict_count },
            Refusal::Invalid(violations) => Self::InvalidPlan { violations: violations.into() },
            Refusal::Guarded(objections) => Self::GuardRefused { objections },
            Refusal::HistoryFull => Self::HistoryFull,
        }
    }
}

impl From<Forbidden> for Problem {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden { message: forbidden.0 }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound(what) => Self::NotFound { what },
            ReadError::FutureGeneration { generation, tip } => Self::FutureGeneration { generation, tip },
            ReadError::BelowFloor { generation, floor } => Self::BelowFloor { generation, floor },
            ReadError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            StoreError::Damaged(_) | StoreError::Ended => Self::Internal { cause: error.to_string() },
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let cause = error.to_string();
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy { message: "no connection to the database came free in time" },
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::DatabaseAway { cause }
            }
            sqlx::Error::Database(refused) => match refused.code().as_deref() {
                // Statement and lock time-outs: it is there, and has much to do.
                Some("57014" | "55P03") => Self::Busy { message: "the database took too long" },
                // Connection lost, out of connections or room, shutting down, starting up, only reading.
                Some(code) if ["08", "53", "57P", "25006"].iter().any(|class| code.starts_with(class)) => {
                    Self::DatabaseAway { cause }
                }
                _ => Self::Internal { cause },
            },
            _ => Self::Internal { cause },
        }
    }
}
