//! `holdfast rollback`: the answers of an earlier generation, in a new one.

use serde_json::json;

use super::connection::tip;
use super::outcome::Admission;
use super::{CommandError, Connection};
use crate::api_client::{ApiError, encoded};
use crate::terminal::warn;

/// How often the tip is read again when others post all the time.
const TRIES_MAX: u32 = 50;

/// Restores what was answered at an earlier generation, as a new generation: records, and neither guards nor settings.
///
/// No change budget is in its way, and what has passed before needs no proof again.
#[derive(Clone, Debug, clap::Args)]
pub struct Rollback {
    /// The group.
    group: String,
    /// The generation whose answers are wished back.
    #[arg(long, value_name = "GENERATION")]
    to: u64,
    /// Why; it is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The generation that you looked at. What changed after it and would be taken back is a conflict. Without one, the tip
    /// is read just before, and again should somebody be quicker: then what they did is taken back as well.
    #[arg(long, value_name = "GENERATION")]
    base: Option<u64>,
    /// Goes through a freeze, alone, with all else still frozen. It closes the group to planners; a plan with
    /// {"settings": {"closed": null}} opens it again.
    #[arg(long)]
    through_freeze: bool,
    #[command(flatten)]
    admission: Admission,
}

impl Rollback {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        let parameters = self.admission.parameters();
        let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
        let path = format!("/v1/groups/{}/rollback{query}", encoded(&self.group));
        let post = |base: u64| {
            let body =
                json!({"to": self.to, "base": base, "reason": self.reason, "through_freeze": self.through_freeze});
            api.post(&path, &body, None)
        };
        let told = match self.base {
            Some(base) => post(base)?,
            None => {
                let mut tries = 1;
                loop {
                    let base = tip(&api, &self.group)?;
                    match post(base) {
                        // In an incident, automation may post all the time.
                        Err(ApiError::Refused { problem }) if problem.name == "stale-base" && tries < TRIES_MAX => {
                            tries += 1;
                        }
                        told => {
                            warn(format!("base {base}: read just now from {}, since no --base was given", self.group));
                            break told?;
                        }
                    }
                }
            }
        };
        self.admission.tell(&told)?;
        if self.through_freeze && !self.admission.is_dry_run() {
            warn(format!(
                "{} is closed to planners now. To open it: a plan with {{\"settings\": {{\"closed\": null}}}}",
                self.group
            ));
        }
        Ok(())
    }
}
