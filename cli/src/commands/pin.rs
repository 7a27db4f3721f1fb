//! `holdfast pin`, `unpin` and `pins`: generations to hold on to.

use serde_json::{Value, json};

use super::history::seconds;
use super::table::lines;
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::{say, warn};

/// Holds on to a generation: it stays readable until the pin is taken away. For operators.
#[derive(Clone, Debug, clap::Args)]
pub struct Pin {
    /// The group.
    group: String,
    /// The generation, at or above the group's floor.
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    generation: i64,
    /// Why; it is recorded.
    #[arg(long, value_name = "WHY")]
    reason: String,
}

/// Takes a pin away. For operators.
#[derive(Clone, Debug, clap::Args)]
pub struct Unpin {
    /// The group.
    group: String,
    /// The pin's number, as `holdfast pins` shows it.
    pin: i64,
    /// Why; it is recorded.
    #[arg(long, value_name = "WHY")]
    reason: String,
}

/// Shows the pins of a group.
#[derive(Clone, Debug, clap::Args)]
pub struct Pins {
    /// The group.
    group: String,
}

impl Pin {
    /// Sets it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let body = json!({"generation": self.generation, "reason": self.reason});
        let pinned = connection.client()?.post(&path(&self.group), &body, None)?;
        say(format!("pin {} holds generation {} of {}", pinned["pin"], pinned["generation"], self.group));
        Ok(())
    }
}

impl Unpin {
    /// Takes it away.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let pin = format!("{}/{}?reason={}", path(&self.group), self.pin, encoded(&self.reason));
        connection.client()?.delete(&pin)?;
        say(format!("pin {} of {} is gone", self.pin, self.group));
        Ok(())
    }
}

impl Pins {
    /// Shows them.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let page = connection.client()?.get(&format!("{}?limit=1000", path(&self.group)))?;
        table(&page).iter().for_each(say);
        if page["next"].is_string() {
            warn("There are more than a thousand; the API has them all.");
        }
        Ok(())
    }
}

fn path(group: &str) -> String {
    format!("/v1/groups/{}/pins", encoded(group))
}

fn table(page: &Value) -> Vec<String> {
    let mut rows = vec![["PIN", "GENERATION", "AT", "BY", "WHY"].map(str::to_owned).to_vec()];
    rows.extend(page["items"].as_array().into_iter().flatten().map(|pin| {
        let text = |member: &str| pin[member].as_str().unwrap_or("-").to_owned();
        vec![pin["pin"].to_string(), pin["generation"].to_string(), seconds(&text("at")), text("by"), text("reason")]
    }));
    lines(&rows)
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn a_pin_is_a_line() {
        let page = json!({"items": [{"pin": 3, "generation": 42, "reason": "for the audit", "by": "ann", "at": "2025-10-20T06:48:12.1Z"}]});
        assert_eq!(
            table(&page),
            [
                "PIN  GENERATION  AT                    BY   WHY",
                "3    42          2025-10-20T06:48:12Z  ann  for the audit"
            ]
        );
    }
}
