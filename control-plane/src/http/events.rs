//! Looks again and again at what happened, once for all clients that follow.
//!
//! Woken by a notice or by the tick, it looks at the whole truth and keeps the last few passes: each is what one look saw
//! and the one before did not. A client that is where a pass begins is told that pass; any other one catches up from the
//! database by itself first. So memory is bounded whatever clients do, and a client that is slow is late, and misses
//! nothing.

use super::wakes::Wakes;
use crate::reading::{Event, Position, ReadError, Reading, Since, States};
use std::collections::VecDeque;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// A lost notice costs as much.
const TICK: Duration = Duration::from_secs(1);
/// Looks begin at least this far apart.
const LOOKS_APART_MIN: Duration = Duration::from_millis(100);
/// Passes that are kept for clients that are a little late.
const PASSES_KEPT: usize = 16;
/// A pass of more than this is read by each client itself.
const PASS_EVENTS_MAX: i64 = 1_000;

/// What one look saw and the one before did not.
#[derive(Debug)]
pub(crate) struct Pass {
    from: Position,
    pub(crate) upto: Position,
    /// None if there were too many.
    events: Option<Vec<Event>>,
    states: Vec<Event>,
}

/// What was seen lately.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    pub(crate) at: Position,
    /// All of them, by key.
    pub(crate) states: Arc<States>,
    passes: VecDeque<Arc<Pass>>,
}

impl Recent {
    /// The pass that goes on from here, if it is kept, and what happened in it.
    pub(crate) fn pass_from(&self, position: &Position) -> Option<(&Pass, impl Iterator<Item = &Event>)> {
        let pass = self.passes.iter().find(|pass| pass.from == *position)?;
        let events = pass.events.as_ref()?;
        Some((pass, events.iter().chain(&pass.states)))
    }
}

/// Where clients subscribe; cheap to clone. It looks while there are any.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    reading: Reading,
    wakes: Wakes,
    shutdown: CancellationToken,
    sender: Arc<watch::Sender<Option<Arc<Recent>>>>,
    wanted: Arc<Notify>,
    started: Arc<Once>,
}

impl Tail {
    pub(crate) fn new(reading: Reading, wakes: Wakes, shutdown: CancellationToken) -> Self {
        let (sender, wanted, started) =
            (Arc::new(watch::Sender::new(None)), Arc::new(Notify::new()), Arc::new(Once::new()));
        Self { reading, wakes, shutdown, sender, wanted, started }
    }

    /// What is seen from now on; none until the first look.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<Arc<Recent>>> {
        let receiver = self.sender.subscribe();
        self.started.call_once(|| {
            let (tail, shutdown) = (self.clone(), self.shutdown.clone());
            tokio::spawn(async move { shutdown.run_until_cancelled(tail.look_again_and_again()).await });
        });
        self.wanted.notify_one();
        receiver
    }

    async fn look_again_and_again(&self) {
        loop {
            while self.sender.receiver_count() == 0 {
                self.sender.send_replace(None);
                self.wanted.notified().await;
            }
            if let Err(error) = self.follow().await {
                tracing::warn!(%error, "could not look for events; looking again in a second");
                tokio::time::sleep(TICK).await;
            }
        }
    }

    /// Looks for as long as anybody follows.
    async fn follow(&self) -> Result<(), ReadError> {
        let mut wake = self.wakes.subscribe();
        while self.sender.receiver_count() > 0 {
            let before = self.sender.borrow().clone();
            let now = match before {
                Some(recent) => self.look(&recent).await?,
                None => self.first_look().await?,
            };
            self.sender.send_replace(Some(Arc::new(now)));
            tokio::time::sleep(LOOKS_APART_MIN).await;
            tokio::select! {
                () = wake.next() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
        Ok(())
    }

    async fn first_look(&self) -> Result<Recent, ReadError> {
        let at = self.reading.position().await?;
        Ok(Recent { at, states: Arc::new(self.reading.states_now().await?), passes: VecDeque::new() })
    }

    async fn look(&self, recent: &Recent) -> Result<Recent, ReadError> {
        let from = recent.at.clone();
        let happened = match self.reading.events(&from, None, PASS_EVENTS_MAX).await? {
            Since::Happened(happened) => happened,
            // The database went back in time. Everybody begins anew.
            Since::Unknown(_) => return self.first_look().await,
        };
        let upto = happened.next.end();
        let states = self.reading.states_now().await?;
        let changes = changes(&recent.states, &states);
        let events = (!happened.more).then_some(happened.events);
        let mut passes = recent.passes.clone();
        passes.push_back(Arc::new(Pass { from, upto: upto.clone(), events, states: changes }));
        while passes.len() > PASSES_KEPT {
            passes.pop_front();
        }
        Ok(Recent { at: upto, states: Arc::new(states), passes })
    }
}

/// States that became others, and those that are over.
fn changes(before: &States, now: &States) -> Vec<Event> {
    let new = now.iter().filter(|(key, state)| before.get(*key) != Some(state)).map(|(_, state)| state.clone());
    let over = before.iter().filter(|(key, _)| !now.contains_key(*key)).map(|(_, state)| {
        let mut over = state.clone();
        over.told["over"] = true.into();
        over
    });
    new.chain(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_are_told_when_they_change_and_when_they_are_over() {
        let state =
            |live: bool| Event { what: "server".to_owned(), group: None, told: json!({"live": live}), position: None };
        let states =
            |all: &[(&str, bool)]| all.iter().map(|(key, live)| ((*key).to_owned(), state(*live))).collect::<States>();
        let told: Vec<_> = changes(
            &states(&[("a", true), ("b", true), ("c", true)]),
            &states(&[("a", true), ("b", false), ("d", true)]),
        )
        .into_iter()
        .map(|event| event.told)
        .collect();
        assert_eq!(told, [json!({"live": false}), json!({"live": true}), json!({"live": true, "over": true})]);
    }
}
