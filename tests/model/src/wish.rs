//! What authors wish, as real plans for a group of two zones.

use plan_rules::{Author, Role, Scope};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;
use zone_model::{
    Base, Delete, Edit, GroupName, Name, Placed, Plan, RecordData, RecordSet, RecordType, SetKey, ZoneChange,
    ZoneContents,
};

/// The two zones of the group.
pub static ZONES: LazyLock<[Name; 2]> = LazyLock::new(|| ["a.example.", "b.example."].map(name));

/// What an author wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// The group, with its two zones.
    Begin,
    /// `api` guarded in both zones.
    Guard,
    /// `api` otherwise, in both zones.
    Api(u8),
    /// `www` otherwise, in the first zone.
    Www(u8),
    /// `old` gone, from the first zone.
    DropOld,
    /// `old` otherwise, in the first zone.
    Old(u8),
    /// `api` gone: what the guard is for.
    EmptyApi,
    /// `www` otherwise, and no server can bear it.
    Poison,
    /// The answers of the generation before the one that the operator had read.
    RollBack {
        /// Through a freeze.
        through_freeze: bool,
    },
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str("the group"),
            Self::Guard => f.write_str("api guarded"),
            Self::Api(value) => write!(f, "api = {value} in both zones"),
            Self::Www(value) => write!(f, "www = {value}"),
            Self::DropOld => f.write_str("old gone"),
            Self::Old(value) => write!(f, "old = {value}"),
            Self::EmptyApi => f.write_str("api gone"),
            Self::Poison => f.write_str("a poison"),
            Self::RollBack { through_freeze: false } => f.write_str("a rollback"),
            Self::RollBack { through_freeze: true } => f.write_str("a rollback through the freeze"),
        }
    }
}

/// The group.
pub static GROUP: LazyLock<GroupName> = LazyLock::new(|| GroupName::parse("shop").expect("a name"));

impl Wish {
    /// Who wishes it.
    #[must_use]
    pub fn author(self) -> Author {
        let role = match self {
            Self::Begin | Self::Guard | Self::RollBack { .. } => Role::Operator,
            _ => Role::Planner,
        };
        Author { role, scope: Scope::default() }
    }

    /// The plan of an author who had read `base`; none for a rollback, which is made from what stood then.
    #[must_use]
    pub fn plan(self, base: u8) -> Option<Plan> {
        let [first, second] = &*ZONES;
        let zones = match self {
            Self::RollBack { .. } => return None,
            Self::Begin => {
                ZONES.iter().map(|zone| (zone.clone(), ZoneChange::Replace(contents(zone)))).collect::<BTreeMap<_, _>>()
            }
            Self::Guard => ZONES.iter().map(|zone| (zone.clone(), guard(zone))).collect(),
            Self::Api(value) => [first, second].map(|zone| (zone.clone(), put(zone, "api", value))).into(),
            Self::Www(value) => [(first.clone(), put(first, "www", value))].into(),
            Self::Old(value) => [(first.clone(), put(first, "old", value))].into(),
            Self::Poison => [(first.clone(), put(first, "www", 66))].into(),
            Self::DropOld => [(first.clone(), drop_name(first, "old"))].into(),
            Self::EmptyApi => [(first.clone(), drop_name(first, "api"))].into(),
        };
        let base = Base::new(i64::from(base)).expect("not below 0");
        Some(Plan { zones, ..Plan::new(GROUP.clone(), base) })
    }
}

/// The guarded record set of a zone.
#[must_use]
pub fn guarded(zone: &Name) -> SetKey {
    SetKey::new(&below("api", zone), RecordType::A)
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn below(label: &str, zone: &Name) -> Name {
    Name::parse_relative(label, zone).expect("a name")
}

fn set(owner: Name, rtype: RecordType, text: &str) -> RecordSet {
    let record = RecordData::parse(rtype, text, &Name::root()).expect("record data");
    RecordSet::new(owner, rtype, 60, vec![record]).expect("a record set")
}

fn address(label: &str, zone: &Name, value: u8) -> RecordSet {
    set(below(label, zone), RecordType::A, &format!("192.0.2.{value}"))
}

fn placed<T>(value: T) -> Vec<Placed<T>> {
    vec![Placed { place: String::new(), value }]
}

fn put(zone: &Name, label: &str, value: u8) -> ZoneChange {
    ZoneChange::Edit(Edit::new(zone, placed(address(label, zone, value)), vec![]).expect("an edit"))
}

fn drop_name(zone: &Name, label: &str) -> ZoneChange {
    let delete = Delete { owner: below(label, zone), rtype: None };
    ZoneChange::Edit(Edit::new(zone, vec![], placed(delete)).expect("an edit"))
}

fn guard(zone: &Name) -> ZoneChange {
    ZoneChange::Edit(Edit::default().with_guards(zone, placed((guarded(zone), 1)), vec![]).expect("an edit"))
}

fn contents(zone: &Name) -> ZoneContents {
    let sets = [
        set(zone.clone(), RecordType::SOA, "ns.example. hostmaster.example. 1 3600 900 604800 300"),
        set(zone.clone(), RecordType::NS, "ns.example."),
        address("api", zone, 1),
        address("www", zone, 1),
        address("old", zone, 1),
    ];
    ZoneContents::new(zone.clone(), sets.into_iter().flat_map(placed).collect()).expect("a zone")
}
