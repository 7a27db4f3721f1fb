//! Record sets: records of one owner and type, as a set (RFC 2181 §5).

use crate::{Name, RecordData, RecordType};
use std::collections::BTreeSet;

/// The greatest time to live, in seconds (RFC 2181 §8).
pub const TTL_MAX: u32 = (1 << 31) - 1;
/// The most octets that the records of a set may take in a message: what TCP's 65,535 leave beside a header, a
/// question and an OPT record, with every record's owner compressed to 2 octets.
pub const RECORD_SET_SIZE_MAX: usize = 65_000;

/// What a record set is known by within its zone: owner in lower case, type, and for RRSIG the type it covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetKey {
    owner: Name,
    rtype: RecordType,
    covered: RecordType,
}

impl SetKey {
    /// The key of the set of this owner and type. For RRSIG, see [`SetKey::covering`].
    #[must_use]
    pub fn new(owner: &Name, rtype: RecordType) -> Self {
        Self::covering(owner, rtype, RecordType(0))
    }

    /// The key of the RRSIG set of `owner` that covers the type `covered`; for any other type `covered` is ignored.
    #[must_use]
    pub fn covering(owner: &Name, rtype: RecordType, covered: RecordType) -> Self {
        let covered = if rtype == RecordType::RRSIG { covered } else { RecordType(0) };
        Self { owner: owner.to_lowercase(), rtype, covered }
    }

    /// The owner, in lower case.
    #[must_use]
    pub const fn owner(&self) -> &Name {
        &self.owner
    }

    /// The type.
    #[must_use]
    pub const fn rtype(&self) -> RecordType {
        self.rtype
    }

    /// The type that an RRSIG set covers; type 0 for every other set.
    #[must_use]
    pub const fn covered(&self) -> RecordType {
        self.covered
    }
}

/// At least one record, all of one owner, type and time to live, without duplicates, in canonical order (RFC 4034
/// §6.3). It cannot be empty, and cannot be changed.
#[derive(Clone, Debug)]
pub struct RecordSet {
    owner: Name,
    rtype: RecordType,
    ttl: u32,
    records: Box<[RecordData]>,
}

/// Why records do not make a record set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordSetError {
    /// No records: to remove a set, delete it.
    #[error("a record set needs at least one record; to remove it, delete it")]
    Empty,
    /// OPT, ANY, AXFR, TSIG and their like, or type 0.
    #[error("{0} is not a type of data, so it cannot stand in a zone")]
    NotData(RecordType),
    /// A time to live over 2^31 - 1 seconds.
    #[error("the ttl {0} is greater than {TTL_MAX} seconds")]
    TtlTooLong(u64),
    /// More than one SOA, CNAME or DNAME.
    #[error("a name has at most one {0} record, and here are {1}")]
    NotSingle(RecordType, usize),
    /// More than a message can carry.
    #[error("the records take {0} octets in an answer, and at most {RECORD_SET_SIZE_MAX} fit into a message")]
    TooLarge(usize),
    /// RRSIG records that cover different types are different sets.
    #[error("the RRSIG records of one set cover different types")]
    MixedCoverage,
}

impl RecordSet {
    /// Makes a set. Records that are equal but for the case of names in them are one (RFC 2181 §5).
    ///
    /// # Errors
    /// Why these records are no set.
    pub fn new(owner: Name, rtype: RecordType, ttl: u32, mut records: Vec<RecordData>) -> Result<Self, RecordSetError> {
        if !rtype.is_data() {
            return Err(RecordSetError::NotData(rtype));
        }
        if ttl > TTL_MAX {
            return Err(RecordSetError::TtlTooLong(u64::from(ttl)));
        }
        records.sort_by(|a, b| a.canonical(rtype).cmp(&b.canonical(rtype)).then_with(|| a.as_wire().cmp(b.as_wire())));
        records.dedup_by(|a, b| a.canonical(rtype) == b.canonical(rtype));
        let first = records.first().ok_or(RecordSetError::Empty)?;
        if rtype == RecordType::RRSIG && records.iter().any(|one| one.covered_type() != first.covered_type()) {
            return Err(RecordSetError::MixedCoverage);
        }
        if matches!(rtype, RecordType::SOA | RecordType::CNAME | RecordType::DNAME) && records.len() > 1 {
            return Err(RecordSetError::NotSingle(rtype, records.len()));
        }
        // Owner pointer, type, class, ttl, length.
        let size = records.iter().map(|one| 12 + one.as_wire().len()).sum();
        if size > RECORD_SET_SIZE_MAX {
            return Err(RecordSetError::TooLarge(size));
        }
        Ok(Self { owner, rtype, ttl, records: records.into() })
    }

    /// The names, in lower case, that a set of type CNAME, NS, MX or SRV points to; none for other types. The root is no
    /// such name: it says "nowhere" (RFC 7505 §3, RFC 2782).
    #[must_use]
    pub fn points_to(&self) -> BTreeSet<Name> {
        if !matches!(self.rtype, RecordType::CNAME | RecordType::NS | RecordType::MX | RecordType::SRV) {
            return BTreeSet::new();
        }
        let targets = self.records.iter().filter_map(|record| record.target(self.rtype));
        targets.filter(|target| !target.is_root()).map(|target| target.to_lowercase()).collect()
    }

    /// The owner, as spelled.
    #[must_use]
    pub const fn owner(&self) -> &Name {
        &self.owner
    }

    /// The type.
    #[must_use]
    pub const fn rtype(&self) -> RecordType {
        self.rtype
    }

    /// The time to live, in seconds.
    #[must_use]
    pub const fn ttl(&self) -> u32 {
        self.ttl
    }

    /// The records, in canonical order; at least one.
    #[must_use]
    pub const fn records(&self) -> &[RecordData] {
        &self.records
    }

    /// What this set is known by in its zone.
    #[must_use]
    pub fn key(&self) -> SetKey {
        let covered = self.records.first().and_then(RecordData::covered_type).unwrap_or(RecordType(0));
        SetKey::covering(&self.owner, self.rtype, covered)
    }
}

/// Equal to the last bit, spelling included: what a plan would change is what differs here.
impl PartialEq for RecordSet {
    fn eq(&self, other: &Self) -> bool {
        self.owner.is_spelled_like(&other.owner)
            && self.rtype == other.rtype
            && self.ttl == other.ttl
            && self.records == other.records
    }
}

impl Eq for RecordSet {}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn data(rtype: RecordType, texts: &[&str]) -> Vec<RecordData> {
        texts.iter().map(|text| RecordData::parse(rtype, text, &Name::root()).unwrap()).collect()
    }

    #[test]
    fn order_and_duplicates_do_not_matter() {
        let make = |texts: &[&str]| RecordSet::new(name("a."), RecordType::A, 60, data(RecordType::A, texts)).unwrap();
        assert_eq!(make(&["192.0.2.2", "192.0.2.1", "192.0.2.2"]), make(&["192.0.2.1", "192.0.2.2"]));
        let hosts = data(RecordType::NS, &["NS1.example.", "ns1.example.", "ns2.example."]);
        assert_eq!(RecordSet::new(name("a."), RecordType::NS, 60, hosts).unwrap().records().len(), 2);
    }

    #[test]
    fn only_four_types_point_at_names() {
        let points_to = |rtype, texts: &[&str]| {
            let set = RecordSet::new(name("a."), rtype, 60, data(rtype, texts)).unwrap();
            set.points_to().iter().map(Name::to_string).collect::<Vec<_>>()
        };
        assert_eq!(points_to(RecordType::CNAME, &["WWW.example."]), ["www.example."]);
        assert_eq!(points_to(RecordType::NS, &["ns2.b.", "NS1.b.", "ns1.B."]), ["ns1.b.", "ns2.b."]);
        assert_eq!(points_to(RecordType::MX, &["0 ."]), [""; 0]);
        assert_eq!(points_to(RecordType::SRV, &["0 0 443 host.b."]), ["host.b."]);
        assert_eq!(points_to(RecordType::PTR, &["host.b."]), [""; 0]);
        let spaced =
            RecordSet::new(name("a."), RecordType::CNAME, 60, data(RecordType::CNAME, &[r"a\032b.c."])).unwrap();
        assert_eq!(spaced.points_to().first().unwrap().to_string(), r"a\032b.c.");
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let refused = |rtype, ttl, records| RecordSet::new(name("a."), rtype, ttl, records).unwrap_err();
        let one = || data(RecordType::A, &["192.0.2.1"]);
        assert_eq!(refused(RecordType::A, 60, vec![]), RecordSetError::Empty);
        assert_eq!(refused(RecordType::ANY, 60, one()), RecordSetError::NotData(RecordType::ANY));
        assert_eq!(refused(RecordType::A, 1 << 31, one()), RecordSetError::TtlTooLong(1 << 31));
        let two = data(RecordType::CNAME, &["a.example.", "b.example."]);
        assert_eq!(refused(RecordType::CNAME, 60, two), RecordSetError::NotSingle(RecordType::CNAME, 2));
        let large = RecordData::from_wire(RecordType(65280), &[0; 65_000]).unwrap();
        assert_eq!(refused(RecordType(65280), 60, vec![large]), RecordSetError::TooLarge(65_012));
    }
}
