//! Reading what a decision is made on. Rows pass the same door as everything from outside.

mod acts;
mod asked;
mod leaned;

pub use acts::ReadForRaise;

use super::{HistoryStore, StoreError};
use crate::admission::{AdmittedPlan, Idempotency};
use asked::Asked;
use plan_rules::{Counts, History, Meanwhile, News, Tip, ZoneHistory, ZoneOwner};
use std::collections::BTreeMap;
use zone_model::{Base, Content, Digest, Generation, GroupName, Id, Key, Name, Plan, Version};

/// The loser of a race looks through so many changes of others; beyond that deciding anew is cheaper.
const MEANWHILE_MAX: usize = 10_000;

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
        &self.history
    }
}

impl HistoryStore {
    /// Reads all that the plan's admission is decided on.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn history_for(&self, plan: &Plan) -> Result<ReadHistory, StoreError> {
        let mut read = self.histories_for(&[plan]).await?;
        Ok(read.remove(&plan.group).unwrap_or_default())
    }

    /// Reads all that the admission of these plans is decided on, by group: their footprints in one snapshot, and then
    /// what their decisions lean on beside them, if anything (see [`plan_rules::leans`] for why that may be later).
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn histories_for(&self, plans: &[&Plan]) -> Result<BTreeMap<GroupName, ReadHistory>, StoreError> {
        let mut all = self.read_footprints(&Asked::of(plans)).await?;
        self.read_what_they_lean_on(plans, &mut all).await?;
        Ok(all)
    }

    async fn read_footprints(&self, asked: &Asked) -> Result<BTreeMap<GroupName, ReadHistory>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/admission/read_histories_for_plans.sql",
            &asked.groups,
            &asked.base_groups,
            &asked.bases,
            &asked.zones,
            &asked.name_zones,
            &asked.name_owners,
            &asked.whole_zones,
            &asked.serial_zones,
            &asked.deleting_groups
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
                    read.history.deletes_spent_before = figure(row.deletes_spent_before.unwrap_or_default())?;
                    if row.generation.is_some() {
                        read.history.floor = Some(generation(row.floor)?);
                        let (answers, spent) = (row.answers.as_deref(), row.deletes_spent);
                        read.history.tip =
                            Some(tip(row.generation, row.value.as_deref(), row.digest.as_deref(), answers, spent)?);
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
                        of_zone.record_sets = figure(row.record_sets.unwrap_or_default())?;
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
                ("setting", Some(group)) => {
                    let (key, content) =
                        change(&Name::root(), (row.owner.as_deref(), row.r#type, row.covered), row.value.as_deref())?;
                    let standing_in = generation(row.generation)?;
                    if let Some(read) = all.get_mut(group) {
                        read.history.set(&key, content.as_ref(), standing_in);
                    }
                }
                ("row", _) => {
                    let zone = zone_name(row.zone_name.as_deref())?;
                    let (key, content) =
                        change(&zone, (row.owner.as_deref(), row.r#type, row.covered), row.value.as_deref())?;
                    let standing_in = generation(row.generation)?;
                    for of_zone in all.values_mut().filter_map(|read| read.history.zones.get_mut(&zone)) {
                        of_zone.stands(&key, content.as_ref(), standing_in);
                    }
                }
                (other, _) => return Err(StoreError::Damaged(format!("a row of the unknown kind {other}"))),
            }
        }
        Ok(all)
    }

    /// Reads the tip, what changed in a staged plan's footprint above `judged_on`, and what else did. The latter is read
    /// second, and may be newer than the tip: that is only more to be looked at.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn news_for(&self, plan: i64, judged_on: Base) -> Result<News, StoreError> {
        let rows = sqlx::query_file!("queries/admission/read_what_is_new_for_a_plan.sql", plan, judged_on.get())
            .fetch_all(&self.pool)
            .await?;
        let first =
            rows.first().ok_or_else(|| StoreError::Damaged("the group of a staged plan has no tip".to_owned()))?;
        let (answers, spent) = (Some(first.answers.as_slice()), Some(first.deletes_spent));
        let tip = tip(Some(first.generation), Some(&first.id), Some(&first.digest), answers, spent)?;
        let decided_on = first.decided_on.as_ref().map_or(Ok(Id::GENESIS), |there| id(Some(there)))?;
        let mut changed = Vec::new();
        for row in &rows {
            if let (Some(zone), Some(changed_in)) = (&row.zone_name, row.changed_in) {
                let zone = zone_name(Some(zone))?;
                let name = owner_name(row.owner.as_deref().unwrap_or("@"), &zone)?;
                changed.push((zone, name, generation(Some(changed_in))?));
            }
        }
        let limit = i64::try_from(MEANWHILE_MAX).unwrap_or(i64::MAX).saturating_add(1);
        let rows = sqlx::query_file!("queries/admission/read_what_changed_meanwhile.sql", plan, judged_on.get(), limit)
            .fetch_all(&self.pool)
            .await?;
        let settings_changed = rows.iter().any(|row| row.zone < 0);
        let mut meanwhile = Vec::with_capacity(rows.len());
        for row in rows.iter().take(MEANWHILE_MAX) {
            let Some(zone) = &row.zone_name else { continue };
            let zone = zone_name(Some(zone))?;
            let name = owner_name(&row.owner, &zone)?;
            let points_to = row.points_to.iter().flatten().map(|name| zone_name(Some(name)));
            meanwhile.push(Meanwhile { name, zone, points_to: points_to.collect::<Result<_, _>>()? });
        }
        // Settings may be among those that were not read.
        let all_read = rows.len() <= MEANWHILE_MAX;
        let settings_changed = settings_changed || !all_read;
        Ok(News { tip, decided_on, changed, settings_changed, meanwhile: all_read.then_some(meanwhile) })
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

/// A row of a change: its key and what stands under it; none for gone.
fn change(
    zone: &Name,
    (owner, rtype, covered): (Option<&str>, Option<i32>, Option<i32>),
    value: Option<&[u8]>,
) -> Result<(Key, Option<Content>), StoreError> {
    let (Some(owner), Some(rtype), Some(covered)) = (owner, rtype, covered) else {
        return Err(StoreError::Damaged(format!("a change in zone {zone} without a key")));
    };
    let damaged = |error| StoreError::Damaged(format!("zone {zone}, {owner} type {rtype}: {error}"));
    let key = Key::from_columns(zone, owner, rtype, covered).map_err(damaged)?;
    let content = value.map(|value| Content::from_value(&key, value)).transpose().map_err(damaged)?;
    Ok((key, content))
}

fn tip(
    number: Option<i64>,
    id_bytes: Option<&[u8]>,
    digest_bytes: Option<&[u8]>,
    answers: Option<&[u8]>,
    deletes_spent: Option<i64>,
) -> Result<Tip, StoreError> {
    let version = Version { generation: generation(number)?, id: id(id_bytes)? };
    let deletes_spent = figure(deletes_spent.unwrap_or_default())?;
    Ok(Tip { version, digest: digest(digest_bytes)?, answers: digest(answers)?, deletes_spent })
}

fn figure(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged(format!("a count of {number}")))
}

fn owner_name(owner: &str, zone: &Name) -> Result<Name, StoreError> {
    Name::parse_relative(owner, zone).map_err(|error| StoreError::Damaged(error.to_string()))
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
