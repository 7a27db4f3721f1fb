//! What a plan does to one zone: `upsert`, `delete`, `guard` and `unguard`, or `replace`, or `end`.

use super::record_sets::{read_delete, read_guarded, read_record_sets};
use crate::http::json::Json;
use crate::http::violations::{Fields, ViolationView, Violations, boolean, list};
use zone_model::{Edit, Name, Placed, ZoneChange, ZoneContents};

const CHANGE_FIELDS: &[&str] = &["upsert", "delete", "guard", "unguard", "replace", "end"];

/// Reads one zone's change, or says all that is wrong with it.
pub(super) fn read(json: Json<'_>, place: &str, zone: &Name, violations: &mut Violations) -> Option<ZoneChange> {
    let before = violations.count();
    let mut fields = Fields::open(json, place, CHANGE_FIELDS, violations)?;
    let fault = |message: &str| ViolationView {
        place: place.to_owned(),
        zone: Some(zone.to_string()),
        name: None,
        rtype: None,
        rule: None,
        message: message.to_owned(),
    };
    let edits = ["upsert", "delete", "guard", "unguard"].iter().any(|field| fields.has(field));
    if let Some((end, end_place)) = fields.take("end") {
        if boolean((end, end_place.clone()), violations) == Some(false) {
            violations.at(end_place, None, "`end` is true, or left out");
        }
        if edits || fields.has("replace") {
            violations.add(fault("a zone that ends loses everything, so `end` goes without anything else"));
        }
        return Some(ZoneChange::End);
    }
    let Some(replace) = fields.take("replace") else {
        if !edits {
            violations.add(fault("say what changes: `upsert`, `delete`, `guard` or `unguard`; or `replace`, or `end`"));
            return None;
        }
        let guards = fields.take("guard").map(|field| {
            read_all(field, violations, |item, place, violations| read_guarded(item, place, zone, true, violations))
        });
        let unguards = fields.take("unguard").map(|field| {
            read_all(field, violations, |item, place, violations| read_guarded(item, place, zone, false, violations))
        });
        let unguards = unguards.unwrap_or_default().into_iter();
        let unguards = unguards.map(|Placed { place, value: (key, _) }| Placed { place, value: key }).collect();
        let upserts = fields.take("upsert").map(|field| read_record_sets(field, zone, violations)).unwrap_or_default();
        let deletes = fields.take("delete").map(|field| {
            read_all(field, violations, |item, place, violations| read_delete(item, place, zone, violations))
        });
        let edit = Edit::new(zone, upserts, deletes.unwrap_or_default());
        let edit = edit.and_then(|edit| edit.with_guards(zone, guards.unwrap_or_default(), unguards));
        return checked(edit.map(ZoneChange::Edit), before, violations);
    };
    if edits {
        violations
            .add(fault("`replace` gives the zone's whole contents, so it goes without `upsert`, `delete` and guards"));
    }
    let sets = read_record_sets(replace, zone, violations);
    checked(ZoneContents::new(zone.clone(), sets).map(ZoneChange::Replace), before, violations)
}

/// Reads a list; items that are wrong are left out, and told.
fn read_all<T>(
    field: (Json<'_>, String),
    violations: &mut Violations,
    read: impl Fn(Json<'_>, String, &mut Violations) -> Option<T>,
) -> Vec<T> {
    let Some((items, place)) = list(field, violations) else { return Vec::new() };
    let mut all = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        all.extend(read(item, format!("{place}[{index}]"), violations));
    }
    all
}

/// What the model says of the parts that could be read. A part that could not is missing there, so a complaint that
/// something is missing (a zone without NS) would be about our own reading.
fn checked(
    change: Result<ZoneChange, Vec<zone_model::Violation>>,
    violations_before: usize,
    violations: &mut Violations,
) -> Option<ZoneChange> {
    match change {
        Ok(change) => Some(change),
        Err(found) => {
            let all_was_read = violations.count() == violations_before;
            violations.extend(found.into_iter().filter(|one| all_was_read || one.place != WHOLE_ZONE).collect());
            None
        }
    }
}

/// The place that [`ZoneContents::new`] gives to what is missing.
const WHOLE_ZONE: &str = "the whole zone";
