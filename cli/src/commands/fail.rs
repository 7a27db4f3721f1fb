//! `holdfast fail`: a generation that no head moves to, ever.

use serde_json::{Value, json};

use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::{say, warn};

/// Says that a generation failed: no head moves to it from now on, ever again.
///
/// Where it is in force already it stays: roll back, and the heads move on.
#[derive(Clone, Debug, clap::Args)]
pub struct Fail {
    /// The group.
    group: String,
    /// The generation.
    generation: u64,
    /// Why; it is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Fail {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let path = format!("/v1/groups/{}/plans/{}/fail", encoded(&self.group), self.generation);
        let failed = connection.client()?.post(&path, &json!({"reason": self.reason}), None)?;
        say(format!("{}: generation {} has failed", self.group, self.generation));
        let rings: Vec<&str> = failed["in_force"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !rings.is_empty() {
            warn(format!("It is in force in {} and stays so until you roll back.", rings.join(", ")));
        }
        Ok(())
    }
}
