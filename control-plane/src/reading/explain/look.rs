//! Follows a question through the zones that are in force, step by step.

use super::way::{Ask, Finding, Standing, Way};
use crate::reading::record_sets::read_set;
use crate::reading::zones::read_serial;
use crate::reading::{KeyInOrder, ReadError, Reading, damaged, read_version};
use chrono::{DateTime, Utc};
use plan_rules::names_on_the_way;
use sqlx::{PgConnection, PgTransaction};
use std::collections::{BTreeMap, HashMap};
use zone_model::{Name, RecordSet, RecordType, Serial, Version};

/// As many as a server follows.
const ALIASES_FOLLOWED_MAX: usize = 16;

/// A step on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name that is asked for here.
    pub name: Name,
    /// The zone that it is in, and that zone's group; none where it is in none.
    pub zone: Option<(Name, String)>,
    /// What was found.
    pub finding: Finding,
    /// Whose record sets they are: another name at a wildcard, a cut or a DNAME.
    pub owner: Option<Name>,
    /// What is answered.
    pub sets: Vec<Standing>,
    /// The closest name above that exists, where the name itself does not.
    pub encloser: Option<Name>,
    /// What stood at the name, and was taken away last. Told where nothing is found.
    pub gone: Option<Gone>,
}

/// A record set that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its type.
    pub rtype: RecordType,
    /// The generation that took it away.
    pub generation: i64,
}

impl Step {
    /// The generations that made it so.
    pub(super) fn generations(&self) -> impl Iterator<Item = i64> {
        let sets = self.sets.iter().map(|standing| standing.generation);
        sets.chain(self.gone.iter().map(|gone| gone.generation))
    }

    fn bare(name: Name, zone: Option<&ZoneSeen>, finding: Finding) -> Self {
        let zone = zone.map(|zone| (zone.name.clone(), zone.group.clone()));
        Self { name, zone, finding, owner: None, sets: Vec::new(), encloser: None, gone: None }
    }

    /// Where an alias leads.
    fn target(&self) -> Option<Name> {
        let standing = self.sets.first()?;
        let end = standing.set.records().first()?.target(standing.set.rtype())?;
        match self.finding {
            Finding::Alias => Some(end),
            Finding::Redirection => {
                let kept = self.name.label_count().saturating_sub(standing.set.owner().label_count());
                Name::from_labels(self.name.labels().take(kept).chain(end.labels())).ok()
            }
            _ => None,
        }
    }
}

/// A zone that a name is in.
#[derive(Clone, Debug)]
pub(super) struct ZoneSeen {
    pub(super) number: i64,
    pub(super) name: Name,
    pub(super) zone_group: i64,
    pub(super) group: String,
    pub(super) floor: i64,
    pub(super) tip: Version,
}

/// The heads of a group, by ring.
type Heads = Vec<(String, Option<Version>)>;

/// One snapshot of the database, and what was read in it.
pub(super) struct Snapshot {
    transaction: PgTransaction<'static>,
    heads: HashMap<i64, Heads>,
    zones: HashMap<Name, Vec<ZoneSeen>>,
}

impl Snapshot {
    pub(super) async fn begin(reading: &Reading) -> Result<Self, ReadError> {
        Ok(Self { transaction: reading.snapshot().await?, heads: HashMap::new(), zones: HashMap::new() })
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    pub(super) async fn taken_at(&mut self) -> Result<DateTime<Utc>, ReadError> {
        Ok(sqlx::query_scalar!(r#"SELECT now() AS "now!""#).fetch_one(self.connection()).await?)
    }

    /// Every zone at or above the name that its group's history knows, the closest first.
    pub(super) async fn zones_around(&mut self, name: &Name) -> Result<Vec<ZoneSeen>, ReadError> {
        let name = name.to_lowercase();
        if let Some(zones) = self.zones.get(&name) {
            return Ok(zones.clone());
        }
        let above = std::iter::successors(Some(name.clone()), Name::parent);
        let wanted: Vec<String> = above.map(|one| one.to_string()).collect();
        let rows =
            sqlx::query_file!("queries/reading/zones_around.sql", &wanted[..]).fetch_all(self.connection()).await?;
        let mut zones = Vec::with_capacity(rows.len());
        for row in rows {
            zones.push(ZoneSeen {
                number: row.zone,
                name: Name::parse(&row.name).map_err(damaged)?,
                zone_group: row.zone_group,
                group: row.group_name,
                floor: row.floor,
                tip: read_version(row.tip, &row.tip_id)?,
            });
        }
        self.zones.insert(name, zones.clone());
        Ok(zones)
    }

    /// The heads of a group in every ring that has not ended.
    pub(super) async fn heads(&mut self, group: i64) -> Result<&Heads, ReadError> {
        if !self.heads.contains_key(&group) {
            let rows =
                sqlx::query_file!("queries/reading/heads_by_ring.sql", group).fetch_all(self.connection()).await?;
            let mut heads = Heads::with_capacity(rows.len());
            for row in rows {
                let head = match (row.generation, row.id) {
                    (Some(generation), Some(id)) => Some(read_version(generation, &id)?),
                    _ => None,
                };
                heads.push((row.ring, head));
            }
            self.heads.insert(group, heads);
        }
        Ok(self.heads.entry(group).or_default())
    }

    /// The closest zone that stands at its group's tip; else the closest that ever did.
    pub(super) async fn closest_at_tip(&mut self, zones: &[ZoneSeen]) -> Result<Option<ZoneSeen>, ReadError> {
        for zone in zones {
            if self.stands(zone, zone.tip.generation.get()).await? {
                return Ok(Some(zone.clone()));
            }
        }
        Ok(zones.first().cloned())
    }

    /// Whether a zone lives at a generation of its group: whether its SOA does.
    async fn stands(&mut self, zone: &ZoneSeen, generation: i64) -> Result<bool, ReadError> {
        let (sets, _) = self.sets(zone, std::slice::from_ref(&zone.name), generation).await?;
        Ok(sets.values().flatten().any(|standing| standing.set.rtype() == RecordType::SOA))
    }

    /// What stands at some names of a zone at a generation, and what stood there and is gone.
    async fn sets(
        &mut self,
        zone: &ZoneSeen,
        names: &[Name],
        generation: i64,
    ) -> Result<(BTreeMap<Name, Vec<Standing>>, Vec<(Name, Gone)>), ReadError> {
        let owners: Vec<String> = names.iter().filter_map(|name| name.relative_to(&zone.name)).collect();
        let rows = sqlx::query_file!("queries/reading/sets_on_the_way.sql", zone.number, &owners[..], generation)
            .fetch_all(self.connection())
            .await?;
        let (mut sets, mut gone) = (BTreeMap::<Name, Vec<Standing>>::new(), Vec::new());
        for row in rows {
            let owner = Name::parse_relative(&row.owner, &zone.name).map_err(damaged)?;
            let rtype = RecordType(u16::try_from(row.rtype).map_err(damaged)?);
            let Some(value) = row.value else {
                gone.push((owner, Gone { rtype, generation: row.generation }));
                continue;
            };
            let serial = if rtype == RecordType::SOA {
                read_serial(self.connection(), zone.number, generation).await?.map_or(Serial(0), |(_, serial)| serial)
            } else {
                Serial(0)
            };
            let key = KeyInOrder { owner: row.owner, rtype: row.rtype, covered: row.covered };
            let set: RecordSet = read_set(&zone.name, &key, &value, serial)?;
            sets.entry(owner).or_default().push(Standing { set, generation: row.generation });
        }
        Ok((sets, gone))
    }

    async fn something_stands_below(
        &mut self,
        zone: &ZoneSeen,
        name: &Name,
        generation: i64,
    ) -> Result<bool, ReadError> {
        let Some(owner) = name.to_lowercase().relative_to(&zone.name) else { return Ok(false) };
        let query =
            sqlx::query_file_scalar!("queries/reading/something_stands_below.sql", zone.number, owner, generation);
        Ok(query.fetch_one(self.connection()).await?)
    }
}

/// Which generations are looked at: the heads of a ring, or for one group another one.
pub(super) struct Look<'a> {
    pub(super) ring: &'a str,
    pub(super) pinned: Option<(i64, i64)>,
}

impl Look<'_> {
    async fn generation(&self, snapshot: &mut Snapshot, group: i64) -> Result<Option<i64>, ReadError> {
        if let Some((pinned, generation)) = self.pinned
            && pinned == group
        {
            return Ok(Some(generation));
        }
        let heads = snapshot.heads(group).await?;
        Ok(heads
            .iter()
            .find(|(ring, _)| ring == self.ring)
            .and_then(|(_, head)| *head)
            .map(|head| head.generation.get()))
    }

    /// The zone that a question is answered from: the closest that is in force. What is at a cut for the parent to say is said
    /// by the parent, unless it knows no such name.
    pub(super) async fn zone_for<'z>(
        &self,
        snapshot: &mut Snapshot,
        zones: &'z [ZoneSeen],
        name: &Name,
        rtype: RecordType,
    ) -> Result<Option<&'z ZoneSeen>, ReadError> {
        let mut closest = None;
        for zone in zones {
            let Some(generation) = self.generation(snapshot, zone.zone_group).await? else { continue };
            if !snapshot.stands(zone, generation).await? {
                continue;
            }
            if closest.is_some() {
                let parent = step(snapshot, zone, generation, name, rtype).await?;
                return Ok(if parent.finding == Finding::NoSuchName { closest } else { Some(zone) });
            }
            closest = Some(zone);
            if rtype != RecordType::DS || zone.name != *name {
                break;
            }
        }
        Ok(closest)
    }

    /// Every step from the question to its answer, as far as it stays in the group.
    pub(super) async fn follow(
        &self,
        snapshot: &mut Snapshot,
        group: i64,
        name: &Name,
        rtype: RecordType,
    ) -> Result<Vec<Step>, ReadError> {
        let (mut steps, mut name) = (Vec::<Step>::new(), name.clone());
        loop {
            let zones = snapshot.zones_around(&name).await?;
            let Some(zone) = self.zone_for(snapshot, &zones, &name, rtype).await? else {
                steps.push(Step::bare(name, None, Finding::Elsewhere));
                return Ok(steps);
            };
            let Some(generation) =
                self.generation(snapshot, zone.zone_group).await?.filter(|_| zone.zone_group == group)
            else {
                steps.push(Step::bare(name, Some(zone), Finding::AnotherGroup));
                return Ok(steps);
            };
            let step = step(snapshot, zone, generation, &name, rtype).await?;
            // The alias that a DNAME makes is what was asked for.
            let is_asked = step.finding == Finding::Redirection && rtype == RecordType::CNAME;
            let target = step.target().filter(|_| !is_asked);
            steps.push(step);
            let Some(target) = target else { return Ok(steps) };
            if steps.len() > ALIASES_FOLLOWED_MAX || steps.iter().any(|step| step.name == target) {
                steps.push(Step::bare(target, None, Finding::Endless));
                return Ok(steps);
            }
            name = target;
        }
    }
}

/// What a zone says at a generation.
async fn step(
    snapshot: &mut Snapshot,
    zone: &ZoneSeen,
    generation: i64,
    name: &Name,
    rtype: RecordType,
) -> Result<Step, ReadError> {
    let (sets, gone) = snapshot.sets(zone, &names_on_the_way(name, &zone.name), generation).await?;
    let mut way = Way { zone: zone.name.clone(), sets, below: BTreeMap::new() };
    loop {
        let ask = match way.look_up(name, rtype) {
            Ok(found) => {
                let mut step = Step::bare(name.clone(), Some(zone), found.finding);
                if matches!(found.finding, Finding::NoData | Finding::NoSuchName) {
                    let of_name = gone.into_iter().filter(|(owner, _)| owner == name).map(|(_, gone)| gone);
                    step.gone = of_name.max_by_key(|gone| (gone.rtype == rtype, gone.generation));
                }
                step.sets = found.sets.into_iter().cloned().collect();
                (step.owner, step.encloser) = (found.owner, found.encloser);
                return Ok(step);
            }
            Err(Ask(ask)) => ask,
        };
        let stands = snapshot.something_stands_below(zone, &ask, generation).await?;
        way.below.insert(ask, stands);
    }
}
