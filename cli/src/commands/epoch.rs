//! `holdfast epoch`: what heals when the database went back in time.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::{say, warn};

/// Begins new epochs, after the database went back in time.
#[derive(Clone, Debug, clap::Args)]
pub struct Epoch {
    #[command(subcommand)]
    act: Act,
}

#[derive(Clone, Debug, Subcommand)]
enum Act {
    /// Raises the epoch of every group, or of one: one generation each, the next multiple of 1,000,000,000 above all that
    /// were ever known or reported. Serials go on, and servers follow again.
    ///
    /// Do this after the database was restored from a backup, or a standby without the last commits took over. What was
    /// lost has to be posted again.
    Raise {
        /// Only this group.
        group: Option<String>,
        /// Why; it is recorded.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl Epoch {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer, or some group could not be raised.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let Act::Raise { group, reason } = &self.act;
        let path = match group {
            Some(group) => format!("/v1/groups/{}/raise", encoded(group)),
            None => "/v1/epoch/raise".to_owned(),
        };
        let answer = connection.client()?.post(&path, &json!({"reason": reason}), None)?;
        let each = |member: &str| answer[member].as_array().cloned().unwrap_or_default();
        let text = |one: &Value, member: &str| one[member].as_str().unwrap_or_default().to_owned();
        for one in each("raised") {
            say(format!("{}: generation {} follows {}", text(&one, "group"), one["generation"], one["base"]));
        }
        let failed = each("failed");
        for one in &failed {
            warn(format!("{}: {} {}", text(one, "group"), text(one, "problem"), text(one, "detail")));
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(CommandError::NotReached(format!("{} groups were not raised. Do it again for them.", failed.len())))
    }
}
