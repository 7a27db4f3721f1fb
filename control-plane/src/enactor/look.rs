//! The whole truth that enactors decide on, read in one statement and so in one snapshot.

use crate::store::StoreError;
use plan_rules::{Course, Head, Known, Report, Ring, RingName, Rings, Server, Stop, StopKind};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;
use zone_model::{Generation, GroupName, Id, Version};

/// What one look found.
#[derive(Debug)]
pub struct Look {
    /// What all groups share.
    pub rings: Rings,
    /// The groups in which something may have to happen.
    pub groups: Vec<OpenGroup>,
}

/// A group in which something may have to happen.
#[derive(Debug)]
pub struct OpenGroup {
    /// Its number in the database.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its history, as far as it decides something; or what is damaged there, which is no other group's concern.
    pub course: Result<Course, String>,
}

impl Look {
    /// Looks, as the enactor `name` in its start `instance`.
    ///
    /// # Errors
    /// When the database cannot be asked, or what all groups share is damaged.
    pub async fn take(pool: &PgPool, name: &str, instance: Uuid) -> Result<Self, StoreError> {
        let rows = sqlx::query_file!("queries/enactment/look.sql", name, instance).fetch_all(pool).await?;
        let (mut rings, mut groups) = (Rings::default(), Vec::with_capacity(rows.len()));
        for row in rows {
            match row.zone_group {
                None => {
                    let world: WorldRow = serde_json::from_value(row.found).map_err(damaged)?;
                    rings = world.read().map_err(StoreError::Damaged)?;
                }
                Some(number) => groups.push((number, row.name, row.found)),
            }
        }
        let first = rings.rings.iter().find(|(_, ring)| ring.first).map(|(name, _)| name.clone());
        let groups = groups.into_iter().map(|(number, name, found)| {
            let course = course(&name, found, first.as_ref());
            OpenGroup { number, name, course }
        });
        Ok(Self { groups: groups.collect(), rings })
    }

    /// The rings, the first one first: what it is found to have proved, the others may take.
    #[must_use]
    pub fn rings_in_order(&self) -> Vec<RingName> {
        let mut rings: Vec<_> = self.rings.rings.iter().collect();
        rings.sort_by_key(|(_, ring)| (!ring.first, ring.delay));
        rings.into_iter().map(|(name, _)| name.clone()).collect()
    }
}

fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(error.to_string())
}

#[derive(Deserialize)]
struct WorldRow {
    rings: Option<Vec<RingRow>>,
    servers: Option<Vec<ServerRow>>,
    stops: Option<Vec<StopRow>>,
    watched_ms: Option<u64>,
}

#[derive(Deserialize)]
struct RingRow {
    ring: String,
    first: bool,
    soak_ms: u64,
    delay_ms: u64,
    servers_min: usize,
}

#[derive(Deserialize)]
struct ServerRow {
    server: String,
    ring: String,
    seen_ms: u64,
    started_ms: u64,
    forgotten: bool,
    doubled: bool,
}

#[derive(Deserialize)]
struct StopRow {
    kind: String,
    group: Option<String>,
    ring: Option<String>,
}

#[derive(Deserialize)]
struct CourseRow {
    heads: Option<Vec<HeadRow>>,
    known: Option<Vec<KnownRow>>,
    reports: Option<Vec<ReportRow>>,
}

#[derive(Deserialize)]
struct HeadRow {
    ring: String,
    generation: i64,
    id: Option<String>,
    age_ms: u64,
    expected: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
struct KnownRow {
    generation: i64,
    id: String,
    failed: bool,
    passed_ms: Option<u64>,
    answers_passed: bool,
    rolled_back: bool,
    through_freeze: Option<bool>,
}

#[derive(Deserialize)]
struct ReportRow {
    server: String,
    generation: i64,
    id: String,
    age_ms: u64,
    refused_generation: Option<i64>,
    refused_id: Option<String>,
    fault: Option<String>,
}

impl WorldRow {
    fn read(self) -> Result<Rings, String> {
        let mut rings = BTreeMap::new();
        for row in self.rings.unwrap_or_default() {
            let ring = Ring {
                first: row.first,
                soak: Duration::from_millis(row.soak_ms),
                delay: Duration::from_millis(row.delay_ms),
                servers_min: row.servers_min,
            };
            rings.insert(ring_name(&row.ring)?, ring);
        }
        let mut servers = BTreeMap::new();
        for row in self.servers.unwrap_or_default() {
            let server = Server {
                ring: ring_name(&row.ring)?,
                seen: Duration::from_millis(row.seen_ms),
                started: Duration::from_millis(row.started_ms),
                forgotten: row.forgotten,
                doubled: row.doubled,
            };
            servers.insert(row.server, server);
        }
        let mut stops = Vec::new();
        for row in self.stops.unwrap_or_default() {
            stops.push(Stop {
                // Whatever a newer version stops for, nothing passes it.
                kind: StopKind::parse(&row.kind).unwrap_or(StopKind::HistoryBehind),
                group: row.group.as_deref().map(group_name).transpose()?,
                ring: row.ring.as_deref().map(ring_name).transpose()?,
            });
        }
        let watched = Duration::from_millis(self.watched_ms.unwrap_or_default());
        Ok(Rings { rings, servers, stops, watched })
    }
}

fn course(name: &str, found: Value, first: Option<&RingName>) -> Result<Course, String> {
    let row: CourseRow = serde_json::from_value(found).map_err(|error| error.to_string())?;
    let mut heads = BTreeMap::new();
    for row in row.heads.unwrap_or_default() {
        let id = row.id.ok_or_else(|| {
            format!("the head in ring {} is generation {}, which does not exist", row.ring, row.generation)
        })?;
        let head = Head {
            version: version(row.generation, &id)?,
            age: Duration::from_millis(row.age_ms),
            expected: row.expected.unwrap_or_default(),
        };
        heads.insert(ring_name(&row.ring)?, head);
    }
    let mut generations = BTreeMap::new();
    for row in row.known.unwrap_or_default() {
        let version = version(row.generation, &row.id)?;
        let known = Known {
            id: version.id,
            failed: row.failed,
            passed: row.passed_ms.map(Duration::from_millis),
            answers_passed: row.answers_passed,
            rolled_back: row.rolled_back,
            through_freeze: row.through_freeze.unwrap_or_default(),
        };
        generations.insert(version.generation, known);
    }
    let proving = first.and_then(|first| heads.get(first)).map(|head| head.version);
    let mut reports = BTreeMap::new();
    for row in row.reports.unwrap_or_default() {
        let refused = match (row.refused_generation, &row.refused_id) {
            (Some(generation), Some(id)) => Some(version(generation, id)?),
            _ => None,
        };
        // What was refused before says nothing about the generation that is to be proved now.
        let fault = row.fault.filter(|_| refused.is_some() && refused == proving);
        let report =
            Report { version: version(row.generation, &row.id)?, age: Duration::from_millis(row.age_ms), fault };
        reports.insert(row.server, report);
    }
    Ok(Course { group: group_name(name)?, generations, heads, reports })
}

fn version(generation: i64, id: &str) -> Result<Version, String> {
    let generation = Generation::new(generation).ok_or_else(|| format!("generation {generation}"))?;
    let id = Id::parse(id).ok_or_else(|| format!("generation {generation} has the id `{id}`"))?;
    Ok(Version { generation, id })
}

fn ring_name(text: &str) -> Result<RingName, String> {
    RingName::parse(text).ok_or_else(|| format!("ring `{text}`"))
}

fn group_name(text: &str) -> Result<GroupName, String> {
    GroupName::parse(text).map_err(|error| format!("group `{text}`: {error}"))
}
