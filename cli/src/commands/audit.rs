//! `holdfast audit`: what was done that is no plan, by whom, and why.

use serde_json::Value;

use super::history::seconds;
use super::table::lines;
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::{say, warn};

/// Shows the audit log: freezes, thaws, tokens given and ended, and every other act that is no plan; the newest first.
#[derive(Clone, Debug, clap::Args)]
pub struct Audit {
    /// Only acts on this group.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only acts of this kind, such as `freeze`.
    #[arg(long, value_name = "ACT")]
    act: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Only those below this number, to go on where a list ended.
    #[arg(long, value_name = "NUMBER")]
    after: Option<i64>,
}

impl Audit {
    /// Shows it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let mut path = format!("/v1/audit?limit={}", self.limit);
        for (name, value) in [("group", &self.group), ("act", &self.act), ("after", &self.after.map(|n| n.to_string()))]
        {
            path += &value.as_ref().map(|value| format!("&{name}={}", encoded(value))).unwrap_or_default();
        }
        let page = connection.client()?.get(&path)?;
        table(&page).iter().for_each(say);
        if let Some(next) = page["next"].as_str() {
            warn(format!("… and older ones: --after {next}"));
        }
        Ok(())
    }
}

fn table(page: &Value) -> Vec<String> {
    let head = ["NUMBER", "AT", "BY", "ACT", "GROUP", "WHAT", "WHY"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(page["items"].as_array().into_iter().flatten().map(row));
    lines(&rows)
}

fn row(act: &Value) -> Vec<String> {
    let text = |member: &str| act[member].as_str().unwrap_or("-").to_owned();
    let by = if act["via"] == "database-login" { format!("login {}", text("by")) } else { text("by") };
    vec![
        act["number"].to_string(),
        seconds(&text("at")),
        by,
        text("act"),
        text("group"),
        what(&act["detail"]),
        act["detail"]["reason"].as_str().unwrap_or("-").to_owned(),
    ]
}

/// "kind=freeze ring=fleet": every member that says something, but the reason, which has a column of its own.
pub(super) fn what(detail: &Value) -> String {
    let members =
        detail.as_object().into_iter().flatten().filter(|(name, value)| *name != "reason" && !value.is_null());
    let told = members.map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}={value}"),
    });
    let told = told.collect::<Vec<_>>().join(" ");
    if told.is_empty() { "-".to_owned() } else { told }
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn an_act_is_a_line() {
        let page = json!({"next": null, "items": [
            {"number": 7, "at": "2025-10-20T06:48:12.5Z", "by": "alice", "via": "token", "act": "freeze", "group": "shop",
             "detail": {"stop": 3, "kind": "freeze", "ring": null, "reason": "incident 12", "until": null}},
            {"number": 6, "at": "2025-10-20T06:00:00Z", "by": "holdfast", "via": "database-login", "act": "give-token",
             "group": null, "detail": {"name": "alice", "role": "operator", "groups": ["shop"], "suffixes": null}}]});
        assert_eq!(
            table(&page),
            [
                "NUMBER  AT                    BY              ACT         GROUP  WHAT                                      WHY",
                "7       2025-10-20T06:48:12Z  alice           freeze      shop   kind=freeze stop=3                        incident 12",
                "6       2025-10-20T06:00:00Z  login holdfast  give-token  -      groups=[\"shop\"] name=alice role=operator  -",
            ]
        );
    }
}
