//! Listens for hints that a head has moved. Behind a pooler or on a standby there are none, and the tick does it alone.

use super::{BACKOFF_MIN, Replica};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The channel on which moves are announced. What an announcement says is not looked at.
const CHANNEL: &str = "holdfast_moved";
/// The longest wait before trying to listen again. Nothing but a tick's time is lost meanwhile.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

pub(super) async fn run(replica: &Replica, stop: &CancellationToken) {
    let mut backoff = BACKOFF_MIN;
    while !stop.is_cancelled() {
        let listened = tokio::select! {
            listened = listen(replica, &mut backoff) => listened,
            () = stop.cancelled() => return,
        };
        if let Err(error) = listened {
            tracing::debug!(%error, "no hints; the tick goes on");
        }
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            () = stop.cancelled() => return,
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

async fn listen(replica: &Replica, backoff: &mut Duration) -> sqlx::Result<()> {
    let options = replica.database.clone().disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(3));
    let pool = pool.connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    *backoff = BACKOFF_MIN;
    // What was announced before listening began has to be looked for.
    replica.hinted.notify_one();
    // None: the connection is lost, and so may be hints.
    while listener.try_recv().await?.is_some() {
        replica.hinted.notify_one();
    }
    Ok(())
}
