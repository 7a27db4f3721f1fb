//! The commands that speak to the REST API, one file each.

mod connection;
mod diff;
mod error;
mod export;
mod history;
mod import;
mod outcome;
mod plan;
mod status;
mod table;
mod token;

pub use connection::Connection;
pub use diff::Diff;
pub use error::CommandError;
pub use export::Export;
pub use history::History;
pub use import::Import;
pub use plan::Plan;
pub use status::Status;
pub use token::Token;
