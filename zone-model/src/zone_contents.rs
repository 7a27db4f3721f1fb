//! Zone contents that cannot be wrong, and the rules that say what is wrong.

use crate::record_data::Soa;
use crate::{Name, RecordSet, RecordType, Serial, SetKey};
use std::collections::BTreeMap;

/// Everything in a zone: one SOA and an NS set at the apex, nothing out of the zone, nothing beside a CNAME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneContents {
    zone: Name,
    serial: Serial,
    sets: BTreeMap<SetKey, RecordSet>,
}

/// Something wrong in what was asked for, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The zone.
    pub zone: Name,
    /// The owner, where one is at fault.
    pub name: Option<Name>,
    /// The record type, where one is at fault.
    pub rtype: Option<RecordType>,
    /// Where in the input: a path in JSON, or a line of a zone file.
    pub place: String,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// A record set and where in the input it stands.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    /// Where in the input.
    pub place: String,
    /// What stands there.
    pub value: T,
}

impl ZoneContents {
    /// Checks record sets as the whole contents of `zone`. The SOA's serial is taken out, and stored as 0.
    ///
    /// # Errors
    /// Every violation, each with its place.
    pub fn new(zone: Name, placed: Vec<Placed<RecordSet>>) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut sets: BTreeMap<SetKey, Placed<RecordSet>> = BTreeMap::new();
        for one in placed {
            let key = one.value.key();
            if let Some(first) = sets.get(&key) {
                let message = format!("this record set was given before, at {}", first.place);
                violations.push(violation(&zone, &one.value, &one.place, message));
            } else {
                sets.insert(key, one);
            }
        }
        let mut at = sets.iter().peekable();
        while let Some((key, first)) = at.next() {
            let mut of_name = vec![(key.rtype(), first.place.as_str())];
            while let Some((next, placed)) = at.next_if(|(next, _)| next.owner() == key.owner()) {
                of_name.push((next.rtype(), placed.place.as_str()));
            }
            check_name(&zone, first.value.owner(), &of_name, &mut violations);
        }
        for needed in [RecordType::SOA, RecordType::NS] {
            if !sets.contains_key(&SetKey::new(&zone, needed)) {
                violations.push(Violation {
                    zone: zone.clone(),
                    name: Some(zone.clone()),
                    rtype: Some(needed),
                    place: "the whole zone".to_owned(),
                    message: format!("a zone needs {needed} at its apex"),
                });
            }
        }
        let mut serial = Serial(0);
        let mut checked = BTreeMap::new();
        for (key, placed) in sets {
            match take_serial(placed.value) {
                Ok((set, declared)) => {
                    serial = declared.unwrap_or(serial);
                    checked.insert(key, set);
                }
                Err((set, message)) => violations.push(violation(&zone, &set, &placed.place, message)),
            }
        }
        if violations.is_empty() { Ok(Self { zone, serial, sets: checked }) } else { Err(violations) }
    }

    /// The zone's name, as spelled.
    #[must_use]
    pub const fn zone(&self) -> &Name {
        &self.zone
    }

    /// The serial that the SOA was given with.
    #[must_use]
    pub const fn serial(&self) -> Serial {
        self.serial
    }

    /// All record sets in canonical order, the SOA with serial 0.
    #[must_use]
    pub const fn sets(&self) -> &BTreeMap<SetKey, RecordSet> {
        &self.sets
    }

    /// Gives up the record sets.
    #[must_use]
    pub fn into_sets(self) -> BTreeMap<SetKey, RecordSet> {
        self.sets
    }
}

/// Takes the serial out of a SOA set, which is then stored with serial 0. Other sets pass as they are.
///
/// # Errors
/// The set again, and what is wrong with its SOA.
pub(crate) fn take_serial(set: RecordSet) -> Result<(RecordSet, Option<Serial>), (RecordSet, String)> {
    if set.rtype() != RecordType::SOA {
        return Ok((set, None));
    }
    match with_serial(&set, Serial(0)) {
        Ok((without, before)) => Ok((without, Some(before))),
        Err(message) => Err((set, message)),
    }
}

/// The SOA set with `serial` in place of its own, and its own.
///
/// # Errors
/// When the set is no SOA.
pub fn with_serial(set: &RecordSet, serial: Serial) -> Result<(RecordSet, Serial), String> {
    let data = set.records().first().ok_or("an SOA set has one record")?;
    let mut soa = Soa::from_data(data).map_err(|error| error.to_string())?;
    let before = std::mem::replace(&mut soa.serial, serial);
    let data = soa.to_data();
    let set = RecordSet::new(set.owner().clone(), RecordType::SOA, set.ttl(), vec![data]);
    set.map(|set| (set, before)).map_err(|error| error.to_string())
}

/// Checks which types may stand at one name, given all of them, each with its place. Whether a zone has its SOA and NS
/// is for those to say who see the apex.
pub fn check_name(zone: &Name, owner: &Name, of_name: &[(RecordType, &str)], violations: &mut Vec<Violation>) {
    let has = |wanted| of_name.iter().any(|(rtype, _)| *rtype == wanted);
    let apex = owner == zone;
    for &(rtype, place) in of_name {
        let message = if !owner.is_within(zone) {
            format!("{owner} is not in the zone {zone}")
        } else if rtype == RecordType::SOA && !apex {
            "a SOA stands at the zone's apex only".to_owned()
        } else if rtype == RecordType::DS && apex {
            "DS of a zone stands in its parent zone, not at its own apex".to_owned()
        } else if rtype == RecordType::CNAME && of_name.iter().any(|(other, _)| !stands_beside_cname(*other)) {
            // RFC 2181 §10.1; RFC 4034 §3 and §4 for RRSIG and NSEC.
            let others = of_name.iter().filter(|(other, _)| !stands_beside_cname(*other));
            let others: Vec<String> = others.map(|(other, _)| other.to_string()).collect();
            format!("a CNAME stands alone, and here is {} beside it", others.join(", "))
        } else if rtype == RecordType::DNAME && has(RecordType::NS) && !apex {
            // RFC 6672 §2.3.
            "a DNAME cannot stand beside NS, except at the apex".to_owned()
        } else {
            continue;
        };
        violations.push(Violation {
            zone: zone.clone(),
            name: Some(owner.clone()),
            rtype: Some(rtype),
            place: place.to_owned(),
            message,
        });
    }
}

fn stands_beside_cname(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::CNAME | RecordType::RRSIG | RecordType::NSEC)
}

fn violation(zone: &Name, set: &RecordSet, place: &str, message: String) -> Violation {
    Violation {
        zone: zone.clone(),
        name: Some(set.owner().clone()),
        rtype: Some(set.rtype()),
        place: place.to_owned(),
        message,
    }
}
