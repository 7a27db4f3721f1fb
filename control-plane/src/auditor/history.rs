//! What the auditor reads: who serves, what is worth asking, and what stood at the generations that servers tell. Its own
//! statements, which share nothing with those that admit, enact or serve.

use super::judge::Expected;
use crate::store::StoreError;
use sqlx::{PgPool, PgTransaction};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use uuid::Uuid;
use zone_model::{Content, Id, Key, Name, RecordType, Serial, Version};

/// Groups of one server that are looked at in one round; the next round goes on after them.
const GROUPS_AT_ONCE: i64 = 32;
/// Record sets of each kind that are asked about, of a group in a round.
const SETS_OF_A_KIND: i64 = 8;
/// NS: hides what is below it, and is at a cut not for the zone to answer.
const DELEGATES: i32 = 2;
/// DNAME: hides what is below it.
const REDIRECTS: i32 = 39;

/// A live server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) name: String,
    pub(super) instance: Uuid,
    pub(super) answers_at: String,
    /// Where that is, if it is an address.
    pub(super) address: Option<SocketAddr>,
}

/// What a server says it serves of a group.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    pub(super) group: i64,
    pub(super) name: String,
    pub(super) version: Version,
}

/// A record set to ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) zone: i64,
    pub(super) zone_name: Name,
    pub(super) owner: String,
    pub(super) name: Name,
    pub(super) rtype: RecordType,
}

/// How far a group's record sets have been gone through.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    zone: i64,
    owner: String,
    rtype: i32,
}

/// An answer tells that it is of this generation of this group.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) group: i64,
    pub(super) version: Version,
}

/// Reads for the auditor.
#[derive(Clone, Debug)]
pub(super) struct History {
    pool: PgPool,
}

impl History {
    pub(super) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn live_servers(&self) -> Result<Vec<Server>, StoreError> {
        let rows = sqlx::query_file!("queries/auditor/live_servers.sql").fetch_all(&self.pool).await?;
        let server = rows.into_iter().map(|row| Server {
            name: row.server,
            instance: row.instance,
            address: row.answers_at.parse().ok(),
            answers_at: row.answers_at,
        });
        Ok(server.collect())
    }

    /// What a server reports of the groups after `after`, and of `suspected` ones.
    pub(super) async fn reported(
        &self,
        server: &Server,
        after: i64,
        suspected: &[i64],
    ) -> Result<Vec<Reported>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/auditor/reports_of_server.sql",
            server.name,
            server.instance,
            after,
            GROUPS_AT_ONCE,
            suspected
        );
        let mut reported = Vec::new();
        for row in rows.fetch_all(&self.pool).await? {
            let version = version(row.generation, &row.id)?;
            reported.push(Reported { group: row.zone_group, name: row.name, version });
        }
        Ok(reported)
    }

    /// Whether a list of reports ended for want of more, so that the next round begins at the first again.
    pub(super) fn is_last(reported: usize, suspected: usize) -> bool {
        reported < usize::try_from(GROUPS_AT_ONCE).unwrap_or(usize::MAX).saturating_add(suspected)
    }

    pub(super) async fn groups_stopped(&self) -> Result<BTreeSet<i64>, StoreError> {
        let rows = sqlx::query_file_scalar!("queries/auditor/groups_stopped.sql").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().collect())
    }

    /// What to ask about a group at a generation. `place` goes on to where the next round begins.
    pub(super) async fn sample(
        &self,
        group: i64,
        generation: i64,
        place: &mut Place,
    ) -> Result<BTreeSet<Asked>, StoreError> {
        let zone = sqlx::query_file_scalar!("queries/auditor/zone_after.sql", group, place.zone);
        let Some(zone) = zone.fetch_one(&self.pool).await? else { return Ok(BTreeSet::new()) };
        if zone != place.zone {
            *place = Place { zone, ..Place::default() };
        }
        let rows = sqlx::query_file!(
            "queries/auditor/sample_of_group.sql",
            group,
            generation,
            place.zone,
            place.owner,
            place.rtype,
            SETS_OF_A_KIND
        );
        let (mut asked, mut gone_through) = (BTreeSet::new(), 0);
        for row in rows.fetch_all(&self.pool).await? {
            if row.kind == "next" {
                gone_through += 1;
                (place.owner, place.rtype) = (row.owner.clone(), row.rtype);
            }
            asked.extend(question(row.zone, &row.zone_name, row.owner, row.rtype));
        }
        if gone_through < SETS_OF_A_KIND {
            *place = Place { zone: place.zone + 1, ..Place::default() };
        }
        Ok(asked)
    }

    pub(super) async fn zone_name(&self, zone: i64) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_file_scalar!("queries/auditor/zone_name.sql", zone).fetch_optional(&self.pool).await?)
    }

    /// What each question should have been answered with, at the generation that its answer tells; none where that
    /// cannot be said: of a generation that the history does not know as the one told, or has retired, and of a name that
    /// is not for this zone to answer.
    pub(super) async fn expected(&self, answered: &[(&Asked, Told)]) -> Result<Vec<Option<Expected>>, StoreError> {
        // One snapshot: what is not below the floor in it stands whole in it.
        let mut snapshot = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
        let known = generations_known(&mut snapshot, answered).await?;
        let elsewhere = zones_below(&mut snapshot, answered).await?;

        let mut look = Look::default();
        let mut planned = Vec::with_capacity(answered.len());
        for (place, (asked, told)) in answered.iter().enumerate() {
            let is_ours = known.get(&place) == Some(&told.version.id)
                && !names_up_to(asked, false).any(|name| elsewhere.contains(&name.to_string()));
            planned.push(is_ours.then(|| Planned::make(&mut look, asked, told.version.generation.get())));
        }
        let stood = look.read(&mut snapshot).await?;
        let touched = zones_touched(&mut snapshot, answered).await?;
        let judged = planned.into_iter().enumerate().map(|(place, plan)| {
            let (asked, _) = &answered[place];
            plan?.judge(asked, &stood, touched.get(&place).copied())
        });
        Ok(judged.collect())
    }
}

/// What is asked for a set by; none for what is not asked for by name and type alone.
pub(super) fn question(zone: i64, zone_name: &str, owner: String, rtype: i32) -> Option<Asked> {
    let rtype = RecordType(u16::try_from(rtype).ok()?);
    let zone_name = Name::parse(zone_name).ok()?;
    let name = Name::parse_relative(&owner, &zone_name).ok()?;
    // An apex's DS is the parent's to answer. Signatures stand in one set for each type that they cover.
    let is_asked = rtype.is_data() && rtype != RecordType::RRSIG && !(rtype == RecordType::DS && name == zone_name);
    is_asked.then_some(Asked { zone, zone_name, owner, name, rtype })
}

/// The names from this one up to the zone's, which is left out unless `with_apex`.
fn names_up_to(asked: &Asked, with_apex: bool) -> impl Iterator<Item = Name> + '_ {
    let all = std::iter::successors(Some(asked.name.to_lowercase()), move |name| {
        if *name == asked.zone_name { None } else { name.parent() }
    });
    all.filter(move |name| with_apex || *name != asked.zone_name)
}

/// What the history knows of the generations told, by the answers' places.
async fn generations_known(
    snapshot: &mut PgTransaction<'static>,
    answered: &[(&Asked, Told)],
) -> Result<HashMap<usize, Id>, StoreError> {
    let groups: Vec<i64> = answered.iter().map(|(_, told)| told.group).collect();
    let generations: Vec<i64> = answered.iter().map(|(_, told)| told.version.generation.get()).collect();
    let rows = sqlx::query_file!("queries/auditor/generations_told.sql", &groups, &generations);
    let mut known = HashMap::new();
    for row in rows.fetch_all(&mut **snapshot).await? {
        let id = Id::from_bytes(&row.id).ok_or_else(|| StoreError::Damaged("a generation's id".to_owned()))?;
        known.insert(index(row.place), id);
    }
    Ok(known)
}

/// Names at or above those asked for, and below their zones, that are zones themselves: who asks there is answered from them.
async fn zones_below(
    snapshot: &mut PgTransaction<'static>,
    answered: &[(&Asked, Told)],
) -> Result<BTreeSet<String>, StoreError> {
    let names: BTreeSet<String> =
        answered.iter().flat_map(|(asked, _)| names_up_to(asked, false)).map(|name| name.to_string()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let rows =
        sqlx::query_file_scalar!("queries/auditor/zones_of_names.sql", &names).fetch_all(&mut **snapshot).await?;
    Ok(rows.into_iter().collect())
}

async fn zones_touched(
    snapshot: &mut PgTransaction<'static>,
    answered: &[(&Asked, Told)],
) -> Result<HashMap<usize, i64>, StoreError> {
    let of_soa: Vec<usize> = (0..answered.len()).filter(|place| answered[*place].0.rtype == RecordType::SOA).collect();
    let zones: Vec<i64> = of_soa.iter().map(|place| answered[*place].0.zone).collect();
    let generations: Vec<i64> = of_soa.iter().map(|place| answered[*place].1.version.generation.get()).collect();
    let rows = sqlx::query_file!("queries/auditor/zones_touched.sql", &zones, &generations);
    let rows = rows.fetch_all(&mut **snapshot).await?;
    Ok(rows.into_iter().filter_map(|row| Some((*of_soa.get(index(row.place))?, row.touched?))).collect())
}

/// Keys to be looked up at generations, all in one statement.
#[derive(Debug, Default)]
struct Look {
    zones: Vec<i64>,
    owners: Vec<String>,
    rtypes: Vec<i32>,
    generations: Vec<i64>,
}

/// What stood, by the keys' places: a value, and the generation that it is of.
type Stood = HashMap<usize, (Option<Vec<u8>>, i64)>;

impl Look {
    fn add(&mut self, zone: i64, owner: String, rtype: i32, generation: i64) -> usize {
        self.zones.push(zone);
        self.owners.push(owner);
        self.rtypes.push(rtype);
        self.generations.push(generation);
        self.zones.len() - 1
    }

    async fn read(&self, snapshot: &mut PgTransaction<'static>) -> Result<Stood, StoreError> {
        let Self { zones, owners, rtypes, generations } = self;
        let rows = sqlx::query_file!("queries/auditor/what_stood.sql", zones, owners, rtypes, generations);
        let rows = rows.fetch_all(&mut **snapshot).await?;
        Ok(rows.into_iter().map(|row| (index(row.place), (row.value, row.generation))).collect())
    }
}

/// Where the look-ups of one question are.
#[derive(Debug)]
struct Planned {
    set: usize,
    serial: Option<usize>,
    /// If any of these stands, the answer is a referral or an alias, or comes out of a wildcard; nothing is said of it.
    hidden_by: Vec<usize>,
    generates: Vec<usize>,
}

impl Planned {
    fn make(look: &mut Look, asked: &Asked, generation: i64) -> Self {
        let relative = |name: &Name| name.relative_to(&asked.zone_name).unwrap_or_default();
        let mut hidden_by = Vec::new();
        for name in names_up_to(asked, false) {
            hidden_by.push(look.add(asked.zone, relative(&name), DELEGATES, generation));
        }
        let (mut generates, name) = (Vec::new(), asked.name.to_lowercase());
        for above in names_up_to(asked, true).filter(|above| *above != name) {
            hidden_by.push(look.add(asked.zone, relative(&above), REDIRECTS, generation));
            if let Ok(wildcard) = above.child(b"*") {
                generates.push(look.add(asked.zone, relative(&wildcard), i32::from(asked.rtype.0), generation));
            }
        }
        let serial = (asked.rtype == RecordType::SOA)
            .then(|| look.add(asked.zone, "@".to_owned(), zone_model::ROW_TYPE_SERIAL, generation));
        let set = look.add(asked.zone, asked.owner.clone(), i32::from(asked.rtype.0), generation);
        Self { set, serial, hidden_by, generates }
    }

    fn judge(self, asked: &Asked, stood: &Stood, touched: Option<i64>) -> Option<Expected> {
        let value = |place: &usize| stood.get(place).and_then(|(value, of)| Some((value.as_deref()?, *of)));
        if self.hidden_by.iter().any(|place| value(place).is_some()) {
            return None;
        }
        let Some((stored, _)) = value(&self.set) else {
            let is_generated = self.generates.iter().any(|place| value(place).is_some());
            return (!is_generated).then_some(Expected::Nothing);
        };
        let read = Key::from_columns(&asked.zone_name, &asked.owner, i32::from(asked.rtype.0), 0)
            .and_then(|key| Content::from_value(&key, stored));
        let set = match read {
            Ok(Content::Records(set)) => set,
            Ok(_) => return None,
            Err(error) => return Some(Expected::Unreadable(error.to_string())),
        };
        let serial = match (self.serial.as_ref().map(value), touched) {
            (Some(set_last), Some(touched)) => serial_at(set_last, touched),
            _ => None,
        };
        Some(Expected::Set(set, serial))
    }
}

/// Decision 1: the serial that was set, and one more for each generation since, up to the one that touched the zone last.
fn serial_at(set_last: Option<(&[u8], i64)>, touched: i64) -> Option<Serial> {
    let (serial, set_in) = match set_last {
        Some((value, set_in)) => (u32::from_be_bytes(value.try_into().ok()?), set_in),
        None => (0, 0),
    };
    let steps = u32::try_from((touched - set_in).rem_euclid(1 << 32)).ok()?;
    Some(Serial(serial.wrapping_add(steps)))
}

fn version(generation: i64, id: &[u8]) -> Result<Version, StoreError> {
    let generation = zone_model::Generation::new(generation)
        .ok_or_else(|| StoreError::Damaged(format!("generation {generation}")))?;
    let id = Id::from_bytes(id).ok_or_else(|| StoreError::Damaged("an id that is not 32 octets".to_owned()))?;
    Ok(Version { generation, id })
}

/// Places are counted from 1 in the database.
fn index(place: i64) -> usize {
    usize::try_from(place - 1).unwrap_or(usize::MAX)
}
