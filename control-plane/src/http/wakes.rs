//! One listener for all who wait: a notice says no more than "look again".

use crate::notices::{MOVED, REPORTED};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where waiters subscribe; cheap to clone. It listens from the first subscription on.
#[derive(Clone, Debug)]
pub(crate) struct Wakes {
    pool: PgPool,
    shutdown: CancellationToken,
    sender: Arc<watch::Sender<()>>,
    started: Arc<Once>,
}

/// One waiter's ear.
pub(crate) struct Wake(watch::Receiver<()>);

impl Wakes {
    pub(crate) fn new(pool: PgPool, shutdown: CancellationToken) -> Self {
        Self { pool, shutdown, sender: Arc::new(watch::Sender::new(())), started: Arc::new(Once::new()) }
    }

    pub(crate) fn subscribe(&self) -> Wake {
        self.started.call_once(|| {
            let (pool, sender) = (self.pool.clone(), Arc::clone(&self.sender));
            let shutdown = self.shutdown.clone();
            tokio::spawn(async move { shutdown.run_until_cancelled(listen_again_and_again(&pool, &sender)).await });
        });
        Wake(self.sender.subscribe())
    }
}

impl Wake {
    /// Until the next notice, many of which may be one.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // The sender lives as long as the API; without it only the tick is left.
            std::future::pending::<()>().await;
        }
    }
}

async fn listen_again_and_again(pool: &PgPool, sender: &watch::Sender<()>) {
    loop {
        if let Err(error) = listen(pool, sender).await {
            tracing::warn!(%error, "cannot listen for notices; ticks will do until then");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn listen(pool: &PgPool, sender: &watch::Sender<()>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([MOVED, REPORTED]).await?;
    loop {
        // None: the connection was lost, and notices with it. That is a reason to look as well.
        let lost = listener.try_recv().await?.is_none();
        sender.send_replace(());
        if lost {
            return Ok(());
        }
    }
}
