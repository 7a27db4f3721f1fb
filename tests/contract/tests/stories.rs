//! Stories that a seed draws, on both databases. A difference is printed with its seed; `HOLDFAST_CONTRACT_SEED=n` plays that one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use contract::{Both, random_story};

/// How many stories are played.
const STORIES: u64 = 300;

#[test]
fn both_answer_and_show_the_same_in_every_story() {
    let seed: Option<u64> = std::env::var("HOLDFAST_CONTRACT_SEED").ok().map(|seed| seed.parse().unwrap());
    let mut both = Both::start();
    for seed in seed.map_or(1..=STORIES, |seed| seed..=seed) {
        if let Err(difference) = random_story(&mut both, seed) {
            let again = "HOLDFAST_CONTRACT_SEED={seed} cargo nextest run -p contract --test stories";
            panic!("seed {seed}: {difference}\nto see it again: {}", again.replace("{seed}", &seed.to_string()));
        }
    }
    if seed.is_some() {
        return;
    }
    // What never happens proves nothing.
    let outcomes = "admitted lost-race key-known staged moved was-there done 23503 HF003 HF004 HF005 HF006 HF008 HF009 HF012 \
                    HF015 HF022 HF023 HF024 HF025 HF026 HF027 HF030 HF031 HF032";
    for outcome in outcomes.split_whitespace() {
        assert!(both.met.contains_key(outcome), "{outcome} was never met: {:?}", both.met);
    }
}
