//! Holdfast's authoritative DNS server: follows the heads of its ring, and answers from a snapshot in memory.
//!
//! Three parts that meet in one atomic pointer: [`replica`] builds snapshots aside and swaps them in, [`answer`] is a
//! pure function from a snapshot and a request to a reply, [`udp`] and [`tcp`] carry requests and replies. Between
//! receive and send there is no lock, no wait and no database.

pub mod access;
pub mod admin;
pub mod answer;
pub mod cookie_secrets;
pub mod counters;
pub mod disk;
pub mod health;
pub mod install;
pub mod metrics;
pub mod rate_limit;
pub mod replica;
pub mod settings;
pub mod snapshot;
pub mod sockets;
pub mod tcp;
pub mod udp;

mod cookie_clock;
mod prefetch;
mod run;
mod thread;

pub use run::{RunError, run};
