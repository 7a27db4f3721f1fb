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
use move_trace::Move;
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
/// After a look that took in more than one generation a hint waits for this many times as long as that look took: under a
/// stream of plans one install takes in many. A plan alone waits for nobody.
const RESTS: u32 = 3;
/// The longest such rest.
const REST_MAX: Duration = Duration::from_millis(50);
/// How long a server that starts from disk waits for what the database has, before it serves what was on disk.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(1);
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

    /// Begins to serve what was found on disk. It may be some seconds older than what this server has served before, so what
    /// the database has is taken in first, if it is there and quick.
    pub async fn begin_with(&self, found: Directory) {
        if !found.is_loaded() {
            return;
        }
        let found = Arc::new(found);
        let looked = tokio::time::timeout(CATCH_UP_WITHIN, async {
            let mut connection = connect(&self.database).await?;
            self.look_from(found.clone(), &mut connection, &mut Waiting::default()).await
        });
        let why = match looked.await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                self.status.lost(&error);
                Some(error.to_string())
            }
            // Whether anybody has something newer is not known then, and found out by whoever follows.
            Err(_) => Some("it takes long".to_owned()),
        };
        if let Some(why) = why {
            tracing::warn!(why, "serving what is on disk, without the database");
        }
        // Unless what was built upon it is served already.
        if !self.directory.load().is_loaded() {
            self.directory.store(found);
            self.news.notify_one();
        }
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
                    let took_in = match polled {
                        Ok(took_in) => took_in,
                        Err(error) => break error,
                    };
                    backoff = BACKOFF_MIN;
                    let rest = if took_in > 1 { (looked.elapsed() * RESTS).min(REST_MAX) } else { Duration::ZERO };
                    let rested = (looked + LOOKS_APART_MIN).max(tokio::time::Instant::now() + rest);
                    tokio::select! {
                        () = self.hinted.notified() => tokio::time::sleep_until(rested).await,
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
    /// given up half-way, wherever that is, has done nothing, and the next one works. Returns how many generations were
    /// taken in, over all groups.
    ///
    /// # Errors
    /// Postgres is lost. What is held is served on.
    pub async fn look(&self, connection: &mut PgConnection, waiting: &mut Waiting) -> Result<u64, FetchError> {
        self.look_from(self.directory.load_full(), connection, waiting).await
    }

    /// The same, on top of what is not served yet.
    async fn look_from(
        &self,
        held: Arc<Directory>,
        connection: &mut PgConnection,
        waiting: &mut Waiting,
    ) -> Result<u64, FetchError> {
        let began = Instant::now();
        let may_wait = |group, version| waiting.may_wait(group, version, began);
        let polled = fetch::poll(connection, &self.identity.ring, &held, may_wait).await?;
        let mut took_in = 0_u64;
        if !polled.built.is_empty() {
            let mut next = Directory::clone(&held);
            let mut installs = Vec::new();
            for built in polled.built {
                let (group, generation) = (built.group.name.clone(), built.group.version.generation.get());
                let before = held.group(built.number).map(|group| group.version.generation.get());
                took_in = took_in.saturating_add(before.map_or(1, |before| generation.abs_diff(before)));
                waiting.installed(built.number);
                self.status.installed(built.number);
                tracing::debug!(group = &*group, generation, "installed");
                if move_trace::is_on() {
                    let from = next.group(built.number).map(|held| held.version.into());
                    let (group, ring) = (group.to_string(), self.identity.ring.clone());
                    installs.push(Move::Install { group, ring, from, to: built.group.version.into() });
                }
                next.install(built.number, built.group, built.changed);
            }
            drop(held);
            let last = self.directory.swap(Arc::new(next));
            // Nothing is told before: what a killed server held is gone with it.
            move_trace::done(|| installs);
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
        self.status.polled((began, polled.heads), &polled.offered, polled.without_head);
        Ok(took_in)
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
