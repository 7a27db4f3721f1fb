//! The commands that speak to the REST API, one file each.

mod audit;
mod connection;
mod diff;
mod error;
mod explain;
mod export;
mod history;
mod import;
mod outcome;
mod plan;
mod plans;
mod status;
mod table;
mod token;

pub use audit::Audit;
pub use connection::Connection;
pub use diff::Diff;
pub use error::CommandError;
pub use explain::Explain;
pub use export::Export;
pub use history::History;
pub use import::Import;
pub use plan::Plan;
pub use plans::Plans;
pub use status::Status;
pub use token::Token;
