//! What decisions lean on beyond their plans' footprints.

use super::{ReadHistory, change, generation, zone_name};
use crate::store::{HistoryStore, StoreError};
use plan_rules::{Above, Footprint, Leans, Pointer, ZoneHistory, ZoneOwner, footprint, leans, names_on_the_way};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{GroupName, Key, Name, Plan, ZoneChange};

/// Questions as columns.
#[derive(Default)]
struct Questions {
    zone_groups: Vec<String>,
    zone_names: Vec<String>,
    pointed_groups: Vec<String>,
    pointed_names: Vec<String>,
    around_groups: Vec<String>,
    around_zones: Vec<String>,
    /// With spaces between; in a name's text a space is written as `\032`.
    around_enclosing: Vec<String>,
    around_ends: Vec<bool>,
}

impl HistoryStore {
    /// Reads it, if there is any, into the histories.
    pub(super) async fn read_what_they_lean_on(
        &self,
        plans: &[&Plan],
        all: &mut BTreeMap<GroupName, ReadHistory>,
    ) -> Result<(), StoreError> {
        let mut of_groups: BTreeMap<&GroupName, Leans> = BTreeMap::new();
        let mut ends: BTreeSet<&Name> = BTreeSet::new();
        for plan in plans {
            let Some(read) = all.get(&plan.group) else { continue };
            let found = leans(plan, &read.history);
            if !found.is_empty() {
                let of_group = of_groups.entry(&plan.group).or_default();
                of_group.targets.extend(found.targets);
                of_group.pointed_to.extend(found.pointed_to);
                of_group.around.extend(found.around);
            }
            ends.extend(plan.zones.iter().filter(|(_, one)| matches!(one, ZoneChange::End)).map(|(zone, _)| zone));
        }
        if of_groups.is_empty() {
            return Ok(());
        }
        let zones = self.ask(&of_groups, &ends, all).await?;
        self.read_names_on_the_way(plans, &of_groups, &zones, all).await
    }

    /// Which zones of its group a target may be in, who points to a name, what is around a zone. Gives back the zones.
    async fn ask(
        &self,
        of_groups: &BTreeMap<&GroupName, Leans>,
        ends: &BTreeSet<&Name>,
        all: &mut BTreeMap<GroupName, ReadHistory>,
    ) -> Result<BTreeSet<(GroupName, Name)>, StoreError> {
        let asked = Questions::of(of_groups, ends);
        let rows = sqlx::query_file!(
            "queries/admission/read_what_plans_lean_on.sql",
            &asked.zone_groups,
            &asked.zone_names,
            &asked.pointed_groups,
            &asked.pointed_names,
            &asked.around_groups,
            &asked.around_zones,
            &asked.around_enclosing,
            &asked.around_ends
        )
        .fetch_all(&self.pool)
        .await?;
        for (group, leans) in of_groups {
            let Some(read) = all.get_mut(*group) else { continue };
            // Asked and nothing found is an answer too.
            read.history.pointers.extend(leans.pointed_to.iter().map(|name| (name.clone(), BTreeSet::new())));
            read.history.around.extend(leans.around.iter().map(|zone| (zone.clone(), plan_rules::Around::default())));
        }
        let mut zones = BTreeSet::new();
        for row in rows {
            let (about, zone) = (zone_name(Some(&row.about))?, zone_name(row.zone_name.as_deref())?);
            let group = of_groups.keys().find(|group| group.as_str() == row.group_name);
            let Some((group, read)) = group.and_then(|group| Some((*group, all.get_mut(*group)?))) else { continue };
            match row.kind.as_str() {
                "zone" => {
                    read.zones.extend(row.number.map(|number| (zone.clone(), number)));
                    zones.insert((group.clone(), zone));
                }
                "pointer" => {
                    let columns = (row.owner.as_deref(), row.r#type, row.covered);
                    if let (Key::Records(key), _) = change(&zone, columns, None)? {
                        read.history.pointers.entry(about).or_default().insert(Pointer { zone, key });
                    }
                }
                what => {
                    let around = read.history.around.entry(about).or_default();
                    match what {
                        "above" | "delegates" => around.above = Some(Above { zone, delegates: what == "delegates" }),
                        "guarded" => {
                            around.guarded_below.push(super::owner_name(row.owner.as_deref().unwrap_or("@"), &zone)?);
                        }
                        "below" => around.zones_below.push(zone),
                        other => return Err(StoreError::Damaged(format!("a finding of the unknown kind {other}"))),
                    }
                }
            }
        }
        Ok(zones)
    }

    /// What stands at the targets, and on the way to them.
    async fn read_names_on_the_way(
        &self,
        plans: &[&Plan],
        of_groups: &BTreeMap<&GroupName, Leans>,
        zones: &BTreeSet<(GroupName, Name)>,
        all: &mut BTreeMap<GroupName, ReadHistory>,
    ) -> Result<(), StoreError> {
        let mut names: BTreeSet<(i64, String)> = BTreeSet::new();
        for (group, leans) in of_groups {
            let Some(read) = all.get_mut(*group) else { continue };
            let known: Vec<BTreeMap<Name, Footprint>> =
                plans.iter().filter(|plan| plan.group == **group).map(|plan| footprint(plan)).collect();
            for target in &leans.targets {
                let zone = enclosing(target).find(|zone| zones.contains(&((*group).clone(), zone.clone())));
                if let Some(zone) = &zone {
                    let on_the_way = names_on_the_way(target, zone).into_iter().filter(|name| {
                        !known.iter().any(|footprint| match footprint.get(zone) {
                            Some(Footprint::WholeZone) => true,
                            Some(Footprint::Names(names)) => names.contains(name),
                            None => false,
                        })
                    });
                    let number = read.zones.get(zone).copied().unwrap_or_default();
                    names.extend(on_the_way.filter_map(|name| Some((number, name.relative_to(zone)?))));
                    let of_this_group = || ZoneHistory { owner: ZoneOwner::ThisGroup, ..ZoneHistory::default() };
                    read.history.zones.entry(zone.clone()).or_insert_with(of_this_group);
                }
                read.history.target_zones.insert(target.clone(), zone);
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        let (numbers, owners): (Vec<i64>, Vec<String>) = names.into_iter().unzip();
        let rows =
            sqlx::query_file!("queries/admission/read_names.sql", &numbers, &owners).fetch_all(&self.pool).await?;
        for row in rows {
            let zone = zone_name(Some(&row.zone_name))?;
            let columns = (Some(row.owner.as_str()), Some(row.rtype), Some(row.covered));
            let (key, content) = change(&zone, columns, row.value.as_deref())?;
            let standing_in = generation(Some(row.generation))?;
            for of_zone in all.values_mut().filter_map(|read| read.history.zones.get_mut(&zone)) {
                of_zone.stands(&key, content.as_ref(), standing_in);
            }
        }
        Ok(())
    }
}

impl Questions {
    fn of(of_groups: &BTreeMap<&GroupName, Leans>, ends: &BTreeSet<&Name>) -> Self {
        let mut asked = Self::default();
        for (group, leans) in of_groups {
            let zones: BTreeSet<Name> = leans.targets.iter().flat_map(enclosing).collect();
            for zone in zones {
                asked.zone_groups.push(group.to_string());
                asked.zone_names.push(zone.to_string());
            }
            for name in &leans.pointed_to {
                asked.pointed_groups.push(group.to_string());
                asked.pointed_names.push(name.to_string());
            }
            for zone in &leans.around {
                let lower = zone.to_lowercase();
                asked.around_groups.push(group.to_string());
                asked
                    .around_enclosing
                    .push(enclosing(&lower).skip(1).map(|name| name.to_string()).collect::<Vec<_>>().join(" "));
                asked.around_zones.push(lower.to_string());
                asked.around_ends.push(ends.contains(zone));
            }
        }
        asked
    }
}

/// A name and all above it, the closest first, in lower case.
fn enclosing(name: &Name) -> impl Iterator<Item = Name> + use<> {
    std::iter::successors(Some(name.to_lowercase()), Name::parent)
}
