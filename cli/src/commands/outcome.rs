//! What a plan or an import asks for beside itself, and what became of it, in words.

use serde_json::Value;

use super::CommandError;
use super::freeze::sentence as stop;
use crate::terminal::say;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Wait {
    /// Until it is in force.
    Enacted,
    /// Until every live server serves it.
    Served,
}

// How a plan is to be admitted. (Not in the form that `--help` would show.)
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Admission {
    /// Decide, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Answer only when it is in force, or served.
    #[arg(long, value_name = "STATE")]
    wait: Option<Wait>,
    /// How long to wait at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "wait")]
    timeout: u64,
}

impl Admission {
    /// As it stands in the request's address.
    pub(super) fn parameters(&self) -> Vec<String> {
        let mut parameters = Vec::new();
        if self.dry_run {
            parameters.push("dry_run=true".to_owned());
        }
        if let Some(wait) = self.wait {
            let until = match wait {
                Wait::Enacted => "enacted",
                Wait::Served => "served",
            };
            parameters.push(format!("wait={until}&timeout_s={}", self.timeout));
        }
        parameters
    }

    /// Whether nothing is to be written.
    pub(super) const fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Says what became of it.
    pub(super) fn tell(&self, told: &Value) -> Result<(), CommandError> {
        say(sentence(told));
        if told["reached"] == false && !self.dry_run {
            let laggards: Vec<&str> =
                told["laggards"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let who =
                if laggards.is_empty() { String::new() } else { format!(" Behind are: {}.", laggards.join(", ")) };
            let stops: Vec<String> = told["frozen"].as_array().into_iter().flatten().map(stop).collect();
            let who = if stops.is_empty() { who } else { format!(" Stopped is {}.{who}", stops.join("; ")) };
            return Err(CommandError::NotReached(format!(
                "It stands, but what was waited for did not come to be within {} s.{who}",
                self.timeout
            )));
        }
        Ok(())
    }
}

fn sentence(told: &Value) -> String {
    let text = |member: &str| told[member].as_str().unwrap_or_default();
    let number = |member: &str| told[member].as_u64().unwrap_or_default();
    let changes = ["added", "replaced", "deleted"]
        .map(|kind| format!("{} {kind}", told["changes"][kind].as_u64().unwrap_or_default()))
        .join(", ");
    let (group, generation) = (text("group"), number("generation"));
    match text("outcome") {
        "no-op" => format!("{group} is like this at generation {generation} already; nothing was changed"),
        "dry-run" => format!("{group}: it would be generation {generation} ({changes}); nothing was written"),
        outcome => {
            let rebased =
                if told["rebased"] == true { format!(", rebased from {}", number("base")) } else { String::new() };
            let again = if outcome == "repeated" { ", as before" } else { "" };
            format!("{group}: generation {generation}{rebased}{again} ({changes}), {}", text("state"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use serde_json::json;

    #[test]
    fn outcomes_are_told_as_sentences() {
        let changes = json!({"added": 1, "replaced": 2, "deleted": 0, "absent": 0});
        for (outcome, rebased, expected) in [
            ("admitted", false, "g: generation 7 (1 added, 2 replaced, 0 deleted), served"),
            ("admitted", true, "g: generation 7, rebased from 5 (1 added, 2 replaced, 0 deleted), served"),
            ("no-op", false, "g is like this at generation 7 already; nothing was changed"),
            ("dry-run", false, "g: it would be generation 7 (1 added, 2 replaced, 0 deleted); nothing was written"),
        ] {
            let told = json!({"group": "g", "generation": 7, "base": 5, "rebased": rebased, "changes": changes,
                "outcome": outcome, "state": "served"});
            assert_eq!(sentence(&told), expected);
        }
    }
}
