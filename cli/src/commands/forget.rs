//! `holdfast forget`: nothing waits for a server that is gone.

use serde_json::json;

use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::say;

/// Forgets a server that is gone for good: no generation waits for it, and what it reported stops nothing.
///
/// If it comes back, it counts again from the next move on.
#[derive(Clone, Debug, clap::Args)]
pub struct Forget {
    /// The server's name, as `holdfast status` shows it.
    server: String,
    /// Why; it is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Forget {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let path = format!("/v1/servers/{}/forget", encoded(&self.server));
        connection.client()?.post(&path, &json!({"reason": self.reason}), None)?;
        say(format!("the server {} is forgotten", self.server));
        Ok(())
    }
}
