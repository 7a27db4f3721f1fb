//! Reading what a decision is made on. Rows pass the same door as everything from outside.

use super::{HistoryStore, StoreError};
use crate::admission::{AdmittedPlan, Idempotency};
use plan_rules::{Around, Counts, Footprint, History, News, Tip, ZoneHistory, ZoneOwner, footprint, leans};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{Base, Content, Digest, Generation, GroupName, Id, Key, Name, Plan, Version};

/// What is read of one group, and the numbers that it and its zones have in the database.
#[derive(Clone, Debug, Default)]
pub struct ReadHistory {
    /// What the rules judge by. Its `base_id` is that of [`ReadHistory::on_base_of`].
    pub history: History,
    /// The group's number; none for a group that nobody began.
    pub group: Option<i64>,
    /// The numbers of the zones.
    pub zones: BTreeMap<Name, i64>,
    bases: BTreeMap<Base, Id>,
}

impl ReadHistory {
    /// The history as it is judged for this plan, with its base.
    pub fn on_base_of(&mut self, plan: &Plan) -> &History {
        self.history.base_id = self.bases.get(&plan.base).copied();
        // Guards that look further than the footprint sleep until the store reads what they ask for.
        let leans = leans(plan, &self.history);
        self.history.target_zones.extend(leans.targets.into_iter().map(|target| (target, None)));
        self.history.pointers.extend(leans.pointed_to.into_iter().map(|name| (name, BTreeSet::new())));
        self.history.around.extend(leans.around.into_iter().map(|zone| (zone, Around::default())));
        for of_zone in self.history.zones.values_mut() {
            of_zone.record_sets = u64::from(u32::MAX);
        }
        &self.history
    }
}

impl HistoryStore {
    /// Reads all that the plan's admission is decided on, in one snapshot.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn history_for(&self, plan: &Plan) -> Result<ReadHistory, StoreError> {
        let mut read = self.histories_for(&[plan]).await?;
        Ok(read.remove(&plan.group).unwrap_or_default())
    }

    /// Reads all that the admission of these plans is decided on, in one snapshot, by group.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn histories_for(&self, plans: &[&Plan]) -> Result<BTreeMap<GroupName, ReadHistory>, StoreError> {
        let asked = Asked::of(plans);
        let rows = sqlx::query_file!(
            "queries/admission/read_histories_for_plans.sql",
            &asked.groups,
            &asked.base_groups,
            &asked.bases,
            &asked.zones,
            &asked.name_zones,
            &asked.name_owners,
            &asked.whole_zones,
            &asked.serial_zones
        )
        .fetch_all(&self.pool)
        .await?;
        let mut all: BTreeMap<GroupName, ReadHistory> = BTreeMap::new();
        for (group, zones) in &asked.zones_of_groups {
            let zones = zones.iter().map(|zone| (zone.clone(), ZoneHistory::default())).collect();
            let history = History { zones, ..History::default() };
            all.insert(group.clone(), ReadHistory { history, ..ReadHistory::default() });
        }
        for row in rows {
            let group = row.group_name.as_deref().map(group_name).transpose()?;
            match (row.kind.as_str(), &group) {
                ("group", Some(group)) => {
                    let read = all.entry(group.clone()).or_default();
                    read.group = row.number;
                    if row.generation.is_some() {
                        read.history.tip = Some(tip(row.generation, row.value.as_deref(), row.digest.as_deref())?);
                    }
                }
                ("base", Some(group)) => {
                    let base = Base::from(generation(row.generation)?);
                    all.entry(group.clone()).or_default().bases.insert(base, id(row.value.as_deref())?);
                }
                ("zone", Some(of)) => {
                    let zone = zone_name(row.zone_name.as_deref())?;
                    let touched = row.generation.map(|number| generation(Some(number))).transpose()?;
                    for (group, read) in &mut all {
                        let Some(of_zone) = read.history.zones.get_mut(&zone) else { continue };
                        read.zones.extend(row.number.map(|number| (zone.clone(), number)));
                        of_zone.touched = touched;
                        of_zone.owner = if of != group {
                            ZoneOwner::Another(of.clone())
                        } else if touched.is_some() {
                            ZoneOwner::ThisGroup
                        } else {
                            // Begun by a plan that never was admitted: it is nothing yet.
                            ZoneOwner::Nobody
                        };
                    }
                }
                ("row", _) => {
                    let zone = zone_name(row.zone_name.as_deref())?;
                    let columns = (row.owner.as_deref(), row.r#type, row.covered);
                    let (Some(owner), Some(rtype), Some(covered)) = columns else {
                        return Err(StoreError::Damaged(format!("a change in zone {zone} without a key")));
                    };
                    let standing_in = generation(row.generation)?;
                    let damaged = |error| StoreError::Damaged(format!("zone {zone}, {owner} type {rtype}: {error}"));
                    let key = Key::from_columns(&zone, owner, rtype, covered).map_err(damaged)?;
                    let content = row.value.as_deref().map(|value| Content::from_value(&key, value)).transpose();
                    let content = content.map_err(damaged)?;
                    for of_zone in all.values_mut().filter_map(|read| read.history.zones.get_mut(&zone)) {
                        of_zone.stands(&key, content.as_ref(), standing_in);
                    }
                }
                (other, _) => return Err(StoreError::Damaged(format!("a row of the unknown kind {other}"))),
            }
        }
        Ok(all)
    }

    /// Reads the tip, and what changed in a staged plan's footprint above `judged_on`.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn news_for(&self, plan: i64, judged_on: Base) -> Result<News, StoreError> {
        let rows = sqlx::query_file!("queries/admission/read_what_is_new_for_a_plan.sql", plan, judged_on.get())
            .fetch_all(&self.pool)
            .await?;
        let first =
            rows.first().ok_or_else(|| StoreError::Damaged("the group of a staged plan has no tip".to_owned()))?;
        let tip = tip(Some(first.generation), Some(&first.id), Some(&first.digest))?;
        let mut changed = Vec::new();
        for row in &rows {
            if let (Some(zone), Some(changed_in)) = (&row.zone_name, row.changed_in) {
                let zone = zone_name(Some(zone))?;
                let owner = row.owner.as_deref().unwrap_or("@");
                let name =
                    Name::parse_relative(owner, &zone).map_err(|error| StoreError::Damaged(error.to_string()))?;
                changed.push((zone, name, generation(Some(changed_in))?));
            }
        }
        Ok(News { tip, changed, settings_changed: false, meanwhile: Some(Vec::new()) })
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

/// What is asked for, as arrays.
#[derive(Default)]
struct Asked {
    zones_of_groups: BTreeMap<GroupName, BTreeSet<Name>>,
    groups: Vec<String>,
    base_groups: Vec<String>,
    bases: Vec<i64>,
    zones: Vec<String>,
    name_zones: Vec<String>,
    name_owners: Vec<String>,
    whole_zones: Vec<String>,
    serial_zones: Vec<String>,
}

impl Asked {
    fn of(plans: &[&Plan]) -> Self {
        let (mut names, mut whole_zones, mut bases) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut asked = Self::default();
        for plan in plans {
            bases.insert((plan.group.as_str(), plan.base.get()));
            for (zone, change) in &plan.zones {
                if change.declares_serial() {
                    asked.serial_zones.push(zone.to_lowercase().to_string());
                }
            }
            let of_group = asked.zones_of_groups.entry(plan.group.clone()).or_default();
            for (zone, part) in footprint(plan) {
                let text = zone.to_lowercase().to_string();
                match part {
                    Footprint::WholeZone => {
                        whole_zones.insert(text);
                    }
                    Footprint::Names(owners) => {
                        let relative = owners.iter().filter_map(|owner| owner.relative_to(&zone));
                        names.extend(relative.map(|owner| (text.clone(), owner)));
                    }
                }
                of_group.insert(zone);
            }
        }
        asked.groups = asked.zones_of_groups.keys().map(GroupName::to_string).collect();
        (asked.base_groups, asked.bases) = bases.into_iter().map(|(group, base)| (group.to_owned(), base)).unzip();
        let zones: BTreeSet<&Name> = asked.zones_of_groups.values().flatten().collect();
        asked.zones = zones.into_iter().map(|zone| zone.to_lowercase().to_string()).collect();
        (asked.name_zones, asked.name_owners) = names.into_iter().unzip();
        asked.whole_zones = whole_zones.into_iter().collect();
        asked
    }
}

fn tip(number: Option<i64>, id_bytes: Option<&[u8]>, digest_bytes: Option<&[u8]>) -> Result<Tip, StoreError> {
    let version = Version { generation: generation(number)?, id: id(id_bytes)? };
    Ok(Tip { version, digest: digest(digest_bytes)?, answers: Digest::EMPTY, deletes_spent: 0 })
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
