//! What the footprints of some plans ask of the database, as arrays.

use plan_rules::{Footprint, footprint};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{GroupName, Name, Plan, ZoneChange};

/// What is asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) zones_of_groups: BTreeMap<GroupName, BTreeSet<Name>>,
    pub(super) groups: Vec<String>,
    pub(super) base_groups: Vec<String>,
    pub(super) bases: Vec<i64>,
    pub(super) zones: Vec<String>,
    pub(super) name_zones: Vec<String>,
    pub(super) name_owners: Vec<String>,
    pub(super) whole_zones: Vec<String>,
    pub(super) serial_zones: Vec<String>,
    pub(super) deleting_groups: Vec<String>,
}

impl Asked {
    /// For the apexes of these zones of a group, with their serials.
    pub(super) fn apexes(group: &GroupName, zones: BTreeSet<Name>) -> Self {
        let texts: Vec<String> = zones.iter().map(|zone| zone.to_lowercase().to_string()).collect();
        Self {
            groups: vec![group.to_string()],
            name_owners: vec!["@".to_owned(); texts.len()],
            name_zones: texts.clone(),
            serial_zones: texts.clone(),
            zones: texts,
            zones_of_groups: BTreeMap::from([(group.clone(), zones)]),
            ..Self::default()
        }
    }

    pub(super) fn of(plans: &[&Plan]) -> Self {
        let (mut names, mut whole_zones, mut bases) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut asked = Self::default();
        for plan in plans {
            bases.insert((plan.group.as_str(), plan.base.get()));
            for (zone, change) in &plan.zones {
                if change.declares_serial() {
                    asked.serial_zones.push(zone.to_lowercase().to_string());
                }
            }
            if plan.zones.values().any(may_delete) {
                asked.deleting_groups.push(plan.group.to_string());
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

fn may_delete(change: &ZoneChange) -> bool {
    match change {
        ZoneChange::Edit(edit) => !edit.deletes().is_empty() || !edit.removals().is_empty(),
        ZoneChange::Replace(_) | ZoneChange::End => true,
    }
}
