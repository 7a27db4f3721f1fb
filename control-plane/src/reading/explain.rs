//! Why a name answers what it answers: everything about it, as of one snapshot.

mod look;
mod way;

pub use look::{Gone, Step};
pub use way::{Finding, Standing};

use super::plans::read_plan;
use super::{PlanFound, ReadError, Reading, read_version};
use chrono::{DateTime, Utc};
use look::{Look, Snapshot, ZoneSeen};
use std::collections::BTreeMap;
use zone_model::{Name, RecordType, Version};

/// At how many generations is looked, besides that which is explained: those of heads and tip first, then what servers
/// report.
const GENERATIONS_LOOKED_AT_MAX: usize = 12;

/// Why a name answers what it answers.
#[derive(Debug)]
pub struct Explanation {
    /// When the snapshot was taken, by the database's clock.
    pub at: DateTime<Utc>,
    /// The ring whose answer is explained.
    pub ring: String,
    /// The zone that the question is in, and what is in force of its group; none where no zone is at or above the name.
    pub place: Option<Place>,
    /// How the answer comes about, step by step; the last one is what is answered. None where no zone is in force.
    pub steps: Vec<Step>,
}

/// The group that an answer comes from.
#[derive(Debug)]
pub struct Place {
    /// The zone.
    pub zone: Name,
    /// Its group.
    pub group: String,
    /// The generation in force in the ring; none if none is.
    pub version: Option<Version>,
    /// The group's newest generation.
    pub tip: Version,
    /// What is answered at the tip; none if the same.
    pub at_tip: Option<Vec<Step>>,
    /// The plans of the generations that the steps speak of.
    pub plans: BTreeMap<i64, PlanFound>,
    /// Every ring, the first one first.
    pub rings: Vec<RingSeen>,
    /// What keeps heads from moving.
    pub stops: Vec<StopSeen>,
    /// Every server.
    pub servers: Vec<ServerStands>,
}

/// What is in force in a ring.
#[derive(Debug)]
pub struct RingSeen {
    /// The ring.
    pub ring: String,
    /// Its head; none if the group never moved there.
    pub head: Option<Version>,
    /// What is answered there.
    pub steps: Vec<Step>,
    /// Whether that is what is explained.
    pub same: bool,
}

/// A stop in force.
#[derive(Debug)]
pub struct StopSeen {
    /// `freeze`, `history-behind` or `auditor`.
    pub kind: String,
    /// Whether it covers every group.
    pub every_group: bool,
    /// The ring that it covers; none for every ring.
    pub ring: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Until when, if whoever stopped it said so.
    pub until: Option<DateTime<Utc>>,
}

/// A server, and whether it has what is explained.
#[derive(Debug)]
pub struct ServerStands {
    /// Its name.
    pub server: String,
    /// Its ring.
    pub ring: String,
    /// Whether it said anything within the last 3 seconds.
    pub live: bool,
    /// How long ago it said anything, by the database's clock.
    pub seen_age_ms: i64,
    /// What it says is wrong with it.
    pub fault: Option<String>,
    /// What it says it serves of the group; none for nothing.
    pub serving: Option<Version>,
    /// How long ago it installed that.
    pub age_ms: Option<i64>,
    /// How that stands to its ring's head.
    pub standing: Stands,
    /// Whether it answers what is explained; none if nobody looked, because too many generations are being served.
    pub same: Option<bool>,
}

/// How what a server serves stands to its ring's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It is the head.
    Current,
    /// It is older.
    Lagging,
    /// It serves nothing of the group.
    Nothing,
    /// It is something that the history does not have, or newer than the head.
    Foreign,
}

impl Reading {
    /// Why `name` answers what it answers, asked for `rtype`, in `ring`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn explain(&self, name: &Name, rtype: RecordType, ring: &str) -> Result<Explanation, ReadError> {
        let mut snapshot = Snapshot::begin(self).await?;
        let at = snapshot.taken_at().await?;
        let zones = snapshot.zones_around(name).await?;
        let look = Look { ring, pinned: None };
        let zone = match look.zone_for(&mut snapshot, &zones, name, rtype).await? {
            Some(zone) => Some(zone.clone()),
            None => snapshot.closest_at_tip(&zones).await?,
        };
        let Some(zone) = zone else {
            return Ok(Explanation { at, ring: ring.to_owned(), place: None, steps: Vec::new() });
        };
        let steps = look.follow(&mut snapshot, zone.zone_group, name, rtype).await?;
        let place = place(&mut snapshot, &zone, &steps, (name, rtype, ring)).await?;
        Ok(Explanation { at, ring: ring.to_owned(), place: Some(place), steps })
    }
}

async fn place(
    snapshot: &mut Snapshot,
    zone: &ZoneSeen,
    steps: &[Step],
    (name, rtype, ring): (&Name, RecordType, &str),
) -> Result<Place, ReadError> {
    let group = zone.zone_group;
    let heads = snapshot.heads(group).await?.to_vec();
    let version = heads.iter().find(|(of, _)| of == ring).and_then(|(_, head)| *head);
    let mut rings = Vec::with_capacity(heads.len());
    for (of, head) in &heads {
        let steps_there = Look { ring: of, pinned: None }.follow(snapshot, group, name, rtype).await?;
        let same = head.is_some() && steps_there == steps;
        rings.push(RingSeen { ring: of.clone(), head: *head, steps: steps_there, same });
    }
    let pinned = |generation| Look { ring, pinned: Some((group, generation)) };
    let at_tip = pinned(zone.tip.generation.get()).follow(snapshot, group, name, rtype).await?;
    let mut known: BTreeMap<i64, bool> = heads
        .iter()
        .zip(&rings)
        .filter_map(|((_, head), seen)| Some((head.as_ref()?.generation.get(), seen.same)))
        .collect();
    let mut servers = servers(snapshot, group, &heads).await?;
    for server in &mut servers {
        let Some(serving) = server.serving.filter(|_| server.standing != Stands::Foreign) else { continue };
        let generation = serving.generation.get();
        if !known.contains_key(&generation) && known.len() < GENERATIONS_LOOKED_AT_MAX && generation >= zone.floor {
            let there = pinned(generation).follow(snapshot, group, name, rtype).await?;
            known.insert(generation, there == steps);
        }
        server.same = known.get(&generation).copied();
    }
    let at_tip = (at_tip != steps).then_some(at_tip);
    let mut plans = BTreeMap::new();
    for generation in steps.iter().chain(at_tip.iter().flatten()).flat_map(Step::generations) {
        if let Some(plan) = read_plan(snapshot.connection(), group, generation).await? {
            plans.insert(generation, plan);
        }
    }
    Ok(Place {
        zone: zone.name.clone(),
        group: zone.group.clone(),
        version,
        tip: zone.tip,
        at_tip,
        plans,
        rings,
        stops: stops(snapshot, group).await?,
        servers,
    })
}

async fn stops(snapshot: &mut Snapshot, group: i64) -> Result<Vec<StopSeen>, ReadError> {
    let stops = sqlx::query_file_as!(StopSeen, "queries/reading/stops_over_group.sql", group);
    Ok(stops.fetch_all(snapshot.connection()).await?)
}

async fn servers(
    snapshot: &mut Snapshot,
    group: i64,
    heads: &[(String, Option<Version>)],
) -> Result<Vec<ServerStands>, ReadError> {
    let rows =
        sqlx::query_file!("queries/reading/servers_of_group.sql", group).fetch_all(snapshot.connection()).await?;
    let mut servers = Vec::with_capacity(rows.len());
    for row in rows {
        let serving = match (row.generation, row.id) {
            (Some(generation), Some(id)) => Some(read_version(generation, &id)?),
            _ => None,
        };
        let head = heads.iter().find(|(ring, _)| *ring == row.ring).and_then(|(_, head)| *head);
        servers.push(ServerStands {
            standing: stands(serving, head),
            server: row.server,
            ring: row.ring,
            live: row.live,
            seen_age_ms: row.seen_age_ms,
            fault: row.fault,
            serving,
            age_ms: row.age_ms,
            same: None,
        });
    }
    Ok(servers)
}

fn stands(serving: Option<Version>, head: Option<Version>) -> Stands {
    match (serving, head) {
        (None, _) => Stands::Nothing,
        (Some(serving), Some(head)) if serving == head => Stands::Current,
        (Some(serving), Some(head)) if serving.generation < head.generation => Stands::Lagging,
        (Some(_), _) => Stands::Foreign,
    }
}
