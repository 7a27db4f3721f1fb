//! `holdfast history`: what became of a name, as a table.

use serde_json::Value;

use super::table::lines;
use super::{CommandError, Connection};
use crate::api_client::{encoded, zone_in_path};
use crate::terminal::{say, warn};

/// Shows what became of a name: each version with its generation, who made it, and why; the newest first.
#[derive(Clone, Debug, clap::Args)]
pub struct History {
    /// The zone.
    zone: String,
    /// The name: absolute, relative to the zone, or `@` for the zone itself.
    name: String,
    /// Only this record type.
    #[arg(value_name = "TYPE")]
    rtype: Option<String>,
    /// At most so many versions.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

impl History {
    /// Shows it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let rtype = self.rtype.as_ref().map(|rtype| format!("&type={}", encoded(rtype))).unwrap_or_default();
        let path = format!(
            "/v1/zones/{}/history?name={}&limit={}{rtype}",
            zone_in_path(&self.zone),
            encoded(&self.name),
            self.limit
        );
        let history = connection.client()?.get(&path)?;
        table(&history).iter().for_each(say);
        notes(&history).iter().for_each(warn);
        Ok(())
    }
}

fn table(history: &Value) -> Vec<String> {
    let head = ["GENERATION", "AT", "BY", "TYPE", "CHANGE", "RECORDS", "WHY"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(history["items"].as_array().into_iter().flatten().map(row));
    lines(&rows)
}

fn row(version: &Value) -> Vec<String> {
    let text = |member: &str| version[member].as_str().unwrap_or("-").to_owned();
    let rtype = match version["covered"].as_str() {
        Some(covered) => format!("{}({covered})", text("type")),
        None => text("type"),
    };
    let rtype = if version["of"] == "guard" { format!("{rtype} guard") } else { rtype };
    let records = match (side(&version["before"]), side(&version["after"])) {
        (Some(before), Some(after)) => format!("{before} -> {after}"),
        (Some(before), None) => format!("{before} -> gone"),
        (None, Some(after)) => after,
        (None, None) => "gone".to_owned(),
    };
    vec![
        version["generation"].to_string(),
        seconds(&text("at")),
        text("by"),
        rtype,
        text("change"),
        records,
        why(version),
    ]
}

/// "60 192.0.2.1, 192.0.2.2": the time to live, and the records; or what a guard or a setting says.
pub(super) fn side(set: &Value) -> Option<String> {
    if let Some(minimum) = set["minimum"].as_u64() {
        return Some(format!("at least {minimum}"));
    }
    if let (Some(at_least), Some(percent)) = (set["at_least"].as_u64(), set["percent"].as_u64()) {
        return Some(format!("{at_least} or {percent} %"));
    }
    if let Some(on) = set["on"].as_bool() {
        return Some(if on { "on" } else { "off" }.to_owned());
    }
    if let Some(reason) = set["reason"].as_str() {
        return Some(reason.to_owned());
    }
    let ttl = set["ttl"].as_u64()?;
    let records: Vec<&str> = set["records"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Some(format!("{ttl} {}", records.join(", ")))
}

/// The author's words, and what they acknowledged.
pub(super) fn why(plan: &Value) -> String {
    let mut why: Vec<String> = plan["reason"].as_str().map(str::to_owned).into_iter().collect();
    why.extend(plan["acknowledged"].as_array().into_iter().flatten().filter_map(|one| {
        Some(format!("acknowledged {}: {}", one["guard"].as_str()?, one["reason"].as_str().unwrap_or_default()))
    }));
    if why.is_empty() { "-".to_owned() } else { why.join("; ") }
}

/// Up to the second: "2025-10-20T06:48:12Z".
pub(super) fn seconds(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn notes(history: &Value) -> Vec<String> {
    let name = history["name"].as_str().unwrap_or_default();
    let mut notes = Vec::new();
    if history["items"].as_array().is_some_and(Vec::is_empty) {
        notes.push(format!("no plan that can still be read made anything of {name}"));
    }
    if history["next"].is_string() {
        notes.push("… and older ones: --limit N shows them".to_owned());
    } else if history["retired"] == true {
        notes.push(format!("older versions may have been retired: the floor is generation {}", history["floor"]));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::{notes, table};
    use serde_json::json;

    #[test]
    fn a_version_is_a_line() {
        let history = json!({"zone": "example.", "name": "a.example.", "floor": 3, "retired": true, "next": null, "items": [
            {"type": "A", "covered": null, "generation": 9, "at": "2025-10-20T06:48:12.123456Z", "by": "ci", "reason": "moved",
             "acknowledged": [{"guard": "deleted-share", "reason": "decommissioned"}], "change": "deleted",
             "before": {"ttl": 60, "records": ["192.0.2.1", "192.0.2.2"]}, "after": null},
            {"type": "A", "covered": null, "generation": 3, "at": "2025-10-19T00:00:00Z", "by": null, "reason": null,
             "acknowledged": [], "change": "set", "before": null, "after": {"ttl": 60, "records": ["192.0.2.1"]}},
            {"of": "guard", "type": "A", "covered": null, "generation": 2, "at": "2025-10-18T00:00:00Z", "by": null, "reason": null,
             "acknowledged": [], "change": "replaced", "before": {"minimum": 1}, "after": {"minimum": 2}}]});
        assert_eq!(
            table(&history),
            [
                "GENERATION  AT                    BY  TYPE     CHANGE    RECORDS                          WHY",
                "9           2025-10-20T06:48:12Z  ci  A        deleted   60 192.0.2.1, 192.0.2.2 -> gone  moved; acknowledged deleted-share: decommissioned",
                "3           2025-10-19T00:00:00Z  -   A        set       60 192.0.2.1                     -",
                "2           2025-10-18T00:00:00Z  -   A guard  replaced  at least 1 -> at least 2         -",
            ]
        );
        assert_eq!(notes(&history), ["older versions may have been retired: the floor is generation 3"]);
    }
}
