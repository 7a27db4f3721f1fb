//! Holdfast as a whole, in one process and one thread: clients, APIs, enactors and servers around a database in memory,
//! with everything between them late, lost, doubled, stopped, killed or restored, as a seed has it.
//!
//! What decides is real: `plan_rules` admits, enacts, judges and raises; `server` decides, builds and installs. What is
//! played is what carries: the database behaves as `migrations/` has it (the same cases are run on both, see
//! `tests/contract`), and the checkers know nothing of either: they look at what is visible, and at the promises.

mod actors;
mod chaos;
pub mod database;
mod events;
mod fault;
mod figures;
pub mod intent;
mod kept;
mod layout;
pub mod ledger;
pub mod random;
mod seen;
mod template;
mod time;
pub mod words;
mod world;

pub use fault::Fault;
pub use figures::Figures;
pub use ledger::{Broken, Promise};
pub use template::Template;
pub use time::Time;
pub use world::{Ended, run};

/// The seed of the schedule after this one's in a run.
#[must_use]
pub const fn next_seed(seed: u64) -> u64 {
    seed.wrapping_add(1)
}
