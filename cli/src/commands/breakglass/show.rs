//! What is in force, read straight from the database.

use control_plane::breakglass::{BreakGlass, StopFound};
use control_plane::reading::{EnactorSeen, GroupFound, PlanFound, ServerSeen};
use uuid::Uuid;
use zone_model::GroupName;

use crate::commands::CommandError;
use crate::commands::table::{age, lines};

/// Shows what is in force, who serves it and what is stopped; of one group also its newest generations.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Show {
    /// Only this group, with its generations.
    group: Option<String>,
    /// At most so many groups, servers, generations.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

impl Show {
    pub(super) async fn run(&self, database: &BreakGlass) -> Result<Vec<String>, CommandError> {
        let (reading, limit) = (database.reading(), i64::from(self.limit));
        let mut said = Vec::new();
        match &self.group {
            None => {
                let groups = reading.groups("", limit).await?;
                said.extend(table(["GROUP", "TIP", "HEADS", "FLOOR"], groups.iter().map(group)));
            }
            Some(name) => {
                let found = GroupName::parse(name).map_err(|why| CommandError::NotReached(why.to_string()))?;
                let found = reading.group(&found).await?;
                said.extend(table(["GROUP", "TIP", "HEADS", "FLOOR"], [group(&found)]));
                let plans = reading.plans(&found, i64::MAX, limit).await?;
                said.push(String::new());
                said.extend(table(["GENERATION", "ID", "ADMITTED", "BY", "CHANGES", "WHY"], plans.iter().map(plan)));
            }
        }
        let servers = reading.servers(("", Uuid::nil()), limit, None, self.group.as_deref()).await?;
        said.push(String::new());
        said.extend(table(["SERVER", "RING", "SEEN", "STATE", "SAYS IT SERVES"], servers.iter().map(server)));
        let enactors = reading.enactors("", limit).await?;
        said.push(String::new());
        said.extend(table(["ENACTOR", "SEEN", "STATE"], enactors.iter().map(enactor)));
        said.push(String::new());
        said.extend(stops(&database.stops().await?));
        Ok(said)
    }
}

fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut all = vec![head.map(str::to_owned).to_vec()];
    all.extend(rows);
    let empty = all.len() == 1;
    let mut lines = lines(&all);
    if empty {
        lines.push("(none)".to_owned());
    }
    lines
}

/// The stops, as a table.
pub(super) fn stops(stops: &[StopFound]) -> Vec<String> {
    let row = |stop: &StopFound| {
        let or_every = |name: &Option<String>| name.clone().unwrap_or_else(|| "(every)".to_owned());
        let left = stop.left_ms.map_or("-".to_owned(), |left| format!("in {}", age(milliseconds(left))));
        let since = format!("{} ago", age(milliseconds(stop.age_ms)));
        let (group, ring) = (or_every(&stop.zone_group), or_every(&stop.ring));
        vec![stop.kind.clone(), group, ring, since, left, stop.by.clone(), stop.reason.clone()]
    };
    table(["STOP", "GROUP", "RING", "SINCE", "ENDS", "BY", "WHY"], stops.iter().map(row))
}

fn group(group: &GroupFound) -> Vec<String> {
    let tip = group.tip.generation.get();
    let heads = group.heads.iter().map(|head| {
        let at = head.version.generation.get();
        let behind = if at < tip { format!(" ({} behind)", tip - at) } else { String::new() };
        format!("{} {at}{behind}", head.ring)
    });
    let heads: Vec<String> = heads.collect();
    let heads = if heads.is_empty() { "-".to_owned() } else { heads.join(", ") };
    vec![group.name.clone(), tip.to_string(), heads, group.floor.to_string()]
}

fn plan(plan: &PlanFound) -> Vec<String> {
    let [added, replaced, deleted, _] = plan.counts;
    vec![
        plan.version.generation.to_string(),
        plan.version.id.to_string()[..12].to_owned(),
        plan.at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        plan.by.clone().unwrap_or_else(|| "-".to_owned()),
        format!("+{added} ~{replaced} -{deleted}"),
        plan.reason.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

fn server(server: &ServerSeen) -> Vec<String> {
    let shown = server.serving.iter().take(4).map(|one| {
        let group = one.group.as_deref().unwrap_or("an unknown group");
        format!("{group} {}", one.version.generation)
    });
    let mut serves: Vec<String> = shown.collect();
    let others = usize::try_from(server.serving_count).unwrap_or_default().saturating_sub(serves.len());
    if others > 0 {
        serves.push(format!("and {others} more groups"));
    }
    let serves = if serves.is_empty() { "-".to_owned() } else { serves.join(", ") };
    let fault = server.fault.as_ref().map_or(String::new(), |fault| format!(", fault: {fault}"));
    let state = format!("{}{fault}", state(server.live));
    vec![server.server.clone(), server.ring.clone(), seen(server.seen_age_ms), state, serves]
}

fn enactor(enactor: &EnactorSeen) -> Vec<String> {
    vec![enactor.enactor.clone(), seen(enactor.seen_age_ms), state(enactor.live).to_owned()]
}

const fn state(live: bool) -> &'static str {
    if live { "live" } else { "NOT LIVE" }
}

fn seen(age_ms: i64) -> String {
    format!("{} ago", age(milliseconds(age_ms)))
}

fn milliseconds(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
