//! `holdfast`: the command people type. `up` runs everything on one machine; the other commands speak to the REST API.

pub mod api_client;
pub mod arguments;
pub mod commands;
pub mod problem;
pub mod terminal;
pub mod up;
