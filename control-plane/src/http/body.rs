//! The body of `POST /v1/groups/{group}/plans`: JSON to a plan that is valid in itself, or every violation.

mod acknowledge;
mod record_sets;
mod settings;
mod zone_change;

pub(crate) use acknowledge::{checked_reason, read_acknowledgement, read_reason};

use super::json::Json;
use super::problem::Problem;
use super::violations::{Fields, Rule, Violations, boolean, list, text, whole_number};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{Base, GroupName, Id, Name, Plan, ZoneChange};

/// What the request says beside its body.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The group in the path.
    pub group: GroupName,
    /// The tip that `If-Match` insists on.
    pub if_match: Option<Id>,
}

const PLAN_FIELDS: &[&str] = &["base", "base_id", "reason", "zones", "settings", "reads", "rebase", "acknowledge"];

/// Reads a plan.
///
/// # Errors
/// [`Problem::MalformedBody`] where the body is no JSON, [`Problem::InvalidPlan`] with every violation where it is no
/// plan.
pub fn parse_plan(body: &[u8], envelope: Envelope) -> Result<Plan, Problem> {
    let json = Json::parse(body)?;
    let mut violations = Violations::default();
    let plan = read_plan(json, envelope, &mut violations);
    match plan {
        Some(plan) if violations.is_empty() => Ok(plan),
        _ => Err(Problem::InvalidPlan { violations }),
    }
}

fn read_plan(json: Json<'_>, envelope: Envelope, violations: &mut Violations) -> Option<Plan> {
    let mut fields = Fields::open(json, "", PLAN_FIELDS, violations)?;
    // Each part is read before any is judged, so that every violation is found.
    let base = fields.need("base", violations).and_then(|field| whole_number(field, 0..=i64::MAX, violations));
    let base_id = fields.take("base_id").map(|field| read_base_id(field, violations));
    let reason = fields.take("reason").map(|field| read_reason(field, violations));
    let settings = fields.take("settings").map(|field| settings::read(field, violations));
    // A plan may change nothing but settings.
    let zones = match fields.take("zones") {
        Some(field) => read_zones(field, violations),
        None if settings.is_some() => Some(BTreeMap::new()),
        None => fields.need("zones", violations).and(None),
    };
    let reads = fields.take("reads").map(|field| read_reads(field, violations));
    let rebase = fields.take("rebase").map(|field| boolean(field, violations));
    let acknowledged = fields.take("acknowledge").map(|field| acknowledge::read(field, violations));
    Some(Plan {
        base_id: base_id.flatten(),
        reason: reason.flatten(),
        zones: zones?,
        settings: settings.unwrap_or_default(),
        reads: reads.unwrap_or_default(),
        rebase: rebase.flatten().unwrap_or(true),
        if_match: envelope.if_match,
        acknowledged: acknowledged.unwrap_or_default(),
        ..Plan::new(envelope.group, Base::new(base?)?)
    })
}

fn read_base_id(field: (Json<'_>, String), violations: &mut Violations) -> Option<Id> {
    let (id, place) = text(field, violations)?;
    let parsed = Id::parse(&id);
    if parsed.is_none() {
        violations.at(place, None, "an id is 64 hexadecimal digits");
    }
    parsed
}

fn read_zones((json, place): (Json<'_>, String), violations: &mut Violations) -> Option<BTreeMap<Name, ZoneChange>> {
    let Json::Object(entries) = json else {
        let message = format!("expected an object of zones by name, found {}", json.kind());
        violations.at(place, Some(Rule::WrongType), message);
        return None;
    };
    if entries.is_empty() {
        violations.at(place, None, "a plan changes at least one zone");
        return None;
    }
    let mut seen: BTreeMap<Name, String> = BTreeMap::new();
    let mut zones = BTreeMap::new();
    for (key, change) in entries {
        let of_zone = format!("{place}[{}]", quoted(&key));
        let Some(zone) = read_zone_name(&key, &of_zone, violations) else { continue };
        let first = seen.get(&zone).cloned();
        if let Some(first) = &first {
            let message = format!("the zone was given before, at {first}; upper and lower case make no difference");
            violations.at(of_zone.as_str(), Some(Rule::GivenTwice), message);
        }
        let change = zone_change::read(change, &of_zone, &zone, violations);
        if first.is_none() {
            seen.insert(zone.clone(), of_zone);
            zones.extend(change.map(|change| (zone, change)));
        }
    }
    Some(zones)
}

/// A zone's name in a body is absolute, so that nobody has to know what it would be relative to.
fn read_zone_name(name: &str, place: &str, violations: &mut Violations) -> Option<Name> {
    match Name::parse(name) {
        Ok(name) => Some(name),
        Err(zone_model::NameError::NotAbsolute) => {
            let message = format!("a zone's name is absolute; write {}", quoted(&format!("{name}.")));
            violations.at(place, None, message);
            None
        }
        Err(error) => {
            violations.at(place, None, format!("not a zone's name: {error}"));
            None
        }
    }
}

fn read_reads(field: (Json<'_>, String), violations: &mut Violations) -> BTreeSet<(Name, Name)> {
    let mut reads = BTreeSet::new();
    let Some((items, place)) = list(field, violations) else { return reads };
    for (index, item) in items.into_iter().enumerate() {
        reads.extend(read_read(item, &format!("{place}[{index}]"), violations));
    }
    reads
}

fn read_read(item: Json<'_>, place: &str, violations: &mut Violations) -> Option<(Name, Name)> {
    let mut fields = Fields::open(item, place, &["zone", "name"], violations)?;
    let zone = fields.need("zone", violations).and_then(|field| text(field, violations));
    let name = fields.need("name", violations).and_then(|field| text(field, violations));
    let (zone, zone_place) = zone?;
    let zone = read_zone_name(&zone, &zone_place, violations)?;
    let (name, name_place) = name?;
    let owner = record_sets::read_owner(&name, &name_place, &zone, None, violations)?;
    Some((zone, owner))
}

/// Text in quotes, with escapes as in JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
