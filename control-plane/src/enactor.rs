//! The enactor: a loop that takes no orders. Woken by a notice or by a tick, it looks at the whole truth, and moves
//! every head of its ring one step: to the tip, as long as there is one ring.

use crate::notices::{ADMITTED, Notices};
use crate::store::StoreError;
use plan_rules::{Course, Enactment, Head, Known, Next, Outcome, Ring, RingName, Rings};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zone_model::{Generation, GroupName, Id, Version};

/// Looks begin at least this far apart: under a stream of plans one move takes in many.
const LOOKS_APART_MIN: Duration = Duration::from_millis(5);
/// How often an enactor says that it is alive.
const SAYS_ALIVE_EVERY: Duration = Duration::from_secs(1);
/// How long an enactor that came too late last time lets the others go first.
const STANDS_BACK: Duration = Duration::from_millis(30);

/// For how long after a move a notice that brings nothing new is no sign of having come too late: it was for that move.
const STILL_FIRST: Duration = Duration::from_millis(100);

/// One of several equal enactors, without a leader.
#[derive(Debug)]
pub struct Enactor {
    pool: PgPool,
    name: String,
    instance: Uuid,
    ring: String,
    tick: Duration,
    moved: Notices,
}

/// A head that is not where it should be.
#[derive(Clone, Debug)]
struct Behind {
    zone_group: i64,
    group: String,
    head: Option<Version>,
    tip: Version,
}

impl Behind {
    fn course(&self, ring: &RingName) -> Result<Course, StoreError> {
        let group = GroupName::parse(&self.group).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let known = |version: Version| {
            let id = version.id;
            let known = Known {
                id,
                failed: false,
                passed: None,
                answers_passed: false,
                rolled_back: false,
                through_freeze: false,
            };
            (version.generation, known)
        };
        let head = |version| Head { version, age: Duration::ZERO, expected: BTreeSet::new() };
        Ok(Course {
            group,
            generations: [known(self.tip)].into(),
            heads: self.head.map(|version| (ring.clone(), head(version))).into_iter().collect(),
            reports: BTreeMap::new(),
        })
    }
}

impl Enactor {
    /// An enactor of `ring` under a name that people chose. Looks every `tick`, and whenever it is woken.
    #[must_use]
    pub fn new(pool: PgPool, name: String, ring: String, tick: Duration, moved: Notices) -> Self {
        Self { pool, name, instance: Uuid::new_v4(), ring, tick, moved }
    }

    /// Runs until `shutdown`. Whatever fails is tried again: there is no state to be poisoned.
    ///
    /// Of several enactors that hear the same notice one is first, and the others find nothing left to do. Those let it go
    /// first the next time, so that the work is done once; if it is gone, they are a moment later.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut listener = None;
        let (mut stands_back, mut noticed) = (false, false);
        let mut moved_last: Option<Instant> = None;
        let mut said_alive: Option<Instant> = None;
        while !shutdown.is_cancelled() {
            if listener.is_none() {
                listener = self.listen().await;
            }
            let looked = Instant::now();
            if said_alive.is_none_or(|said| said.elapsed() >= SAYS_ALIVE_EVERY) {
                match self.say_alive().await {
                    Ok(()) => said_alive = Some(looked),
                    Err(error) => tracing::warn!(enactor = %self.name, %error, "could not say that it is alive"),
                }
            }
            match self.look_and_move().await {
                Ok(0) if noticed => stands_back = moved_last.is_none_or(|moved| moved.elapsed() > STILL_FIRST),
                Ok(0) => {}
                Ok(_) => (stands_back, moved_last) = (false, Some(Instant::now())),
                Err(error) => {
                    tracing::warn!(enactor = %self.name, %error, "could not enact; the next look tries again");
                }
            }
            let woken = async {
                match &mut listener {
                    Some(listening) => listening.recv().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            noticed = false;
            tokio::select! {
                () = shutdown.cancelled() => break,
                heard = woken => {
                    noticed = heard;
                    if !heard {
                        listener = None;
                    }
                    let from = if stands_back { Instant::now() + STANDS_BACK } else { looked + LOOKS_APART_MIN };
                    tokio::time::sleep_until(from).await;
                }
                () = tokio::time::sleep(self.tick) => {}
            }
        }
        tracing::info!(enactor = %self.name, "stopped");
    }

    async fn listen(&self) -> Option<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await.ok()?;
        listener.listen(ADMITTED).await.ok()?;
        Some(listener)
    }

    /// One look, and again for as long as somebody else moved first. How many heads this enactor moved.
    ///
    /// # Errors
    /// When the database cannot be asked.
    async fn look_and_move(&self) -> Result<usize, StoreError> {
        let mut moved = 0;
        loop {
            let behind = self.heads_behind_their_tip().await?;
            let mut moves = Vec::new();
            let (ring, rings) = self.alone()?;
            for group in behind {
                match Enactment.read(&rings, &group.course(&ring)?, &ring) {
                    Next::Move { version, .. } => moves.push((group, version)),
                    Next::Stop(outcome) => self.tell(&group, outcome),
                    Next::Read | Next::Judge { .. } | Next::Wait(_) => {}
                }
            }
            if moves.is_empty() {
                return Ok(moved);
            }
            let ours = self.write(&moves).await?;
            if !ours.is_empty() {
                self.moved.send();
                moved += ours.len();
            }
            let mut again = false;
            for (group, _) in &moves {
                match Enactment.written(ours.contains(&group.zone_group)) {
                    Next::Stop(outcome) => self.tell(group, outcome),
                    _ => {
                        self.tell(group, Outcome::LostRace);
                        again = true;
                    }
                }
            }
            if !again {
                return Ok(moved);
            }
        }
    }

    /// The ring of this enactor, alone: it proves nothing and waits for nobody.
    fn alone(&self) -> Result<(RingName, Rings), StoreError> {
        let name = RingName::parse(&self.ring).ok_or_else(|| StoreError::Damaged(format!("ring {}", self.ring)))?;
        let ring = Ring { first: true, soak: Duration::ZERO, delay: Duration::ZERO, servers_min: 1 };
        Ok((name.clone(), Rings { rings: [(name, ring)].into(), ..Rings::default() }))
    }

    async fn say_alive(&self) -> Result<(), StoreError> {
        sqlx::query_file!("queries/enactment/say_that_an_enactor_lives.sql", self.name, self.instance)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn heads_behind_their_tip(&self) -> Result<Vec<Behind>, StoreError> {
        let rows = sqlx::query_file!("queries/enactment/read_heads_behind_their_tip.sql", self.ring)
            .fetch_all(&self.pool)
            .await?;
        let mut behind = Vec::with_capacity(rows.len());
        for row in rows {
            let head = match (row.head_generation, row.head_id) {
                (Some(generation), Some(id)) => Some(version(generation, &id)?),
                _ => None,
            };
            let tip = version(row.tip_generation, &row.tip_id)?;
            behind.push(Behind { zone_group: row.zone_group, group: row.name, head, tip });
        }
        Ok(behind)
    }

    async fn write(&self, moves: &[(Behind, Version)]) -> Result<BTreeSet<i64>, StoreError> {
        let groups: Vec<i64> = moves.iter().map(|(group, _)| group.zone_group).collect();
        let generations: Vec<i64> = moves.iter().map(|(_, to)| to.generation.get()).collect();
        let ours = sqlx::query_file!("queries/enactment/move_heads.sql", self.ring, &groups, &generations, self.name)
            .fetch_one(&self.pool)
            .await?;
        Ok(ours.moved.unwrap_or_default().into_iter().collect())
    }

    fn tell(&self, behind: &Behind, outcome: Outcome) {
        let (enactor, group, ring) = (&self.name, &behind.group, &self.ring);
        let generation = behind.tip.generation;
        match outcome {
            Outcome::Refused => {
                tracing::error!(%enactor, %group, %ring, %generation, %outcome, "the head is on a fork");
            }
            Outcome::Superseded => {
                tracing::error!(%enactor, %group, %ring, %generation, %outcome, "the head is above the tip");
            }
            Outcome::Enacted => tracing::info!(%enactor, %group, %ring, %generation, %outcome),
            Outcome::Frozen => tracing::info!(%enactor, %group, %ring, %generation, %outcome),
            Outcome::AlreadyEnacted | Outcome::LostRace => {
                tracing::debug!(%enactor, %group, %ring, %generation, %outcome);
            }
        }
    }
}

fn version(generation: i64, id: &[u8]) -> Result<Version, StoreError> {
    let generation =
        Generation::new(generation).ok_or_else(|| StoreError::Damaged(format!("generation {generation}")))?;
    let id = Id::from_bytes(id).ok_or_else(|| StoreError::Damaged("a generation's id".to_owned()))?;
    Ok(Version { generation, id })
}
