//! The enactor: a loop that takes no orders. Woken by a notice or by a tick, it looks at the whole truth, asks the rules
//! about every head of every ring, and moves each one step.
//!
//! Reading and writing are apart, and anything may happen in between: the writes go through doors that judge again.

mod doors;
mod look;
mod steps;
mod telling;

pub use look::{Look, OpenGroup};

use crate::notices::{ADMITTED, Notices};
use crate::store::StoreError;
use doors::Written;
use plan_rules::{Enactment, LIVE_FOR, Next, Outcome};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::time::Duration;
use steps::{Move, Steps, Verdict};
use telling::Telling;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Looks begin at least this far apart: under a stream of plans one move takes in many.
const LOOKS_APART_MIN: Duration = Duration::from_millis(5);
/// After a look that took in more than one plan a notice waits for this many times as long as that look and its moves took:
/// under a stream of plans the database is left to those who post them, and each move takes in more. A plan alone waits for
/// nobody.
const RESTS: u32 = 3;
/// The longest such rest.
const REST_MAX: Duration = Duration::from_millis(50);
/// How often an enactor says that it is alive.
const SAYS_ALIVE_EVERY: Duration = Duration::from_secs(1);
/// The longest tick: a longer gap than makes a server lost would be no watching.
pub const TICK_MAX: Duration = Duration::from_secs(2);
const _: () = assert!(TICK_MAX.as_millis() < LIVE_FOR.as_millis());
/// How long an enactor that came too late last time lets the others go first.
const STANDS_BACK: Duration = Duration::from_millis(30);
/// For how long after a move a notice that brings nothing new is no sign of having come too late: it was for that move.
const STILL_FIRST: Duration = Duration::from_millis(100);
/// How often one look leads to the next at once: a verdict, the moves that it allows, and some lost races.
const LOOKS_AT_ONCE_MAX: u32 = 16;

/// One of several equal enactors, without a leader. Each cares for all rings.
#[derive(Debug)]
pub struct Enactor {
    pool: PgPool,
    name: String,
    instance: Uuid,
    tick: Duration,
    moved: Notices,
}

/// What came of a look, and of those that it led to at once.
#[derive(Debug, Default)]
struct Looked {
    /// How many heads this enactor moved, and verdicts it wrote.
    written: usize,
    /// How many generations those moves took in, over all heads.
    took_in: u64,
    /// How soon something may be due that no notice tells of.
    due_after: Option<Duration>,
    /// What heads wait for, for people.
    waits_for: Option<String>,
}

impl Enactor {
    /// An enactor under a name that people chose. Looks every `tick`, [`TICK_MAX`] at most, and whenever it is woken.
    #[must_use]
    pub fn new(pool: PgPool, name: String, tick: Duration, moved: Notices) -> Self {
        Self { pool, name, instance: Uuid::new_v4(), tick: tick.min(TICK_MAX), moved }
    }

    /// Runs until `shutdown`. Whatever fails is tried again: there is no state to be poisoned.
    ///
    /// Of several enactors that hear the same notice one is first, and the others find nothing left to do. Those let it go
    /// first the next time, so that the work is done once; if it is gone, they are a moment later.
    pub async fn run(self, shutdown: CancellationToken) {
        let (mut listener, mut telling) = (None, Telling::default());
        let (mut stands_back, mut noticed) = (false, false);
        let mut wrote_last: Option<Instant> = None;
        let mut said_alive: Option<Instant> = None;
        let mut last = Looked::default();
        while !shutdown.is_cancelled() {
            if listener.is_none() {
                listener = self.listen().await;
            }
            let looked = Instant::now();
            if said_alive.is_none_or(|said| said.elapsed() >= SAYS_ALIVE_EVERY) {
                match self.say_alive(last.waits_for.as_deref()).await {
                    Ok(()) => said_alive = Some(looked),
                    Err(error) => tracing::warn!(enactor = %self.name, %error, "could not say that it is alive"),
                }
            }
            match self.look_and_step(&mut telling).await {
                Ok(done) => {
                    if done.written > 0 {
                        (stands_back, wrote_last) = (false, Some(Instant::now()));
                    } else if noticed {
                        stands_back = wrote_last.is_none_or(|wrote| wrote.elapsed() > STILL_FIRST);
                    }
                    last = done;
                }
                Err(error) => {
                    tracing::warn!(enactor = %self.name, %error, "could not enact; the next look tries again");
                    last = Looked::default();
                }
            }
            let rest = if last.took_in > 1 { (looked.elapsed() * RESTS).min(REST_MAX) } else { Duration::ZERO };
            let rested = (looked + LOOKS_APART_MIN).max(Instant::now() + rest);
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
                    let from = if stands_back { Instant::now() + STANDS_BACK } else { rested };
                    tokio::time::sleep_until(from).await;
                }
                () = tokio::time::sleep(last.due_after.map_or(self.tick, |due| due.clamp(LOOKS_APART_MIN, self.tick))) => {}
            }
        }
        tracing::info!(enactor = %self.name, "stopped");
    }

    async fn listen(&self) -> Option<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await.ok()?;
        listener.listen(ADMITTED).await.ok()?;
        Some(listener)
    }

    /// One look and its steps, and again for as long as those lead to others.
    ///
    /// # Errors
    /// When the database cannot be asked.
    async fn look_and_step(&self, telling: &mut Telling) -> Result<Looked, StoreError> {
        let (mut written, mut took_in) = (0, 0);
        for _ in 0..LOOKS_AT_ONCE_MAX {
            let look = Look::take(&self.pool, &self.name, self.instance).await?;
            let mut steps = Steps::of(&look);
            drop(look);
            telling.found(&self.name, &steps);
            let (due_after, waits_for) = (steps.due_after(), steps.waits_for());
            if steps.is_rest() {
                return Ok(Looked { written, took_in, due_after, waits_for });
            }
            took_in += steps.takes_in;
            let verdicts = std::mem::take(&mut steps.verdicts);
            let (judged, mut again) = self.judge(verdicts, telling).await?;
            written += judged;
            for (ring, moves) in steps.moves {
                let moves = doors::move_heads(&self.pool, &ring, moves, &self.name).await?;
                let (ours, lost) = self.moved(moves, telling);
                written += ours;
                again |= lost;
            }
            if !again {
                return Ok(Looked { written, took_in, due_after, waits_for });
            }
        }
        Ok(Looked { written, took_in, ..Looked::default() })
    }

    /// Writes verdicts. How many, and whether heads may move by them now.
    async fn judge(&self, verdicts: Vec<Verdict>, telling: &mut Telling) -> Result<(usize, bool), StoreError> {
        if verdicts.is_empty() {
            return Ok((0, false));
        }
        let Written { ended, refused } = doors::judge(&self.pool, verdicts, &self.name).await?;
        for (verdict, _) in &ended {
            telling.judged(&self.name, verdict);
        }
        for (verdict, refusal) in &refused {
            telling.refused(&self.name, &verdict.group, verdict.version.generation, refusal);
        }
        Ok((ended.len(), !ended.is_empty() && Enactment.judged() == Next::Read))
    }

    /// Tells what became of moves. How many are ours, and whether somebody else was first somewhere.
    fn moved(&self, moves: Written<Move>, telling: &mut Telling) -> (usize, bool) {
        let (mut ours, mut again) = (0, false);
        for (one, outcome) in &moves.ended {
            telling.moved(&self.name, &one.group, one.version.generation, *outcome);
            match Enactment.written(*outcome == Outcome::Enacted) {
                Next::Stop(_) => ours += 1,
                _ => again = true,
            }
        }
        for (one, refusal) in &moves.refused {
            telling.refused(&self.name, &one.group, one.version.generation, refusal);
        }
        if ours > 0 {
            self.moved.send();
        }
        (ours, again)
    }

    async fn say_alive(&self, waits_for: Option<&str>) -> Result<(), StoreError> {
        sqlx::query_file!("queries/enactment/say_that_an_enactor_lives.sql", self.name, self.instance, waits_for)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
