//! Reading what a decision is made on. Rows pass the same door as everything from outside.

use super::{HistoryStore, StoreError};
use crate::admission::{AdmittedPlan, Idempotency};
use plan_rules::{Counts, Footprint, History, News, Standing, Tip, ZoneHistory, ZoneOwner, footprint};
use std::collections::BTreeMap;
use zone_model::{Base, Content, Digest, Generation, GroupName, Id, Key, Name, Plan, Version};

/// A history, and the numbers that its group and zones have in the database.
#[derive(Clone, Debug, Default)]
pub struct ReadHistory {
    /// What the rules judge by.
    pub history: History,
    /// The group's number; none for a group that nobody began.
    pub group: Option<i64>,
    /// The numbers of the zones.
    pub zones: BTreeMap<Name, i64>,
}

impl HistoryStore {
    /// Reads, in one snapshot, all that the plan's admission is decided on.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn history_for(&self, plan: &Plan) -> Result<ReadHistory, StoreError> {
        let asked = Asked::of(plan);
        let rows = sqlx::query_file!(
            "queries/admission/read_history_for_a_plan.sql",
            plan.group.as_str(),
            plan.base.get(),
            &asked.zones,
            &asked.name_zones,
            &asked.name_owners,
            &asked.whole_zones
        )
        .fetch_all(&self.pool)
        .await?;
        let mut read = ReadHistory::default();
        for zone in footprint(plan).into_keys() {
            read.history.zones.insert(zone, ZoneHistory::default());
        }
        for row in rows {
            match row.kind.as_str() {
                "group" => read.group = row.number,
                "tip" => read.history.tip = Some(tip(row.generation, row.value.as_deref(), row.digest.as_deref())?),
                "base" => read.history.base_id = Some(id(row.value.as_deref())?),
                "zone" => {
                    let zone = zone_name(row.zone_name.as_deref())?;
                    let group = row.owner.as_deref().unwrap_or_default();
                    let touched = row.generation.map(|number| generation(Some(number))).transpose()?;
                    read.zones.extend(row.number.map(|number| (zone.clone(), number)));
                    let of_zone = read.history.zones.entry(zone).or_default();
                    of_zone.touched = touched;
                    of_zone.owner = if group != plan.group.as_str() {
                        ZoneOwner::Another(group_name(group)?)
                    } else if touched.is_some() {
                        ZoneOwner::ThisGroup
                    } else {
                        // Begun by a plan that never was admitted: it is nothing yet.
                        ZoneOwner::Nobody
                    };
                }
                "row" => {
                    let zone = zone_name(row.zone_name.as_deref())?;
                    let columns = (row.owner.as_deref(), row.r#type, row.covered);
                    let (Some(owner), Some(rtype), Some(covered)) = columns else {
                        return Err(StoreError::Damaged(format!("a change in zone {zone} without a key")));
                    };
                    let of_zone = read.history.zones.entry(zone.clone()).or_default();
                    let standing_in = generation(row.generation)?;
                    let damaged = |error| StoreError::Damaged(format!("zone {zone}, {owner} type {rtype}: {error}"));
                    let key = Key::from_columns(&zone, owner, rtype, covered).map_err(damaged)?;
                    let content = row.value.as_deref().map(|value| Content::from_value(&key, value)).transpose();
                    match (key, content.map_err(damaged)?) {
                        (Key::Records(key), Some(Content::Records(set))) => {
                            of_zone.sets.insert(key, Standing { generation: standing_in, set: Some(set) });
                        }
                        (Key::Records(key), _) => {
                            of_zone.sets.insert(key, Standing { generation: standing_in, set: None });
                        }
                        (Key::Serial, Some(Content::Serial(serial))) => of_zone.serial = Some((serial, standing_in)),
                        (Key::Serial, _) => {}
                    }
                }
                other => return Err(StoreError::Damaged(format!("a row of the unknown kind {other}"))),
            }
        }
        Ok(read)
    }

    /// Reads the tip, and what changed in a staged plan's footprint above `judged_on`.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn news_for(&self, plan: i64, judged_on: Base) -> Result<News, StoreError> {
        let rows = sqlx::query_file!("queries/admission/read_what_is_new_for_a_plan.sql", plan, judged_on.get())
            .fetch_all(&self.pool)
            .await?;
        let first = rows.first().ok_or_else(|| StoreError::Damaged("the group of a staged plan has no tip".to_owned()))?;
        let tip = tip(Some(first.generation), Some(&first.id), Some(&first.digest))?;
        let mut changed = Vec::new();
        for row in &rows {
            if let (Some(zone), Some(changed_in)) = (&row.zone_name, row.changed_in) {
                let zone = zone_name(Some(zone))?;
                let owner = row.owner.as_deref().unwrap_or("@");
                let name = Name::parse_relative(owner, &zone).map_err(|error| StoreError::Damaged(error.to_string()))?;
                changed.push((zone, name, generation(Some(changed_in))?));
            }
        }
        Ok(News { tip, changed })
    }

    /// What an idempotency key of this token stands for: the hash of the request, and the plan that was admitted.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn idempotent(&self, token: i64, key: &str) -> Result<Option<(Idempotency, AdmittedPlan)>, StoreError> {
        let row = sqlx::query_file!("queries/admission/find_an_idempotency_key.sql", token, key)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let body_hash = row.body_hash.try_into().map_err(|_| StoreError::Damaged("a body hash".to_owned()))?;
        let base = Base::new(row.base).ok_or_else(|| StoreError::Damaged(format!("base {}", row.base)))?;
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        let plan = AdmittedPlan {
            group: group_name(&row.group_name)?,
            version: Version { generation: generation(Some(row.generation))?, id: id(Some(&row.id))? },
            base,
            rebased: row.parent != row.base,
            digest: digest(Some(&row.digest))?,
            counts: Counts {
                added: count(row.added),
                replaced: count(row.replaced),
                deleted: count(row.deleted),
                absent: count(row.absent),
            },
        };
        Ok(Some((Idempotency { key: key.to_owned(), body_hash }, plan)))
    }
}

/// The footprint as arrays.
struct Asked {
    zones: Vec<String>,
    name_zones: Vec<String>,
    name_owners: Vec<String>,
    whole_zones: Vec<String>,
}

impl Asked {
    fn of(plan: &Plan) -> Self {
        let (mut zones, mut name_zones, mut name_owners, mut whole_zones) = (vec![], vec![], vec![], vec![]);
        for (zone, part) in footprint(plan) {
            let text = zone.to_lowercase().to_string();
            match part {
                Footprint::WholeZone => whole_zones.push(text.clone()),
                Footprint::Names(names) => {
                    for owner in names.iter().filter_map(|name| name.relative_to(&zone)) {
                        name_zones.push(text.clone());
                        name_owners.push(owner);
                    }
                }
            }
            zones.push(text);
        }
        Self { zones, name_zones, name_owners, whole_zones }
    }
}

fn tip(number: Option<i64>, id_bytes: Option<&[u8]>, digest_bytes: Option<&[u8]>) -> Result<Tip, StoreError> {
    Ok(Tip { version: Version { generation: generation(number)?, id: id(id_bytes)? }, digest: digest(digest_bytes)? })
}

fn generation(number: Option<i64>) -> Result<Generation, StoreError> {
    number.and_then(Generation::new).ok_or_else(|| StoreError::Damaged(format!("generation {number:?}")))
}

fn id(bytes: Option<&[u8]>) -> Result<Id, StoreError> {
    bytes.and_then(Id::from_bytes).ok_or_else(|| StoreError::Damaged("a generation's id".to_owned()))
}

fn digest(bytes: Option<&[u8]>) -> Result<Digest, StoreError> {
    bytes.and_then(Digest::from_bytes).ok_or_else(|| StoreError::Damaged("a generation's digest".to_owned()))
}

fn zone_name(text: Option<&str>) -> Result<Name, StoreError> {
    let text = text.unwrap_or_default();
    Name::parse(text).map_err(|error| StoreError::Damaged(format!("the zone name `{text}`: {error}")))
}

fn group_name(text: &str) -> Result<GroupName, StoreError> {
    GroupName::parse(text).map_err(|error| StoreError::Damaged(error.to_string()))
}
