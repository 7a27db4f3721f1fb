//! `holdfast diff`: what differs between two generations, as lines of a zone file.

use serde_json::Value;

use super::connection::{all_pages, tip};
use super::history::side as told;
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::{put, warn};

/// Shows what differs between two generations of a group.
#[derive(Clone, Debug, clap::Args)]
pub struct Diff {
    /// The group.
    group: String,
    /// The earlier generation; 0 is nothing at all. Without one: that before the tip.
    from: Option<u64>,
    /// The later generation; without one the tip.
    to: Option<u64>,
}

impl Diff {
    /// Shows it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        let to = self.to.map_or_else(|| tip(&api, &self.group), Ok)?;
        let from = self.from.unwrap_or(to.saturating_sub(1));
        let path = format!("/v1/groups/{}/diff?from={from}&to={}", encoded(&self.group), to.max(1));
        let mut sets = 0_u64;
        all_pages(&api, &path, |difference| {
            sets += 1;
            put(lines(difference).as_bytes()).map_err(CommandError::system("print the difference"))
        })?;
        let differ = if sets == 1 { "difference" } else { "differences" };
        warn(format!("{sets} {differ} between generations {from} and {to} of {}", self.group));
        Ok(())
    }
}

pub(super) fn lines(difference: &Value) -> String {
    let text = |member: &str| difference[member].as_str().unwrap_or_default();
    let (name, rtype) = (text("name"), text("type"));
    let side = |sign: &str, set: &Value| {
        let value = || told(set).map(|value| format!("{value}\n")).unwrap_or_default();
        match text("of") {
            "guard" if set.is_object() => return format!("{sign} guard {name} {rtype} {}", value()),
            "setting" if set.is_object() => return format!("{sign} setting {} {}", text("setting"), value()),
            _ => {}
        }
        let ttl = set["ttl"].as_u64().unwrap_or_default();
        let records = set["records"].as_array().into_iter().flatten().filter_map(Value::as_str);
        records.map(|record| format!("{sign} {name} {ttl} {rtype} {record}\n")).collect::<String>()
    };
    side("-", &difference["before"]) + &side("+", &difference["after"])
}

#[cfg(test)]
mod tests {
    use super::lines;
    use serde_json::json;

    #[test]
    fn both_sides_are_zone_file_lines() {
        let difference = json!({"zone": "example.", "name": "a.example.", "type": "A", "change": "replaced",
            "before": {"ttl": 60, "records": ["192.0.2.1"]}, "after": {"ttl": 60, "records": ["192.0.2.1", "192.0.2.2"]}});
        assert_eq!(
            lines(&difference),
            "- a.example. 60 A 192.0.2.1\n+ a.example. 60 A 192.0.2.1\n+ a.example. 60 A 192.0.2.2\n"
        );
        let gone =
            json!({"name": "a.example.", "type": "A", "before": {"ttl": 60, "records": ["192.0.2.1"]}, "after": null});
        assert_eq!(lines(&gone), "- a.example. 60 A 192.0.2.1\n");
    }

    #[test]
    fn guards_and_settings_are_said_in_words() {
        let guard = json!({"of": "guard", "zone": "example.", "name": "a.example.", "type": "A", "before": null, "after": {"minimum": 2}});
        assert_eq!(lines(&guard), "+ guard a.example. A at least 2\n");
        let setting = json!({"of": "setting", "zone": null, "name": null, "type": null, "setting": "velocity",
            "before": {"at_least": 2, "percent": 20}, "after": null});
        assert_eq!(lines(&setting), "- setting velocity 2 or 20 %\n");
    }
}
