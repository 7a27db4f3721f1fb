//! The hands of Holdfast's control plane: the REST API, the Postgres history and the loops.

pub mod acts;
pub mod admission;
pub mod auditor;
pub mod breakglass;
pub mod database;
pub mod enactor;
pub mod http;
pub mod notices;
pub mod pins;
pub mod reading;
pub mod retirement;
pub mod settings;
pub mod store;
pub mod tokens;
mod told;
