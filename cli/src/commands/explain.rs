//! `holdfast explain`: why a name answers what it answers, on one screen.

use serde_json::Value;

use super::history::{seconds, side, why};
use super::plans::kind;
use super::table::{age, lines};
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::say;

/// Explains why a name answers what it answers: which plan set it, whose that was and why, and which rings and servers have it.
#[derive(Clone, Debug, clap::Args)]
pub struct Explain {
    /// The name, absolute, with or without its last dot.
    name: String,
    /// The record type.
    #[arg(value_name = "TYPE", default_value = "A")]
    rtype: String,
    /// Whose answer: by default that of the last ring that is not delayed.
    #[arg(long, value_name = "RING")]
    ring: Option<String>,
    /// Prints what the API said, as JSON.
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Explains it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let name = if self.name == "." { "@root" } else { &self.name };
        let ring = self.ring.as_ref().map(|ring| format!("&ring={}", encoded(ring))).unwrap_or_default();
        let path = format!("/v1/explain?name={}&type={}{ring}", encoded(name), encoded(&self.rtype));
        let told = connection.client()?.get(&path)?;
        if self.json {
            say(format!("{told:#}"));
        } else {
            screen(&told).iter().for_each(say);
        }
        Ok(())
    }
}

fn screen(told: &Value) -> Vec<String> {
    let (name, rtype, ring) = (text(told, "name"), text(told, "type"), text(told, "ring"));
    let at = seconds(text(told, "at"));
    let mut screen = vec![format!("{name} {rtype}, in ring {ring}, as of {at}")];
    let Some(group) = told["group"].as_str() else {
        screen.push("  no zone of ours is at or above this name: servers refuse to answer".to_owned());
        return screen;
    };
    steps(&told["steps"], &told["plans"], "  ", &mut screen);
    screen.push(String::new());
    let zone = text(told, "zone");
    let (head, tip) = (version(&told["head"]), version(&told["tip"]));
    screen.push(format!("zone {zone} of group {group}: {head} is in force, {tip} is the newest"));
    if told["at_tip"].is_array() {
        screen.push("the newest generation answers something else:".to_owned());
        steps(&told["at_tip"], &told["plans"], "  ", &mut screen);
    }
    for stop in items(&told["stops"]) {
        screen.push(stopped(stop));
    }
    let mut rows = vec![cells(["RING", "HEAD", "HAS IT"])];
    rows.extend(items(&told["rings"]).map(|ring| {
        let has_it = if ring["same"] == true { "yes".to_owned() } else { otherwise(ring) };
        vec![text(ring, "ring").to_owned(), version(&ring["head"]), has_it]
    }));
    screen.push(String::new());
    screen.extend(lines(&rows));
    let mut rows = vec![cells(["SERVER", "RING", "SEEN", "STATE", "SERVES", "HAS IT"])];
    rows.extend(items(&told["servers"]).map(server));
    if rows.len() == 1 {
        rows.push(cells(["(none)"]));
    }
    screen.push(String::new());
    screen.extend(lines(&rows));
    screen
}

fn steps(steps: &Value, plans: &Value, indent: &str, screen: &mut Vec<String>) {
    for step in items(steps) {
        let sets: Vec<&Value> = items(&step["sets"]).collect();
        screen.push(format!("{indent}{}", finding(step, sets.first().copied())));
        for set in &sets {
            screen.push(format!("{indent}  {} {}", text(set, "type"), side(set).unwrap_or_default()));
            screen.push(format!("{indent}  set by {}", plan(&set["generation"], plans)));
        }
        if let Some(rtype) = step["gone"]["type"].as_str() {
            screen.push(format!("{indent}  {rtype} was taken away by {}", plan(&step["gone"]["generation"], plans)));
        }
    }
}

fn finding(step: &Value, set: Option<&Value>) -> String {
    let name = text(step, "name");
    let owner = step["owner"].as_str().filter(|owner| !owner.eq_ignore_ascii_case(name));
    let encloser = step["closest_encloser"].as_str();
    let rtype = set.map_or("", |set| text(set, "type"));
    match (text(step, "finding"), owner, encloser) {
        ("answer", Some(owner), _) => format!("{name} has {rtype} by the wildcard {owner}"),
        ("answer", None, _) => format!("{name} has {rtype}"),
        ("no-data", Some(owner), _) => format!("{name} exists by the wildcard {owner}, without data of this type"),
        ("no-data", None, _) => format!("{name} exists, without data of this type"),
        ("no-such-name", _, Some(encloser)) => {
            format!("{name} does not exist; the closest name above that does is {encloser}")
        }
        ("referral", Some(owner), _) => format!("{name} is below {owner}, which is delegated"),
        ("referral", ..) => format!("{name} is delegated"),
        ("alias", Some(owner), _) => format!("{name} is an alias by the wildcard {owner}"),
        ("alias", None, _) => format!("{name} is an alias"),
        ("redirection", Some(owner), _) => format!("{name} is redirected by {owner}"),
        ("elsewhere", ..) => format!("{name} is in no zone that is in force here"),
        ("another-group", ..) => {
            let (zone, group) = (text(step, "zone"), text(step, "group"));
            format!("{name} is in zone {zone} of another group, {group}: ask about it")
        }
        ("endless", ..) => format!("{name}: the aliases never end"),
        (other, ..) => format!("{name}: {other}"),
    }
}

/// "generation 42 (change by ci, 2025-10-20T06:48:12Z): moved".
fn plan(generation: &Value, plans: &Value) -> String {
    let plan = &plans[generation.to_string()];
    if plan.is_null() {
        return format!("generation {generation}, whose plan is forgotten");
    }
    let (by, at) = (plan["by"].as_str().unwrap_or("nobody"), seconds(text(plan, "at")));
    format!("generation {generation} ({} by {by}, {at}): {}", kind(plan), why(plan))
}

fn stopped(stop: &Value) -> String {
    let whom = if stop["every_group"] == true { "every group" } else { "the group" };
    let ring = stop["ring"].as_str().map_or_else(|| "every ring".to_owned(), |ring| format!("ring {ring}"));
    let until = stop["until"].as_str().map(|until| format!(", until {}", seconds(until))).unwrap_or_default();
    let (by, at) = (text(stop, "by"), seconds(text(stop, "at")));
    format!("STOPPED ({}): {whom} in {ring} by {by} at {at}{until}: {}", text(stop, "kind"), text(stop, "reason"))
}

/// "no: 60 192.0.2.1".
fn otherwise(ring: &Value) -> String {
    let Some(last) = ring["steps"].as_array().and_then(|steps| steps.last()) else { return "no".to_owned() };
    match items(&last["sets"]).next().and_then(side) {
        Some(records) => format!("no: {records}"),
        None => format!("no: {}", text(last, "finding")),
    }
}

fn server(server: &Value) -> Vec<String> {
    let live = if server["live"] == true { "live" } else { "NOT LIVE" };
    let standing = text(server, "standing");
    let fault = server["fault"].as_str().map(|fault| format!(", fault: {fault}")).unwrap_or_default();
    let has_it = match server["same"].as_bool() {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    vec![
        text(server, "server").to_owned(),
        text(server, "ring").to_owned(),
        format!("{} ago", age(server["seen_age_ms"].as_u64().unwrap_or_default())),
        format!("{live}, {standing}{fault}"),
        server["serving"]["generation"].as_i64().map_or_else(|| "-".to_owned(), |generation| generation.to_string()),
        has_it.to_owned(),
    ]
}

fn version(version: &Value) -> String {
    version["generation"].as_i64().map_or_else(|| "nothing".to_owned(), |generation| format!("generation {generation}"))
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or("-")
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn cells<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::screen;
    use serde_json::json;

    #[test]
    fn a_screen_tells_it_all() {
        let plan = |by: &str, reason: &str, at: &str| json!({"kind": "change", "rolled_back_to": null, "by": by, "reason": reason, "at": at, "acknowledged": []});
        let told = json!({"name": "api.shop.example.", "type": "A", "at": "2025-10-20T06:50:00.5Z", "ring": "fleet", "outcome": "answer",
            "zone": "shop.example.", "group": "shop", "head": {"generation": 42, "id": "ab"}, "tip": {"generation": 43, "id": "cd"},
            "steps": [
                {"name": "api.shop.example.", "zone": "shop.example.", "group": "shop", "finding": "alias", "owner": "api.shop.example.",
                 "sets": [{"type": "CNAME", "ttl": 60, "records": ["lb.shop.example."], "generation": 7}], "closest_encloser": null, "gone": null},
                {"name": "lb.shop.example.", "zone": "shop.example.", "group": "shop", "finding": "answer", "owner": "*.shop.example.",
                 "sets": [{"type": "A", "ttl": 30, "records": ["192.0.2.1"], "generation": 42}], "closest_encloser": "shop.example.", "gone": null}],
            "at_tip": [{"name": "api.shop.example.", "finding": "no-such-name", "owner": null, "sets": [], "closest_encloser": "shop.example.",
                 "gone": {"type": "CNAME", "generation": 43}}],
            "plans": {"7": plan("ci", "first", "2025-10-19T00:00:00Z"), "42": plan("bob", "new balancer", "2025-10-20T06:00:00Z"), "43": plan("bot", "tidy", "2025-10-20T06:40:00Z")},
            "rings": [{"ring": "canary", "head": {"generation": 43, "id": "cd"}, "same": false, "steps": [{"finding": "no-such-name", "sets": []}]},
                      {"ring": "fleet", "head": {"generation": 42, "id": "ab"}, "same": true}],
            "stops": [{"kind": "freeze", "every_group": false, "ring": "fleet", "reason": "incident 12", "by": "alice", "at": "2025-10-20T06:41:00Z", "until": null}],
            "servers": [{"server": "a", "ring": "fleet", "live": true, "seen_age_ms": 300, "fault": null, "serving": {"generation": 42}, "serving_age_ms": 9, "standing": "current", "same": true},
                        {"server": "b", "ring": "fleet", "live": false, "seen_age_ms": 61_000, "fault": null, "serving": {"generation": 41}, "serving_age_ms": 9, "standing": "lagging", "same": false}]});
        assert_eq!(
            screen(&told),
            [
                "api.shop.example. A, in ring fleet, as of 2025-10-20T06:50:00Z",
                "  api.shop.example. is an alias",
                "    CNAME 60 lb.shop.example.",
                "    set by generation 7 (change by ci, 2025-10-19T00:00:00Z): first",
                "  lb.shop.example. has A by the wildcard *.shop.example.",
                "    A 30 192.0.2.1",
                "    set by generation 42 (change by bob, 2025-10-20T06:00:00Z): new balancer",
                "",
                "zone shop.example. of group shop: generation 42 is in force, generation 43 is the newest",
                "the newest generation answers something else:",
                "  api.shop.example. does not exist; the closest name above that does is shop.example.",
                "    CNAME was taken away by generation 43 (change by bot, 2025-10-20T06:40:00Z): tidy",
                "STOPPED (freeze): the group in ring fleet by alice at 2025-10-20T06:41:00Z: incident 12",
                "",
                "RING    HEAD           HAS IT",
                "canary  generation 43  no: no-such-name",
                "fleet   generation 42  yes",
                "",
                "SERVER  RING   SEEN        STATE              SERVES  HAS IT",
                "a       fleet  300 ms ago  live, current      42      yes",
                "b       fleet  61 s ago    NOT LIVE, lagging  41      no",
            ]
        );
    }

    #[test]
    fn a_name_outside_of_all_zones_is_told_as_such() {
        let told = json!({"name": "a.", "type": "A", "at": "2025-10-20T06:50:00Z", "ring": "fleet", "group": null});
        assert_eq!(screen(&told)[1], "  no zone of ours is at or above this name: servers refuse to answer");
    }
}
