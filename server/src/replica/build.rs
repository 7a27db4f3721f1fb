//! New versions of groups, built aside from rows. Pure: what carries the rows here is in `fetch`.

use crate::install::{Head, Load, Refusal, verify};
use crate::snapshot::{Directory, Group, GroupNumber, Standing, Zone, ZoneNumber};
use imbl::OrdMap;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use zone_model::{Content, Digest, Generation, Key, Name, RecordType, SetKey, Setting, SettingValue};

/// A row of content: the newest version of one key among the plans asked for.
#[derive(Clone, Debug)]
pub struct Row {
    /// The zone's number.
    pub zone: i64,
    /// The owner, relative to the zone.
    pub owner: String,
    /// The row type.
    pub rtype: i32,
    /// The covered type.
    pub covered: i32,
    /// The plan that wrote it.
    pub plan: i64,
    /// The stored form; none means gone.
    pub value: Option<Vec<u8>>,
}

/// A zone that changed, and the newest generation that changed it.
#[derive(Clone, Debug)]
pub struct TouchedZone {
    /// The zone's number.
    pub zone: ZoneNumber,
    /// The zone's name.
    pub name: Name,
    /// The zone's group.
    pub group: GroupNumber,
    /// The generation.
    pub generation: Generation,
}

/// A group to be built.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What it is to become.
    pub head: Head,
    /// What it is, if anything.
    pub held: Option<Arc<Group>>,
    /// Whether that is built upon, and if not, why.
    pub load: Load,
}

impl Wanted {
    /// The generation above which changes are wanted.
    #[must_use]
    pub fn above(&self) -> i64 {
        self.base().map_or(0, |group| group.version.generation.get())
    }

    /// What is built upon; none for a load in full.
    #[must_use]
    pub fn base(&self) -> Option<&Arc<Group>> {
        self.held.as_ref().filter(|_| self.load == Load::Increment)
    }
}

/// A group whose new version is ready to be installed.
#[derive(Debug)]
pub struct Built {
    /// The group's number.
    pub number: GroupNumber,
    /// The group.
    pub group: Group,
    /// Its zones that changed; none for one that has ended.
    pub changed: Vec<(Name, Option<Zone>)>,
}

/// New versions of some groups, being built.
#[derive(Debug)]
pub struct Build {
    directory: Arc<Directory>,
    groups: BTreeMap<GroupNumber, GroupBuild>,
    zones: HashMap<ZoneNumber, ZoneBuild>,
}

#[derive(Debug)]
struct GroupBuild {
    wanted: Wanted,
    settings: OrdMap<Setting, SettingValue>,
    digest: Digest,
    refused: Option<Refusal>,
}

#[derive(Debug)]
struct ZoneBuild {
    group: GroupNumber,
    zone: Zone,
    serial_plan: Option<i64>,
    soa_is_gone: bool,
    guards_ended: HashSet<SetKey>,
}

impl Build {
    /// Starts from what the directory holds of these groups, or from nothing for those that are loaded in full.
    #[must_use]
    pub fn new(directory: &Arc<Directory>, wanted: Vec<Wanted>, touched: Vec<TouchedZone>) -> Self {
        let groups = wanted.into_iter().map(|wanted| {
            let base = wanted.base();
            let digest = base.map_or(Digest::EMPTY, |group| group.digest);
            let settings = base.map(|group| group.settings.clone()).unwrap_or_default();
            (wanted.head.group, GroupBuild { wanted, settings, digest, refused: None })
        });
        let mut build = Self { directory: directory.clone(), groups: groups.collect(), zones: HashMap::new() };
        for touched in touched {
            let Some(group) = build.groups.get_mut(&touched.group) else { continue };
            let base = group.wanted.base().filter(|base| base.zones.contains_key(&touched.zone));
            let standing = base.and_then(|_| directory.zone(&touched.name));
            let mut zone = standing.map_or_else(|| Zone::empty(&touched.name), |zone| Zone::clone(zone));
            zone.was_touched_in(touched.generation);
            let (serial_plan, soa_is_gone, guards_ended) = (None, false, HashSet::new());
            let of = ZoneBuild { group: touched.group, zone, serial_plan, soa_is_gone, guards_ended };
            build.zones.insert(touched.zone, of);
        }
        build
    }

    /// Puts one row in its place. A row that cannot be read condemns its group, and no other.
    pub fn apply(&mut self, row: Row) {
        if row.zone < 0 {
            // A group's settings stand in a zone that is none, under the group's number with its sign changed.
            let group = self.groups.get_mut(&GroupNumber(-row.zone));
            return group.into_iter().for_each(|group| group.apply(&row));
        }
        // A zone that nothing touched cannot have rows. If it has, the digest will not add up.
        let Some(of) = self.zones.get_mut(&ZoneNumber(row.zone)) else { return };
        let Some(group) = self.groups.get_mut(&of.group) else { return };
        if group.refused.is_some() {
            return;
        }
        match read(of.zone.name(), &row) {
            Ok((key, content)) => {
                match &key {
                    Key::Serial => of.serial_plan = content.as_ref().map(|_| row.plan),
                    Key::Records(set) if set.rtype() == RecordType::SOA => of.soa_is_gone = content.is_none(),
                    Key::Guarded(set) if content.is_none() => drop(of.guards_ended.insert(set.clone())),
                    Key::Guarded(_) | Key::Records(_) | Key::Setting(_) => {}
                }
                group.digest = group.digest.plus(of.zone.apply(&key, content));
            }
            Err(why) => group.refuse(of.zone.name(), row, why),
        }
    }

    /// The plans whose generations are wanted, because they set a zone's serial.
    #[must_use]
    pub fn serial_plans(&self) -> Vec<i64> {
        self.zones.values().filter_map(|of| of.serial_plan).collect()
    }

    /// Says which generations the plans asked for by [`Build::serial_plans`] have made.
    pub fn serial_plans_made(&mut self, generations: &HashMap<i64, Generation>) {
        for of in self.zones.values_mut() {
            if let Some(generation) = of.serial_plan.and_then(|plan| generations.get(&plan)) {
                of.zone.serial_was_set_in(*generation);
            }
        }
    }

    /// Judges every group by itself.
    #[must_use]
    pub fn finish(self) -> Vec<(Wanted, Result<Built, Refusal>)> {
        let mut zones_of: BTreeMap<GroupNumber, Vec<(ZoneNumber, ZoneBuild)>> = BTreeMap::new();
        for (number, of) in self.zones {
            zones_of.entry(of.group).or_default().push((number, of));
        }
        let finish = |(number, group): (GroupNumber, GroupBuild)| {
            let zones = zones_of.remove(&number).unwrap_or_default();
            let built = finish_group(&self.directory, &group, zones);
            (group.wanted, built)
        };
        self.groups.into_iter().map(finish).collect()
    }
}

impl GroupBuild {
    fn apply(&mut self, row: &Row) {
        if self.refused.is_some() {
            return;
        }
        // Settings are of no zone, so they are written as of the root.
        let nowhere = Name::root();
        match read(&nowhere, row) {
            Ok((key @ Key::Setting(setting), content)) => {
                let added = content.as_ref().map_or(Digest::EMPTY, |content| key.digest(&nowhere, content));
                let before = match content {
                    Some(Content::Setting(value)) => self.settings.insert(setting, value),
                    _ => self.settings.remove(&setting),
                };
                let digest_of = |value| key.digest(&nowhere, &Content::Setting(value));
                self.digest = self.digest.plus(added).minus(before.map_or(Digest::EMPTY, digest_of));
            }
            Ok(_) => self.refuse(&nowhere, row.clone(), "no setting of a group".to_owned()),
            Err(why) => self.refuse(&nowhere, row.clone(), why),
        }
    }

    fn refuse(&mut self, zone: &Name, row: Row, why: String) {
        let Row { owner, rtype, covered, plan, .. } = row;
        self.refused = Some(Refusal::PoisonedRow { zone: zone.clone(), owner, rtype, covered, plan, why });
    }
}

fn read(zone: &Name, row: &Row) -> Result<(Key, Option<Content>), String> {
    let key = Key::from_columns(zone, &row.owner, row.rtype, row.covered).map_err(|error| error.to_string())?;
    let content = row.value.as_ref().map(|value| Content::from_value(&key, value)).transpose();
    Ok((key, content.map_err(|error| error.to_string())?))
}

fn finish_group(
    directory: &Directory,
    group: &GroupBuild,
    zones: Vec<(ZoneNumber, ZoneBuild)>,
) -> Result<Built, Refusal> {
    if let Some(refused) = &group.refused {
        return Err(refused.clone());
    }
    let head = &group.wanted.head;
    verify(head, group.digest)?;
    // From here on the rows are the history's own; what follows asks whether they may be served.
    let held = directory.group(head.group);
    let is_raised = group.wanted.load == Load::Raised;
    let mut standing = group.wanted.base().map(|base| base.zones.clone()).unwrap_or_default();
    let by_name = held.filter(|_| is_raised).into_iter().flat_map(|held| held.zones.values());
    let held_by_name: HashSet<&Name> = by_name.collect();
    let mut changed = Vec::with_capacity(zones.len());
    for (number, mut of) in zones {
        let name = of.zone.name().clone();
        // By number and name: after a restore, numbers are given anew, and names get other ones.
        let is_ours = held.is_some_and(|held| held.zones.get(&number) == Some(&name)) || held_by_name.contains(&name);
        if !is_ours && directory.zone(&name).is_some() {
            return Err(Refusal::ZoneOfAnotherGroup(name));
        }
        check_guards(directory.zone(&name), &group.wanted, &mut of)?;
        match of.zone.finish()? {
            Standing::Stands(zone) => {
                standing.insert(number, name.clone());
                changed.push((name, Some(zone)));
            }
            // Ended by a positive fact, and not by rows that did not come.
            Standing::Ended if of.soa_is_gone || !is_ours => {
                standing.remove(&number);
                changed.push((name, None));
            }
            Standing::Ended => return Err(Refusal::Vanished(name)),
        }
    }
    if group.wanted.base().is_none() {
        let mentioned: HashSet<Name> = changed.iter().map(|(name, _)| name.clone()).collect();
        let held = held.iter().flat_map(|held| held.zones.values());
        for name in held.filter(|name| !mentioned.contains(*name)) {
            if !is_raised {
                return Err(Refusal::Vanished(name.clone()));
            }
            let (group, generation) = (&*head.name, head.version.generation.get());
            tracing::error!(group, generation, zone = %name, "the raised history has no such zone: it is not served any more");
            changed.push((name.clone(), None));
        }
    }
    let (name, settings) = (head.name.clone(), group.settings.clone());
    let group = Group { name, version: head.version, digest: head.digest, zones: standing, settings };
    Ok(Built { number: head.group, group, changed })
}

/// The server's own say about guarded names, with code of its own: guards that stand are kept, and those that stood
/// have ended by a positive fact.
fn check_guards(held: Option<&Arc<Zone>>, wanted: &Wanted, of: &mut ZoneBuild) -> Result<(), Refusal> {
    let zone = of.zone.name().clone();
    if let Some(broken) = of.zone.broken_guard() {
        let (name, rtype) = (broken.key.owner().clone(), broken.key.rtype());
        return Err(Refusal::Guarded { zone, name, rtype, minimum: broken.minimum, records: broken.records });
    }
    // An increment keeps guards unless a row ends them. In a load in full that row is still there, above the floor.
    let held = held.filter(|_| wanted.load == Load::Drifted);
    let mut guards = held.iter().flat_map(|held| held.guards());
    match guards.find(|key| !of.zone.is_guarded(key) && !of.guards_ended.contains(*key)) {
        Some(key) => Err(Refusal::GuardVanished { zone, name: key.owner().clone(), rtype: key.rtype() }),
        None => Ok(()),
    }
}
