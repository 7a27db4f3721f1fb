//! `holdfast freeze` and `holdfast thaw`: heads stop, and move again.

use serde_json::{Value, json};

use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::say;

// What is meant. (Not in the form that `--help` would show.)
#[derive(Clone, Debug, clap::Args)]
#[allow(missing_docs, reason = "`--help` would show them instead of the command's own")]
struct Extent {
    /// The group.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    group: Option<String>,
    /// Every group.
    #[arg(long)]
    all: bool,
    /// In this ring only.
    #[arg(long, value_name = "RING")]
    ring: Option<String>,
    /// Why; it is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Extent {
    fn path(&self, act: &str) -> String {
        match &self.group {
            Some(group) => format!("/v1/groups/{}/{act}", encoded(group)),
            None => format!("/v1/{act}"),
        }
    }

    fn body(&self) -> Value {
        json!({"reason": self.reason, "ring": self.ring})
    }
}

/// Freezes a group, or everything: no head moves until it is thawed. Plans are admitted meanwhile; servers go on answering.
///
/// When this has answered, no move is in flight any more. A rollback can go through (`holdfast rollback --through-freeze`).
#[derive(Clone, Debug, clap::Args)]
pub struct Freeze {
    #[command(flatten)]
    extent: Extent,
    /// Thaws by itself then, as in 2026-01-31T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Thaws what was frozen with the same words: a group, or --all; in a ring, or in every ring.
#[derive(Clone, Debug, clap::Args)]
pub struct Thaw {
    #[command(flatten)]
    extent: Extent,
}

impl Freeze {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let mut body = self.extent.body();
        body["until"] = json!(self.until);
        let answer = connection.client()?.post(&self.extent.path("freeze"), &body, None)?;
        tell(&answer["stopped"]);
        Ok(())
    }
}

impl Thaw {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let answer = connection.client()?.post(&self.extent.path("thaw"), &self.extent.body(), None)?;
        match answer["thawed"].as_u64().unwrap_or_default() {
            0 => say("nothing was frozen with these words"),
            1 => say("thawed"),
            several => say(format!("thawed {several} freezes")),
        }
        tell(&answer["stopped"]);
        Ok(())
    }
}

fn tell(stopped: &Value) {
    let stops: Vec<&Value> = stopped.as_array().into_iter().flatten().collect();
    if stops.is_empty() {
        say("nothing is stopped here");
    }
    stops.iter().for_each(|stop| say(format!("stopped: {}", sentence(stop))));
}

/// "shop in every ring, by alice: incident 7 (until …)".
pub(super) fn sentence(stop: &Value) -> String {
    let text = |member: &str| stop[member].as_str();
    let group = text("group").unwrap_or("every group");
    let ring = text("ring").map_or("every ring".to_owned(), |ring| format!("ring {ring}"));
    let until = text("until").map(|until| format!(" (until {until})")).unwrap_or_default();
    let kind = match text("kind") {
        Some("freeze") | None => String::new(),
        Some(kind) => format!("{kind}, "),
    };
    format!(
        "{group} in {ring}, {kind}by {}: {}{until}",
        text("by").unwrap_or_default(),
        text("reason").unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use serde_json::json;

    #[test]
    fn a_stop_is_a_sentence() {
        let stop = json!({"stop": 1, "kind": "freeze", "group": "shop", "ring": null, "reason": "incident 7", "by": "alice", "until": null});
        assert_eq!(sentence(&stop), "shop in every ring, by alice: incident 7");
        let stop = json!({"stop": 2, "kind": "auditor", "group": null, "ring": "fleet", "reason": "unlike", "by": "auditor", "until": "2026-01-31T18:00:00Z"});
        assert_eq!(
            sentence(&stop),
            "every group in ring fleet, auditor, by auditor: unlike (until 2026-01-31T18:00:00Z)"
        );
    }
}
