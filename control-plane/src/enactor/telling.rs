//! Tells what becomes of heads, once each, and not at every look.

use super::doors::Refusal;
use super::steps::{HeadOf, Steps, Verdict, describe};
use plan_rules::{Outcome, Waiting};
use std::collections::HashMap;
use zone_model::Generation;

/// What was told last of each head and group that is not at rest.
#[derive(Debug, Default)]
pub(super) struct Telling {
    heads: HashMap<HeadOf, String>,
    damaged: HashMap<i64, String>,
}

impl Telling {
    /// Tells what a look found and does nothing about.
    pub(super) fn found(&mut self, enactor: &str, steps: &Steps) {
        let mut heads = HashMap::new();
        for (head, outcome, tip) in &steps.stopped {
            let key = format!("{outcome} {tip:?}");
            if self.heads.get(head) != Some(&key) {
                tell(enactor, head, *tip, *outcome);
            }
            heads.insert(head.clone(), key);
        }
        for (head, waiting) in &steps.waiting {
            // Whom it waits for is told again when that changes; how long still is not.
            let key = match waiting {
                Waiting::Delay(_) => "delay".to_owned(),
                Waiting::Trial(_) => "trial".to_owned(),
                other => describe(other),
            };
            if self.heads.get(head) != Some(&key) {
                let (group, ring, waits_for) = (&head.name, &head.ring, describe(waiting));
                tracing::debug!(%enactor, %group, %ring, %waits_for, "waiting");
            }
            heads.insert(head.clone(), key);
        }
        // A move that is refused again and again is told once.
        let moves = steps.moves.iter().flat_map(|(_, moves)| moves).map(|one| &one.group);
        for head in moves.chain(steps.verdicts.iter().map(|one| &one.group)) {
            if let Some((head, key)) = self.heads.remove_entry(head) {
                heads.insert(head, key);
            }
        }
        self.heads = heads;
        let mut damaged = HashMap::new();
        for (number, group, why) in &steps.damaged {
            if self.damaged.get(number) != Some(why) {
                tracing::error!(%enactor, %group, %why, "the group's history is damaged; it stays as it is");
            }
            damaged.insert(*number, why.clone());
        }
        self.damaged = damaged;
    }

    /// A move was written, or somebody else's was there.
    pub(super) fn moved(&mut self, enactor: &str, head: &HeadOf, generation: Generation, outcome: Outcome) {
        self.heads.remove(head);
        tell(enactor, head, Some(generation), outcome);
    }

    /// A verdict was written.
    pub(super) fn judged(&mut self, enactor: &str, verdict: &Verdict) {
        self.heads.remove(&verdict.group);
        let (group, generation, why) = (&verdict.group.name, verdict.version.generation, &verdict.why);
        if verdict.passed {
            tracing::info!(%enactor, %group, %generation, verdict = "passed", %why);
        } else {
            tracing::error!(%enactor, %group, %generation, verdict = "failed", %why);
        }
    }

    /// The database refused.
    pub(super) fn refused(&mut self, enactor: &str, head: &HeadOf, generation: Generation, refusal: &Refusal) {
        let key = format!("{} {generation}", refusal.code);
        if self.heads.insert(head.clone(), key.clone()).as_ref() == Some(&key) {
            return;
        }
        let (group, ring) = (&head.name, &head.ring);
        let Refusal { outcome, code, message } = refusal;
        match outcome {
            Outcome::Frozen | Outcome::LostRace => {
                tracing::info!(%enactor, %group, %ring, %generation, %outcome, %code, %message);
            }
            _ => tracing::warn!(%enactor, %group, %ring, %generation, %outcome, %code, %message),
        }
    }
}

fn tell(enactor: &str, head: &HeadOf, generation: Option<Generation>, outcome: Outcome) {
    let (group, ring) = (&head.name, &head.ring);
    let generation = generation.map(Generation::get);
    match outcome {
        Outcome::Refused => tracing::error!(%enactor, %group, %ring, generation, %outcome, "the head is on a fork"),
        Outcome::Superseded => {
            tracing::error!(%enactor, %group, %ring, generation, %outcome, "the head is above the tip");
        }
        Outcome::Enacted | Outcome::Frozen => tracing::info!(%enactor, %group, %ring, generation, %outcome),
        Outcome::AlreadyEnacted | Outcome::LostRace => {
            tracing::debug!(%enactor, %group, %ring, generation, %outcome);
        }
    }
}
