//! Follows the heads of the ring: a loop that takes no orders. Woken by a hint or by the clock it does the same thing:
//! look at the whole truth, compare, move one step. A lost hint costs a tick, and nothing else.

pub mod build;
mod fetch;
mod hints;
mod report;
mod status;

pub use fetch::FetchError;
pub use status::{GroupRefused, ReplicaStatus};

use crate::snapshot::{Directory, GroupNumber};
use arc_swap::ArcSwap;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zone_model::Version;

/// How long to wait before the first try to reach Postgres again, doubled with every failure.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest wait, so that a database that is back is noticed soon.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Hinted looks begin at least this far apart: under a stream of plans one look takes in many.
const LOOKS_APART_MIN: Duration = Duration::from_millis(5);
/// How long to wait before fetching again what was refused: what is damaged may be repaired, but a load in full is dear.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// The longest such wait, of [`RETRY_COST_FACTOR`] times what the last try took.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// Retries take at most one part in this many of the replica's time.
const RETRY_COST_FACTOR: u32 = 5;

/// Who the server is, towards the history.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name, the same over restarts.
    pub server: String,
    /// This start of it.
    pub instance: Uuid,
    /// The ring whose heads it follows.
    pub ring: String,
    /// Where others may ask it over TCP, if anywhere.
    pub answers_at: Option<SocketAddr>,
}

/// The loop's own view of the world, shared with those who answer and those who report.
#[derive(Debug)]
pub struct Replica {
    /// Who we are.
    pub identity: Identity,
    /// How to reach Postgres.
    pub database: PgConnectOptions,
    /// How long to wait for a hint before looking anyway.
    pub poll_interval: Duration,
    /// What is served.
    pub directory: Arc<ArcSwap<Directory>>,
    /// For `/metrics` and `/health`.
    pub status: Arc<ReplicaStatus>,
    hinted: Notify,
    /// There is something to report.
    news: Notify,
}

impl Replica {
    /// A replica that has seen nothing yet.
    #[must_use]
    pub fn new(
        identity: Identity,
        database: PgConnectOptions,
        poll_interval: Duration,
        directory: Arc<ArcSwap<Directory>>,
    ) -> Self {
        let (hinted, news) = (Notify::new(), Notify::new());
        Self { identity, database, poll_interval, directory, status: Arc::default(), hinted, news }
    }

    /// Follows, reports and listens until told to stop.
    pub async fn run(&self, stop: &CancellationToken) {
        tokio::join!(self.follow(stop), report::run(self, stop), hints::run(self, stop));
    }

    async fn follow(&self, stop: &CancellationToken) {
        let mut waiting = Waiting::default();
        let mut backoff = BACKOFF_MIN;
        while !stop.is_cancelled() {
            let error = match connect(&self.database).await {
                Ok(mut connection) => loop {
                    let looked = tokio::time::Instant::now();
                    let polled = tokio::select! {
                        polled = self.look(&mut connection, &mut waiting) => polled,
                        () = stop.cancelled() => return,
                    };
                    if let Err(error) = polled {
                        break error;
                    }
                    backoff = BACKOFF_MIN;
                    tokio::select! {
                        () = self.hinted.notified() => tokio::time::sleep_until(looked + LOOKS_APART_MIN).await,
                        () = tokio::time::sleep(self.poll_interval) => {}
                        () = stop.cancelled() => return,
                    }
                },
                Err(error) => error,
            };
            self.status.lost(&error);
            tokio::select! {
                () = tokio::time::sleep(backoff) => {}
                () = stop.cancelled() => return,
            }
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// One step: look, build aside, swap once. All that it changes here changes after its last await, so one that is
    /// given up half-way, wherever that is, has done nothing, and the next one works.
    ///
    /// # Errors
    /// Postgres is lost. What is held is served on.
    pub async fn look(&self, connection: &mut PgConnection, waiting: &mut Waiting) -> Result<(), FetchError> {
        let began = Instant::now();
        let held = self.directory.load_full();
        let may_wait = |group, version| waiting.may_wait(group, version, began);
        let polled = fetch::poll(connection, &self.identity.ring, &held, may_wait).await?;
        if !polled.built.is_empty() {
            let mut next = Directory::clone(&held);
            drop(held);
            for built in polled.built {
                let (group, generation) = (built.group.name.clone(), built.group.version.generation.get());
                waiting.installed(built.number);
                self.status.installed(built.number);
                tracing::debug!(group = &*group, generation, "installed");
                next.install(built.number, built.group, built.changed);
            }
            let last = self.directory.swap(Arc::new(next));
            self.news.notify_one();
            drop_aside(last);
        }
        let refused = !polled.refused.is_empty();
        for (group, name, version, why) in polled.refused {
            waiting.refused(group, version, began);
            self.status.refused(group, &name, version, why);
        }
        if refused {
            // A generation on trial fails by it, and the sooner the better.
            self.news.notify_one();
        }
        self.status.polled(polled.heads, &polled.offered, polled.without_head);
        Ok(())
    }
}

/// Refused groups whose next try can wait.
#[derive(Debug, Default)]
pub struct Waiting(HashMap<GroupNumber, (Version, Instant)>);

impl Waiting {
    fn may_wait(&self, group: GroupNumber, version: Version, now: Instant) -> bool {
        self.0.get(&group).is_some_and(|(refused, again)| *refused == version && now < *again)
    }

    fn refused(&mut self, group: GroupNumber, version: Version, began: Instant) {
        let cost = began.elapsed() * RETRY_COST_FACTOR;
        self.0.insert(group, (version, Instant::now() + cost.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)));
    }

    fn installed(&mut self, group: GroupNumber) {
        self.0.remove(&group);
    }
}

/// Frees a snapshot on a thread of its own, once nobody reads it any more: whoever drops it last frees all of it, and
/// that should not be somebody who is about to answer a query.
fn drop_aside(last: Arc<Directory>) {
    const LOOK_EVERY: Duration = Duration::from_millis(1);
    const LOOKS_MAX: u32 = 1_000;
    tokio::task::spawn_blocking(move || {
        let mut looks = 0;
        while Arc::strong_count(&last) > 1 && looks < LOOKS_MAX {
            std::thread::sleep(LOOK_EVERY);
            looks += 1;
        }
        drop(last);
    });
}

async fn connect(database: &PgConnectOptions) -> Result<PgConnection, FetchError> {
    fetch::soon(PgConnection::connect_with(database)).await
}
