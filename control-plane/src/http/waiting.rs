//! `wait=enacted|served`: answering when a generation is in force, or served.
//!
//! Woken by a notice or by a short tick, it looks at the whole truth either way.

use super::ApiState;
use super::parameters::Parameters;
use super::problem::Problem;
use super::violations::Violations;
use crate::reading::{State, StateInRing};
use std::time::Duration;
use tokio::time::Instant;
use zone_model::{GroupName, Version};

const TIMEOUT_S_DEFAULT: u64 = 10;
const TIMEOUT_S_MAX: u64 = 60;
const TICK_FIRST: Duration = Duration::from_millis(5);
const TICK_MAX: Duration = Duration::from_millis(50);
/// After a second, whatever is missing takes longer than a tick: a server or an enactor is down.
const TICK_MAX_LATER: Duration = Duration::from_millis(250);

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Enacted,
    Served,
}

/// What to wait for, where, and for how long.
#[derive(Debug)]
pub(crate) struct Waiting {
    goal: Goal,
    ring: Option<String>,
    timeout: Duration,
}

/// How waiting ended.
pub(crate) struct Waited {
    pub(crate) reached: bool,
    pub(crate) standing: StateInRing,
}

impl Waiting {
    /// Takes `wait`, `timeout_s` and `ring`.
    pub(crate) fn take(parameters: &mut Parameters) -> Option<Self> {
        let goal = parameters.read("wait", "`enacted` or `served`", |text| match text {
            "enacted" => Some(Goal::Enacted),
            "served" => Some(Goal::Served),
            _ => None,
        });
        let timeout_s = parameters.read("timeout_s", &format!("seconds from 0 to {TIMEOUT_S_MAX}"), |text| {
            text.parse().ok().filter(|seconds| *seconds <= TIMEOUT_S_MAX)
        });
        let ring = parameters.text("ring");
        let timeout = Duration::from_secs(timeout_s.unwrap_or(TIMEOUT_S_DEFAULT));
        goal.map(|goal| Self { goal, ring, timeout })
    }

    /// The ring that is meant, which exists.
    pub(crate) async fn ring(&self, state: &ApiState) -> Result<String, Problem> {
        let ring = state.reading.ring(self.ring.as_deref()).await?;
        ring.ok_or_else(|| {
            let mut violations = Violations::default();
            violations.at("query ring", None, "there is no such ring");
            Problem::InvalidRequest { violations }
        })
    }

    fn is_reached(&self, standing: &StateInRing, version: Version) -> bool {
        let enacted = standing.head.is_some_and(|head| head >= version.generation.get());
        match self.goal {
            Goal::Enacted => enacted,
            Goal::Served => enacted && standing.live > 0 && standing.laggards.is_empty(),
        }
    }
}

/// Waits until the goal is reached, the time is over, or the program ends; and tells how it stands then.
pub(crate) async fn wait(
    state: &ApiState,
    waiting: &Waiting,
    group: &GroupName,
    version: Version,
    ring: &str,
) -> Result<Waited, Problem> {
    let started = Instant::now();
    let deadline = started + waiting.timeout;
    // Subscribed before the first look, so that what happens in between wakes.
    let mut wakes = state.wakes.subscribe();
    let mut tick = TICK_FIRST;
    loop {
        let standing = state.reading.state_in_ring(group, version, ring).await?;
        let reached = waiting.is_reached(&standing, version);
        // What has failed is never enacted; waiting would only tell so later.
        let failed = standing.state == State::Failed;
        if reached || failed || Instant::now() >= deadline || state.shutdown.is_cancelled() {
            return Ok(Waited { reached, standing });
        }
        tokio::select! {
            () = wakes.next() => {}
            () = tokio::time::sleep_until(deadline.min(Instant::now() + tick)) => {}
            () = state.shutdown.cancelled() => {}
        }
        let tick_max = if started.elapsed() < Duration::from_secs(1) { TICK_MAX } else { TICK_MAX_LATER };
        tick = (tick * 2).min(tick_max);
    }
}
