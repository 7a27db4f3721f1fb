//! `holdfast plans`: what made a group's generations, and where each stands.

use serde_json::Value;

use super::diff::lines as difference;
use super::history::{seconds, why};
use super::table::lines;
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::{put, say, warn};

/// Shows the plans of a group, the newest first: who made them, why, and where each stands in every ring. Or one plan, with what it
/// changed.
#[derive(Clone, Debug, clap::Args)]
pub struct Plans {
    /// The group.
    group: String,
    /// The generation that the plan made; without one, a list.
    generation: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000), conflicts_with = "generation")]
    limit: u16,
    /// Only those below this generation, to go on where a list ended.
    #[arg(long, value_name = "GENERATION", conflicts_with = "generation")]
    after: Option<u64>,
}

impl Plans {
    /// Shows them.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        let path = format!("/v1/groups/{}/plans", encoded(&self.group));
        if let Some(generation) = self.generation {
            let plan = api.get(&format!("{path}/{generation}"))?;
            in_full(&plan).iter().for_each(say);
            let changes = plan["diff"]["items"].as_array().into_iter().flatten().map(difference).collect::<String>();
            put(changes.as_bytes()).map_err(CommandError::system("print the plan"))?;
            if plan["diff"]["next"].is_string() {
                let from = generation.saturating_sub(1);
                warn(format!("… and more: `holdfast diff {} {from} {generation}` shows them", self.group));
            }
            return Ok(());
        }
        let after = self.after.map(|after| format!("&after={after}")).unwrap_or_default();
        let page = api.get(&format!("{path}?limit={}{after}", self.limit))?;
        table(&page).iter().for_each(say);
        if let Some(next) = page["next"].as_str() {
            warn(format!("… and older ones: --after {next}"));
        }
        Ok(())
    }
}

fn table(page: &Value) -> Vec<String> {
    let head = ["GENERATION", "AT", "BY", "KIND", "CHANGES", "STATE", "WHY"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(page["items"].as_array().into_iter().flatten().map(row));
    lines(&rows)
}

fn row(plan: &Value) -> Vec<String> {
    let text = |member: &str| plan[member].as_str().unwrap_or("-").to_owned();
    let states: Vec<String> = by_ring(plan, |state| state.as_str().unwrap_or("-").to_owned());
    vec![
        plan["generation"].to_string(),
        seconds(&text("at")),
        text("by"),
        kind(plan),
        counts(&plan["changes"]),
        states.join(", "),
        why(plan),
    ]
}

/// "fleet served": in each ring, what `told` makes of the state there.
fn by_ring(plan: &Value, told: impl Fn(&Value) -> String) -> Vec<String> {
    let states = plan["states"].as_object().into_iter().flatten();
    states.map(|(ring, state)| format!("{ring} {}", told(state))).collect()
}

pub(super) fn kind(plan: &Value) -> String {
    let kind = plan["kind"].as_str().unwrap_or("-");
    let through = if plan["through_freeze"] == true { " through a freeze" } else { "" };
    match plan["rolled_back_to"].as_i64() {
        Some(to) => format!("{kind} to {to}{through}"),
        None => kind.to_owned(),
    }
}

/// "+1 ~2 -3": added, replaced, deleted.
fn counts(changes: &Value) -> String {
    let counts =
        [("+", "added"), ("~", "replaced"), ("-", "deleted")].map(|(sign, member)| (sign, changes[member].as_u64()));
    let told = counts
        .into_iter()
        .filter_map(|(sign, count)| count.filter(|count| *count > 0).map(|count| format!("{sign}{count}")));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "-".to_owned() } else { told.join(" ") }
}

fn in_full(plan: &Value) -> Vec<String> {
    let text = |member: &str| plan[member].as_str().unwrap_or("-").to_owned();
    let rebased = if plan["rebased"] == true { ", rebased" } else { "" };
    let row = |head: &str, told: String| vec![head.to_owned(), told];
    let mut rows = vec![
        row("plan", format!("generation {} of {}, id {}", plan["generation"], text("group"), text("id"))),
        row("made", format!("{} by {}", seconds(&text("at")), text("by"))),
        row("why", why(plan)),
        row("kind", format!("{}, base {}{rebased}", kind(plan), plan["base"])),
        row("changes", counts(&plan["changes"])),
    ];
    for verdict in ["passed", "failed"] {
        if let (Some(why), Some(by)) = (plan[verdict]["why"].as_str(), plan[verdict]["by"].as_str()) {
            let at = seconds(plan[verdict]["at"].as_str().unwrap_or_default());
            rows.push(row(verdict, format!("{at} by {by}: {why}")));
        }
    }
    let told = |state: &Value| {
        let behind: Vec<&str> = state["laggards"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let behind = if behind.is_empty() { String::new() } else { format!(", behind are {}", behind.join(", ")) };
        let head = state["head"].as_i64().map_or_else(|| "no head".to_owned(), |head| format!("head {head}"));
        format!("{} ({head}, {} live{behind})", state["state"].as_str().unwrap_or("-"), state["live"])
    };
    rows.extend(by_ring(plan, told).into_iter().map(|ring| row("ring", ring)));
    lines(&rows)
}

#[cfg(test)]
mod tests {
    use super::{in_full, table};
    use serde_json::json;

    #[test]
    fn a_plan_is_a_line() {
        let page = json!({"next": null, "items": [
            {"generation": 9, "at": "2025-10-20T06:48:12.5Z", "by": "alice", "kind": "rollback", "rolled_back_to": 7, "through_freeze": true,
             "changes": {"added": 0, "replaced": 2, "deleted": 1, "absent": 0}, "reason": "incident 12", "acknowledged": [],
             "states": {"canary": "served", "fleet": "admitted"}},
            {"generation": 8, "at": "2025-10-20T06:00:00Z", "by": null, "kind": "change", "rolled_back_to": null, "through_freeze": false,
             "changes": {"added": 3, "replaced": 0, "deleted": 0, "absent": 0}, "reason": null, "acknowledged": [],
             "states": {"canary": "failed", "fleet": "failed"}}]});
        assert_eq!(
            table(&page),
            [
                "GENERATION  AT                    BY     KIND                            CHANGES  STATE                          WHY",
                "9           2025-10-20T06:48:12Z  alice  rollback to 7 through a freeze  ~2 -1    canary served, fleet admitted  incident 12",
                "8           2025-10-20T06:00:00Z  -      change                          +3       canary failed, fleet failed    -",
            ]
        );
    }

    #[test]
    fn a_plan_in_full_says_who_is_behind() {
        let plan = json!({"group": "shop", "generation": 9, "id": "ab", "at": "2025-10-20T06:48:12.5Z", "by": "alice", "kind": "change",
            "rolled_back_to": null, "base": 7, "rebased": true, "reason": "more room", "acknowledged": [],
            "changes": {"added": 1, "replaced": 0, "deleted": 0, "absent": 0}, "passed": null,
            "failed": {"why": "server b was lost", "by": "enactor-1", "at": "2025-10-20T06:48:15Z"},
            "states": {"fleet": {"state": "failed", "head": 9, "live": 2, "laggards": ["a"]}}});
        assert_eq!(
            in_full(&plan),
            [
                "plan     generation 9 of shop, id ab",
                "made     2025-10-20T06:48:12Z by alice",
                "why      more room",
                "kind     change, base 7, rebased",
                "changes  +1",
                "failed   2025-10-20T06:48:15Z by enactor-1: server b was lost",
                "ring     fleet failed (head 9, 2 live, behind are a)",
            ]
        );
    }
}
