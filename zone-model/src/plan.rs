//! Plans: immutable sets of changes, valid in themselves. Whether one is admitted depends on the history.

use crate::zone_contents::take_serial;
use crate::{
    Base, Generation, Guard, Id, Name, Placed, RecordSet, RecordType, Serial, SetKey, Setting, SettingValue, Violation,
    ZoneContents,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The longest name of a group, in characters.
pub const GROUP_NAME_LENGTH_MAX: usize = 255;
/// The longest reason, in characters.
pub const REASON_LENGTH_MAX: usize = 1_000;

/// The name of a group: lower-case letters, digits, `.`, `_` and `-`, not starting with `.` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Box<str>);

/// The text is no name of a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a group's name: write 1 to {GROUP_NAME_LENGTH_MAX} of a-z, 0-9, `.`, `_` and `-`, starting with a letter, a digit or `_`"
)]
pub struct GroupNameError(String);

impl GroupName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it has other characters, or too many.
    pub fn parse(text: &str) -> Result<Self, GroupNameError> {
        let fits = (1..=GROUP_NAME_LENGTH_MAX).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
            && !text.starts_with(['.', '-']);
        if fits { Ok(Self(text.into())) } else { Err(GroupNameError(text.chars().take(80).collect())) }
    }

    /// The name that a group of this one zone bears by default; none where the zone's name has other characters.
    #[must_use]
    pub fn of_zone(zone: &Name) -> Option<Self> {
        if zone.is_root() {
            return Self::parse("root").ok();
        }
        Self::parse(zone.to_lowercase().to_string().strip_suffix('.')?).ok()
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of plan it is. Only changes are posted as plans; the others have requests of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanKind {
    /// Sets and takes away what its author wishes.
    #[default]
    Change,
    /// Restores what was answered at an earlier generation.
    Rollback {
        /// That generation.
        to: Generation,
        /// Whether it may get in force through a freeze; the group is closed to planners by it.
        through_freeze: bool,
    },
    /// Begins a new epoch, after the database went back in time.
    Raise,
    /// Ends zones, and does nothing else.
    EndZone,
}

impl PlanKind {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Rollback { .. } => "rollback",
            Self::Raise => "raise",
            Self::EndZone => "end-zone",
        }
    }
}

/// Changes to some zones of a group, made by an author who had read `base`.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The group.
    pub group: GroupName,
    /// What the author had read. Always from the plan, never from a fresh read.
    pub base: Base,
    /// The id of `base`, where the author knows it.
    pub base_id: Option<Id>,
    /// Why, in the author's words.
    pub reason: Option<String>,
    /// What kind of plan it is.
    pub kind: PlanKind,
    /// What changes, by zone.
    pub zones: BTreeMap<Name, ZoneChange>,
    /// Settings of the group; none for one that goes back to its default.
    pub settings: BTreeMap<Setting, Option<SettingValue>>,
    /// Names (zone, owner) that must not have changed since `base`, besides those that the plan changes.
    pub reads: BTreeSet<(Name, Name)>,
    /// Whether the plan may be admitted on a tip above its base when nothing in its footprint changed.
    pub rebase: bool,
    /// The tip's id that the author insists on (`If-Match`).
    pub if_match: Option<Id>,
    /// Guards that do not apply to this plan, with the reason for each.
    pub acknowledged: BTreeMap<Guard, String>,
}

impl Plan {
    /// A plan that changes nothing yet, and may be rebased.
    #[must_use]
    pub const fn new(group: GroupName, base: Base) -> Self {
        Self {
            group,
            base,
            base_id: None,
            reason: None,
            kind: PlanKind::Change,
            zones: BTreeMap::new(),
            settings: BTreeMap::new(),
            reads: BTreeSet::new(),
            rebase: true,
            if_match: None,
            acknowledged: BTreeMap::new(),
        }
    }
}

/// What a plan does to one zone.
#[derive(Clone, Debug)]
pub enum ZoneChange {
    /// Some record sets.
    Edit(Edit),
    /// The whole contents; also how a zone begins.
    Replace(ZoneContents),
    /// Everything in the zone goes, its SOA included. That row stays, and is the fact that the zone has ended.
    End,
}

impl ZoneChange {
    /// Whether a SOA comes with it, whose serial is compared with the zone's own.
    #[must_use]
    pub const fn declares_serial(&self) -> bool {
        match self {
            Self::Edit(edit) => edit.serial.is_some(),
            Self::Replace(_) => true,
            Self::End => false,
        }
    }
}

/// Record sets to put in place and to take away.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    upserts: BTreeMap<SetKey, Placed<RecordSet>>,
    deletes: BTreeMap<Delete, String>,
    removals: BTreeSet<SetKey>,
    guards: BTreeMap<SetKey, Placed<u16>>,
    unguards: BTreeMap<SetKey, String>,
    serial: Option<Serial>,
}

/// One record set to take away, or all of a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delete {
    /// The owner.
    pub owner: Name,
    /// The type; none for the whole name.
    pub rtype: Option<RecordType>,
}

impl Edit {
    /// Checks that the edit makes sense in itself: everything in the zone, nothing twice, nothing both put and taken.
    ///
    /// # Errors
    /// Every violation, each with its place.
    pub fn new(
        zone: &Name,
        upserts: Vec<Placed<RecordSet>>,
        deletes: Vec<Placed<Delete>>,
    ) -> Result<Self, Vec<Violation>> {
        let mut edit = Self::default();
        let mut violations = Vec::new();
        let mut fault = |owner: &Name, rtype: Option<RecordType>, place: &str, message: String| {
            let (zone, name) = (zone.clone(), Some(owner.clone()));
            violations.push(Violation { zone, name, rtype, place: place.to_owned(), message });
        };
        for Placed { place, value } in upserts {
            let (owner, rtype) = (value.owner().clone(), value.rtype());
            let key = value.key();
            if !owner.is_within(zone) {
                fault(&owner, Some(rtype), &place, format!("{owner} is not in the zone {zone}"));
                continue;
            }
            if let Some(first) = edit.upserts.get(&key) {
                let message = format!("this record set was given before, at {}", first.place);
                fault(&owner, Some(rtype), &place, message);
                continue;
            }
            match take_serial(value) {
                Ok((set, serial)) => {
                    edit.serial = serial.or(edit.serial);
                    edit.upserts.insert(key, Placed { place, value: set });
                }
                Err((_, message)) => fault(&owner, Some(rtype), &place, message),
            }
        }
        for Placed { place, value } in deletes {
            if !value.owner.is_within(zone) {
                fault(&value.owner, value.rtype, &place, format!("{} is not in the zone {zone}", value.owner));
                continue;
            }
            // Keys are ordered by owner first, so what is put under this owner stands together.
            let of_owner = edit.upserts.range(SetKey::new(&value.owner, RecordType(0))..);
            let put_too = of_owner
                .take_while(|(key, _)| *key.owner() == value.owner)
                .find(|(key, _)| value.rtype.is_none_or(|rtype| rtype == key.rtype()));
            if let Some((_, put)) = put_too {
                let message = format!("the same record set is put in place, at {}", put.place);
                fault(&value.owner, value.rtype, &place, message);
            }
            edit.deletes.insert(value, place);
        }
        if violations.is_empty() { Ok(edit) } else { Err(violations) }
    }

    /// What brings back earlier record sets: these put in place, those removed. No serial comes with it.
    #[must_use]
    pub fn restoring(upserts: Vec<RecordSet>, removals: BTreeSet<SetKey>) -> Self {
        let placed = |set: RecordSet| {
            let place = format!("the former {} {}", set.owner(), set.rtype());
            (set.key(), Placed { place, value: set })
        };
        Self { upserts: upserts.into_iter().map(placed).collect(), removals, ..Self::default() }
    }

    /// Also guards record sets, each with the fewest records that it may have, and ends guards.
    ///
    /// # Errors
    /// Every violation, each with its place.
    pub fn with_guards(
        mut self,
        zone: &Name,
        guards: Vec<Placed<(SetKey, u16)>>,
        unguards: Vec<Placed<SetKey>>,
    ) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let fault = |key: &SetKey, place: &str, message: String| Violation {
            zone: zone.clone(),
            name: Some(key.owner().clone()),
            rtype: Some(key.rtype()),
            place: place.to_owned(),
            message,
        };
        let outside =
            |key: &SetKey| (!key.owner().is_within(zone)).then(|| format!("{} is not in the zone {zone}", key.owner()));
        for Placed { place, value: (key, minimum) } in guards {
            let wrong = outside(&key).or_else(|| match (key.rtype(), minimum) {
                (RecordType::RRSIG, _) => Some("signatures cannot be guarded".to_owned()),
                (rtype, _) if !rtype.is_data() => Some(format!("{rtype} is no type of records")),
                (_, 0) => Some("a guard's minimum is at least 1".to_owned()),
                _ => None,
            });
            let wrong = wrong.or_else(|| {
                let first = self.guards.get(&key)?;
                Some(format!("this record set was guarded before, at {}", first.place))
            });
            match wrong {
                Some(message) => violations.push(fault(&key, &place, message)),
                None => drop(self.guards.insert(key, Placed { place, value: minimum })),
            }
        }
        for Placed { place, value: key } in unguards {
            let guarded_too = self.guards.get(&key).map(|guard| format!("it is guarded as well, at {}", guard.place));
            match outside(&key).or(guarded_too) {
                Some(message) => violations.push(fault(&key, &place, message)),
                None => drop(self.unguards.insert(key, place)),
            }
        }
        if violations.is_empty() { Ok(self) } else { Err(violations) }
    }

    /// Record sets to put in place, the SOA with serial 0.
    #[must_use]
    pub const fn upserts(&self) -> &BTreeMap<SetKey, Placed<RecordSet>> {
        &self.upserts
    }

    /// What to take away, each with its place in the input.
    #[must_use]
    pub const fn deletes(&self) -> &BTreeMap<Delete, String> {
        &self.deletes
    }

    /// Exactly these record sets go, where an earlier state is restored.
    #[must_use]
    pub const fn removals(&self) -> &BTreeSet<SetKey> {
        &self.removals
    }

    /// Record sets that are guarded from now on, each with the fewest records that it may have.
    #[must_use]
    pub const fn guards(&self) -> &BTreeMap<SetKey, Placed<u16>> {
        &self.guards
    }

    /// Guards that end, each with its place in the input.
    #[must_use]
    pub const fn unguards(&self) -> &BTreeMap<SetKey, String> {
        &self.unguards
    }

    /// The serial that an upserted SOA was given with.
    #[must_use]
    pub const fn serial(&self) -> Option<Serial> {
        self.serial
    }

    /// Every owner that the edit changes, in lower case.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<Name> {
        let keys = self.upserts.keys().chain(&self.removals).chain(self.guards.keys()).chain(self.unguards.keys());
        let owners = keys.map(|key| key.owner().clone());
        owners.chain(self.deletes.keys().map(|delete| delete.owner.to_lowercase())).collect()
    }
}
