//! `holdfast status`: what is in force, and who serves it, on one screen.

use serde_json::Value;

use super::table::{age, lines};
use super::{CommandError, Connection};
use crate::terminal::say;

/// What is in force, and who serves it: groups with tip and heads, servers with what they serve.
#[derive(Clone, Debug, clap::Args)]
pub struct Status {
    /// At most so many groups and servers.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u16,
}

impl Status {
    /// Shows it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        let groups = api.get(&format!("/v1/groups?limit={}", self.limit))?;
        let servers = api.get(&format!("/v1/servers?limit={}", self.limit))?;
        let enactors = api.get(&format!("/v1/enactors?limit={}", self.limit))?;
        let mut screen = table(&groups, &["GROUP", "TIP", "HEADS", "FLOOR", "FROZEN"], group);
        screen.push(String::new());
        screen.extend(table(&servers, &["SERVER", "RING", "SEEN", "STATE", "SERVES"], server));
        screen.push(String::new());
        screen.extend(table(&enactors, &["ENACTOR", "SEEN", "STATE"], enactor));
        screen.iter().for_each(say);
        Ok(())
    }
}

fn table(page: &Value, head: &[&str], row: impl Fn(&Value) -> Vec<String>) -> Vec<String> {
    let mut rows = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
    rows.extend(page["items"].as_array().into_iter().flatten().map(row));
    let empty = rows.len() == 1;
    let mut lines = lines(&rows);
    if empty {
        lines.push("(none)".to_owned());
    } else if page["next"].is_string() {
        lines.push("… and more: --limit N shows them".to_owned());
    }
    lines
}

fn group(group: &Value) -> Vec<String> {
    let tip = number(&group["tip"]);
    let heads = group["heads"].as_object().into_iter().flatten().map(|(ring, head)| {
        let behind = tip.saturating_sub(number(&head["generation"]));
        let behind = if behind == 0 { String::new() } else { format!(" ({behind} behind)") };
        format!("{ring} {}{behind}", number(&head["generation"]))
    });
    let heads: Vec<String> = heads.collect();
    let heads = if heads.is_empty() { "-".to_owned() } else { heads.join(", ") };
    let stops: Vec<String> = group["frozen"].as_array().into_iter().flatten().map(stop).collect();
    let frozen = if stops.is_empty() { "-".to_owned() } else { stops.join("; ") };
    vec![plain(&group["group"]), tip.to_string(), heads, number(&group["floor"]).to_string(), frozen]
}

/// "incident 7", "incident 7 (ring fleet)", "HISTORY BEHIND: raise the epoch".
fn stop(stop: &Value) -> String {
    if stop["kind"] == "history-behind" {
        return "HISTORY BEHIND: raise the epoch".to_owned();
    }
    let reason = stop["reason"].as_str().unwrap_or_default();
    stop["ring"].as_str().map_or_else(|| reason.to_owned(), |ring| format!("{reason} (ring {ring})"))
}

fn server(server: &Value) -> Vec<String> {
    let serving = server["serving"].as_array();
    let shown = serving.into_iter().flatten().take(4).map(|one| {
        let group = one["group"].as_str().unwrap_or("an unknown group");
        format!("{group} {} for {}", number(&one["generation"]), age(number(&one["age_ms"])))
    });
    let mut serves: Vec<String> = shown.collect();
    let others = number(&server["serving_count"]).saturating_sub(serves.len() as u64);
    if others > 0 {
        serves.push(format!("and {others} more groups"));
    }
    let serves = if serves.is_empty() { "-".to_owned() } else { serves.join(", ") };
    let state = match server["fault"].as_str() {
        Some(fault) => format!("{}, fault: {fault}", liveness(server)),
        None => liveness(server).to_owned(),
    };
    vec![plain(&server["server"]), plain(&server["ring"]), seen(server), state, serves]
}

fn enactor(enactor: &Value) -> Vec<String> {
    vec![plain(&enactor["enactor"]), seen(enactor), liveness(enactor).to_owned()]
}

fn seen(one: &Value) -> String {
    format!("{} ago", age(number(&one["seen_age_ms"])))
}

fn liveness(one: &Value) -> &'static str {
    if one["live"] == true { "live" } else { "NOT LIVE" }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{group, server, table};
    use serde_json::json;

    #[test]
    fn a_screen_says_who_is_behind() {
        let page = json!({"items": [{"group": "demo", "tip": 7, "floor": 1, "frozen": null,
            "heads": {"canary": {"generation": 7}, "fleet": {"generation": 5}}},
            {"group": "shop", "tip": 1, "floor": 1, "heads": {}, "frozen": [
                {"kind": "freeze", "ring": "fleet", "reason": "incident 7"}, {"kind": "history-behind", "ring": null}]}], "next": "x"});
        assert_eq!(
            table(&page, &["GROUP", "TIP", "HEADS", "FLOOR", "FROZEN"], group),
            [
                "GROUP  TIP  HEADS                         FLOOR  FROZEN",
                "demo   7    canary 7, fleet 5 (2 behind)  1      -",
                "shop   1    -                             1      incident 7 (ring fleet); HISTORY BEHIND: raise the epoch",
                "… and more: --limit N shows them",
            ]
        );
        let one = json!({"server": "a", "ring": "fleet", "seen_age_ms": 300, "live": true, "fault": null,
            "serving_count": 3, "serving": [{"group": "demo", "generation": 7, "age_ms": 61_000}]});
        assert_eq!(server(&one)[3..], ["live", "demo 7 for 61 s, and 2 more groups"]);
    }
}
