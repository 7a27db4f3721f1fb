//! The retirement: raises floors, and forgets what is below them in small steps that nobody waits for.
//!
//! Every step is one short transaction of the database's own (`migrations/0016_retirement.sql`), which refuses whatever is
//! still seen. So the program may be killed anywhere, run twice, or be wrong: what it loses is time.

mod pace;

pub use pace::Pace;

use crate::store::StoreError;
use crate::told;
use move_trace::Move;
use plan_rules::{Floor, Retirement, RingName};
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zone_model::Generation;

/// Groups that are read at a time.
const GROUPS_AT_A_TIME: i64 = 1_000;
/// Plans that are looked at in one step, for some that were given up.
const PLANS_AT_A_TIME: i32 = 5_000;

/// What is kept, and how gently.
#[derive(Clone, Copy, Debug)]
pub struct Gently {
    /// How many generations of each group can be read, at least.
    pub keep: i64,
    /// How many changes one step looks at, at most.
    pub batch_max: i32,
    /// How long to wait between two steps, at least.
    pub pause: Duration,
    /// How long a step should take, at most: steps that take longer become smaller.
    pub step: Duration,
    /// How long to wait after a step, in times that it took.
    pub rest: u32,
    /// How long to wait between two looks at all groups.
    pub every: Duration,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// Floors that rose.
    pub floors: u64,
    /// Changes, moves, verdicts and reads that went.
    pub rows: u64,
    /// Generations that were forgotten, with their plans.
    pub generations: u64,
    /// Plans that were given up.
    pub given_up: u64,
}

/// The loop.
#[derive(Debug)]
pub struct Retiring {
    pool: PgPool,
    settings: Gently,
    pace: Pace,
    shutdown: CancellationToken,
    /// Plans up to this one were looked at, and admitted or given up.
    looked_to: i64,
}

/// A group in which there is something to do.
#[derive(Debug)]
struct Group {
    number: i64,
    name: String,
    floor: i64,
    oldest_kept: Option<i64>,
    unswept: bool,
}

impl Retiring {
    /// Retires in the database that `pool` connects to, until `shutdown`.
    #[must_use]
    pub fn new(pool: PgPool, settings: Gently, shutdown: CancellationToken) -> Self {
        let pace = Pace::new(settings.batch_max, settings.step, settings.pause, settings.rest);
        Self { pool, settings, pace, shutdown, looked_to: 0 }
    }

    /// Goes on for ever. Whatever fails is tried again: there is no state to be poisoned.
    pub async fn run(mut self) {
        while !self.shutdown.is_cancelled() {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "could not retire; the next look tries again");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(self.settings.every) => {}
            }
        }
        tracing::info!("stopped");
    }

    /// One look at everything, and all that is to be done.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn round(&mut self) -> Result<Retired, StoreError> {
        let mut retired = Retired::default();
        self.give_up_plans(&mut retired).await?;
        let mut after = 0;
        loop {
            let groups = self.groups(after).await?;
            let Some(last) = groups.last() else { break };
            after = last.number;
            for group in groups {
                // One group that fails holds up no other.
                if let Err(error) = self.retire(&group, &mut retired).await {
                    tracing::warn!(group = %group.name, %error, "could not retire; the next look tries again");
                }
            }
        }
        self.leftovers(&mut retired).await?;
        Ok(retired)
    }

    async fn groups(&self, after: i64) -> Result<Vec<Group>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/retirement/read_groups_to_retire.sql",
            self.settings.keep,
            after,
            GROUPS_AT_A_TIME
        )
        .fetch_all(&self.pool)
        .await?;
        let group = |(number, name, floor, oldest_kept, unswept)| Group { number, name, floor, oldest_kept, unswept };
        Ok(rows
            .into_iter()
            .map(|row| group((row.zone_group, row.name, row.floor, row.oldest_kept, row.unswept)))
            .collect())
    }

    /// Raises a group's floor as far as it may be, and sweeps what is obsolete then, or was left obsolete before.
    async fn retire(&mut self, group: &Group, retired: &mut Retired) -> Result<(), StoreError> {
        let risen = self.raise(group).await?;
        retired.floors += u64::from(risen);
        if !(risen || group.unswept) {
            return Ok(());
        }
        let before = *retired;
        while self.goes_on() {
            let rows = self.pace.rows();
            let step = sqlx::query_file!("queries/retirement/retire_moves.sql", group.number, rows);
            let removed = self.pace.step(step.fetch_one(&self.pool)).await?.removed.unwrap_or_default();
            retired.rows += count(removed);
            if removed == 0 {
                break;
            }
        }
        while self.goes_on() {
            let rows = self.pace.rows();
            let step = sqlx::query_file!("queries/retirement/retire_changes.sql", group.number, rows);
            let step = self.pace.step(step.fetch_one(&self.pool)).await?;
            retired.rows += count(step.removed.unwrap_or_default());
            if step.done != Some(false) {
                break;
            }
        }
        while self.goes_on() {
            let rows = self.pace.rows();
            let step = sqlx::query_file!("queries/retirement/forget_generations.sql", group.number, rows);
            let step = self.pace.step(step.fetch_one(&self.pool)).await?;
            retired.generations += count(step.forgotten.unwrap_or_default());
            if step.done != Some(false) {
                break;
            }
        }
        let (rows, generations) = (retired.rows - before.rows, retired.generations - before.generations);
        if rows + generations > 0 {
            tracing::info!(group = %group.name, rows, generations, "retired");
        }
        Ok(())
    }

    /// Whether the floor rose.
    async fn raise(&self, group: &Group) -> Result<bool, StoreError> {
        let floor = generation(group.floor)?;
        let Some(oldest_kept) = group.oldest_kept.filter(|kept| *kept > group.floor) else { return Ok(false) };
        let heads = sqlx::query_file!("queries/retirement/read_heads_of_living_rings.sql", group.number)
            .fetch_all(&self.pool)
            .await?;
        let pins = sqlx::query_file!("queries/retirement/read_pins.sql", group.number).fetch_all(&self.pool).await?;
        let mut retirement = Retirement {
            floor,
            oldest_kept: Some(generation(oldest_kept)?),
            heads: BTreeMap::new(),
            pins: BTreeSet::new(),
        };
        for row in heads {
            let ring = RingName::parse(&row.ring).ok_or_else(|| StoreError::Damaged(format!("ring {}", row.ring)))?;
            retirement.heads.insert(ring, row.generation.map(generation).transpose()?);
        }
        for row in pins {
            retirement.pins.insert(generation(row.generation)?);
        }
        let Floor { at, held_by } = retirement.floor();
        if let Some(holder) = held_by {
            tracing::debug!(group = %group.name, floor = %at, held_by = %holder, "the floor is held");
        }
        if at == floor {
            return Ok(false);
        }
        let told = move_trace::about(|| [Move::RaiseFloor { group: group.name.clone(), floor: at.get() }]);
        let raised =
            sqlx::query_file!("queries/retirement/raise_the_floor.sql", group.number, at.get(), self.settings.keep)
                .fetch_one(&self.pool)
                .await;
        told::ended(told, &raised, |row| row.outcome.as_deref() == Some("raised"));
        match raised {
            Ok(row) => {
                let outcome = row.outcome.unwrap_or_default();
                tracing::info!(group = %group.name, floor = %at, outcome, "the floor rises");
                Ok(outcome == "raised")
            }
            // A pin or a ring came in between. It is seen at the next look.
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("HF035") => {
                tracing::info!(group = %group.name, floor = %at, outcome = "lost-race", %refusal);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn give_up_plans(&mut self, retired: &mut Retired) -> Result<(), StoreError> {
        while self.goes_on() {
            let step = sqlx::query_file!("queries/retirement/give_up_plans.sql", self.looked_to, PLANS_AT_A_TIME);
            let step = self.pace.step(step.fetch_one(&self.pool)).await?;
            let given_up = count(step.given_up.unwrap_or_default());
            retired.given_up += given_up;
            if given_up > 0 {
                tracing::info!(plans = given_up, "given up: nobody had them admitted within an hour");
            }
            let Some(looked_to) = step.looked_to else { break };
            self.looked_to = looked_to;
        }
        self.leftovers(retired).await
    }

    async fn leftovers(&self, retired: &mut Retired) -> Result<(), StoreError> {
        while self.goes_on() {
            let step = sqlx::query_file!("queries/retirement/retire_leftovers.sql", self.pace.rows());
            let removed = self.pace.step(step.fetch_one(&self.pool)).await?.removed.unwrap_or_default();
            retired.rows += count(removed);
            if removed == 0 {
                break;
            }
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        !self.shutdown.is_cancelled()
    }
}

fn generation(number: i64) -> Result<Generation, StoreError> {
    Generation::new(number).ok_or_else(|| StoreError::Damaged(format!("generation {number}")))
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}
