//! Record sets in a body: `{"name":"api","type":"A","ttl":60,"records":["192.0.2.1"]}`.

use crate::http::json::Json;
use crate::http::violations::{Fields, Rule, ViolationView, Violations, list, text, whole_number};
use std::borrow::Cow;
use zone_model::{Delete, Name, Placed, RecordData, RecordSet, RecordType, SetKey, TTL_MAX};

/// Reads a list of record sets; those that are wrong are left out, and told.
pub(super) fn read_record_sets(
    field: (Json<'_>, String),
    zone: &Name,
    violations: &mut Violations,
) -> Vec<Placed<RecordSet>> {
    let Some((items, place)) = list(field, violations) else { return Vec::new() };
    let mut sets = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let of_item = format!("{place}[{index}]");
        if let Some(value) = read_record_set(item, &of_item, zone, violations) {
            sets.push(Placed { place: of_item, value });
        }
    }
    sets
}

fn read_record_set(item: Json<'_>, place: &str, zone: &Name, violations: &mut Violations) -> Option<RecordSet> {
    let mut fields = Fields::open(item, place, &["name", "type", "ttl", "records"], violations)?;
    let name = fields.need("name", violations).and_then(|field| text(field, violations));
    let rtype = fields.need("type", violations).and_then(|field| read_type(field, violations));
    let ttl = fields.need("ttl", violations);
    let ttl = ttl.and_then(|field| whole_number(field, 0..=i64::from(TTL_MAX), violations));
    let records = fields.need("records", violations).and_then(|field| list(field, violations));
    let owner = name.and_then(|(name, name_place)| read_owner(&name, &name_place, zone, rtype, violations));
    let (items, records_place) = records?;
    let rtype = rtype?;
    let mut data = Vec::with_capacity(items.len());
    let mut all_read = true;
    for (index, item) in items.into_iter().enumerate() {
        match read_record((item, format!("{records_place}[{index}]")), (zone, owner.as_ref(), rtype), violations) {
            Some(record) => data.push(record),
            None => all_read = false,
        }
    }
    let (owner, ttl) = (owner?, u32::try_from(ttl?).ok()?);
    if !all_read {
        return None;
    }
    match RecordSet::new(owner.clone(), rtype, ttl, data) {
        Ok(set) => Some(set),
        Err(error) => {
            violations.add(violation((zone, Some(&owner), Some(rtype)), place, None, error.to_string()));
            None
        }
    }
}

fn read_record(
    field: (Json<'_>, String),
    (zone, owner, rtype): (&Name, Option<&Name>, RecordType),
    violations: &mut Violations,
) -> Option<RecordData> {
    let (record, place) = text(field, violations)?;
    match RecordData::parse(rtype, &record, zone) {
        Ok(data) => Some(data),
        Err(error) => {
            violations.add(violation((zone, owner, Some(rtype)), &place, None, error.to_string()));
            None
        }
    }
}

/// Reads `{"name":"old","type":"A"}`; without `type` it is the whole name.
pub(super) fn read_delete(
    item: Json<'_>,
    place: String,
    zone: &Name,
    violations: &mut Violations,
) -> Option<Placed<Delete>> {
    let mut fields = Fields::open(item, &place, &["name", "type"], violations)?;
    let name = fields.need("name", violations).and_then(|field| text(field, violations));
    // A type that cannot be read must not widen the delete to the whole name.
    let rtype = fields.take("type").map(|field| read_type(field, violations));
    let (name, name_place) = name?;
    let owner = read_owner(&name, &name_place, zone, rtype.flatten(), violations)?;
    let rtype = match rtype {
        Some(read) => Some(read?),
        None => None,
    };
    Some(Placed { place, value: Delete { owner, rtype } })
}

/// Reads a guard, `{"name":"api","type":"A","min":2}` (`min` may be left out for 1), or the end of one, without `min`.
pub(super) fn read_guarded(
    item: Json<'_>,
    place: String,
    zone: &Name,
    with_minimum: bool,
    violations: &mut Violations,
) -> Option<Placed<(SetKey, u16)>> {
    let known: &[&str] = if with_minimum { &["name", "type", "min"] } else { &["name", "type"] };
    let mut fields = Fields::open(item, &place, known, violations)?;
    let name = fields.need("name", violations).and_then(|field| text(field, violations));
    let rtype = fields.need("type", violations).and_then(|field| read_type(field, violations));
    let minimum = match fields.take("min") {
        Some(field) => whole_number(field, 1..=i64::from(u16::MAX), violations),
        None => Some(1),
    };
    let (name, name_place) = name?;
    let owner = read_owner(&name, &name_place, zone, rtype, violations)?;
    let minimum = u16::try_from(minimum?).ok()?;
    Some(Placed { place, value: (SetKey::new(&owner, rtype?), minimum) })
}

fn read_type(field: (Json<'_>, String), violations: &mut Violations) -> Option<RecordType> {
    let (rtype, place) = text(field, violations)?;
    match Cow::as_ref(&rtype).parse() {
        Ok(rtype) => Some(rtype),
        Err(error) => {
            violations.at(place, None, zone_model::UnknownRecordType::to_string(&error));
            None
        }
    }
}

/// Reads an owner that is absolute, or relative to the zone. A relative one that ends in the zone's own name is refused:
/// `www.example.com` in `example.com.` would become `www.example.com.example.com.`, which hardly anybody means.
pub(super) fn read_owner(
    name: &str,
    place: &str,
    zone: &Name,
    rtype: Option<RecordType>,
    violations: &mut Violations,
) -> Option<Name> {
    let owner = match Name::parse_relative(name, zone) {
        Ok(owner) => owner,
        Err(error) => {
            let message = format!("not an owner's name: {error}");
            violations.add(violation((zone, None, rtype), place, None, message));
            return None;
        }
    };
    if looks_absolute(name, zone) {
        let message = format!(
            "`{name}` has no last dot, so it means {owner}; write `{name}.` if the dot was forgotten, or `{owner}` if not"
        );
        violations.add(violation((zone, Some(&owner), rtype), place, Some(Rule::LooksAbsolute), message));
        return None;
    }
    if !owner.is_within(zone) {
        let message = format!("{owner} is not in the zone {zone}");
        violations.add(violation((zone, Some(&owner), rtype), place, None, message));
        return None;
    }
    Some(owner)
}

fn looks_absolute(name: &str, zone: &Name) -> bool {
    if zone.is_root() || name == "@" || Name::parse(name).is_ok() {
        return false;
    }
    Name::parse_relative(name, &Name::root()).is_ok_and(|as_if_absolute| as_if_absolute.is_within(zone))
}

fn violation(
    (zone, owner, rtype): (&Name, Option<&Name>, Option<RecordType>),
    place: &str,
    rule: Option<Rule>,
    message: String,
) -> ViolationView {
    ViolationView {
        place: place.to_owned(),
        zone: Some(zone.to_string()),
        name: owner.map(ToString::to_string),
        rtype: rtype.map(|rtype| rtype.to_string()),
        rule,
        message,
    }
}
