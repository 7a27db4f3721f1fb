//! What a plan does to one zone: `upsert` and `delete`, or `replace`.

use super::record_sets::{read_delete, read_record_sets};
use crate::http::json::Json;
use crate::http::violations::{Fields, Rule, ViolationView, Violations, list};
use zone_model::{Delete, Edit, Name, Placed, ZoneChange, ZoneContents};

const CHANGE_FIELDS: &[&str] = &["upsert", "delete", "replace", "end"];

/// Reads one zone's change, or says all that is wrong with it.
pub(super) fn read(json: Json<'_>, place: &str, zone: &Name, violations: &mut Violations) -> Option<ZoneChange> {
    let before = violations.count();
    let mut fields = Fields::open(json, place, CHANGE_FIELDS, violations)?;
    let fault = |rule, message: &str| ViolationView {
        place: place.to_owned(),
        zone: Some(zone.to_string()),
        name: None,
        rtype: None,
        rule,
        message: message.to_owned(),
    };
    if fields.has("end") {
        violations.add(fault(Some(Rule::NotSupported), "ending a zone is not supported yet"));
        return None;
    }
    let edits = fields.has("upsert") || fields.has("delete");
    let Some(replace) = fields.take("replace") else {
        if !edits {
            violations.add(fault(None, "say what changes: `upsert`, `delete` or both, or `replace`"));
            return None;
        }
        let upserts = fields.take("upsert").map(|field| read_record_sets(field, zone, violations)).unwrap_or_default();
        let deletes = fields.take("delete").map(|field| read_deletes(field, zone, violations)).unwrap_or_default();
        return checked(Edit::new(zone, upserts, deletes).map(ZoneChange::Edit), before, violations);
    };
    if edits {
        violations
            .add(fault(None, "`replace` gives the zone's whole contents, so it goes without `upsert` and `delete`"));
    }
    let sets = read_record_sets(replace, zone, violations);
    checked(ZoneContents::new(zone.clone(), sets).map(ZoneChange::Replace), before, violations)
}

fn read_deletes(field: (Json<'_>, String), zone: &Name, violations: &mut Violations) -> Vec<Placed<Delete>> {
    let Some((items, place)) = list(field, violations) else { return Vec::new() };
    let mut deletes = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        deletes.extend(read_delete(item, format!("{place}[{index}]"), zone, violations));
    }
    deletes
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
