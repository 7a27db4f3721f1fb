//! A model of Holdfast's enactment that steps the real rules: `plan_rules` decides for clients and enactors,
//! `server::install` for servers, and a small world in memory stands for what Postgres holds and refuses.
//!
//! Whoever reads and then writes is a visible state in between, so every order in which that can go wrong is walked. What
//! must always hold is in [`promises`], that work gets done is in [`progress`]; [`setups`] says how far the walks go.

pub mod act;
pub mod client;
pub mod enactor;
pub mod numbers;
pub mod progress;
pub mod promises;
pub mod reading;
pub mod retirement;
pub mod server;
pub mod setup;
pub mod setups;
pub mod story;
pub mod system;
pub mod trace;
pub mod wish;
pub mod world;

pub use act::Act;
pub use setup::{Guard, Setup};
pub use system::System;
