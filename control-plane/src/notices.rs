//! Notices: hints that something happened, coalesced, on a connection of their own.
//!
//! A NOTIFY inside the transactions that change things would serialise every commit of the database (measured: 6,555
//! commits a second become 2,151). So it is sent afterwards; many events while one is on its way become one more. A
//! lost notice costs a tick, never correctness.

use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A plan was admitted: enactors listen.
pub const ADMITTED: &str = "holdfast_admitted";
/// A head was moved: servers listen.
pub const MOVED: &str = "holdfast_moved";
/// A server reported: whoever waits for `served` listens.
pub const REPORTED: &str = "holdfast_reported";

/// Where notices of one channel are sent from; cheap to clone.
#[derive(Clone, Debug)]
pub struct Notices {
    wanted: Arc<Notify>,
}

impl Notices {
    /// Starts the sender of `channel`, which ends with `shutdown`.
    #[must_use]
    pub fn start(pool: PgPool, channel: &'static str, shutdown: CancellationToken) -> Self {
        let wanted = Arc::new(Notify::new());
        let notices = Self { wanted: Arc::clone(&wanted) };
        tokio::spawn(async move {
            while shutdown.run_until_cancelled(wanted.notified()).await.is_some() {
                if let Err(error) = sqlx::query!("select pg_notify($1, '')", channel).execute(&pool).await {
                    tracing::warn!(channel, %error, "a notice was not sent; the next tick will do");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        });
        notices
    }

    /// Asks for a notice; returns at once.
    pub fn send(&self) {
        self.wanted.notify_one();
    }
}
