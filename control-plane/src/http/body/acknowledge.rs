//! Acknowledgements: a guard that does not apply to this plan, and why.

use crate::http::json::Json;
use crate::http::violations::{Fields, Rule, Violations, list, text};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use zone_model::{Guard, REASON_LENGTH_MAX};

/// Reads `acknowledge`.
pub(super) fn read(field: (Json<'_>, String), violations: &mut Violations) -> BTreeMap<Guard, String> {
    let mut acknowledged = BTreeMap::new();
    let Some((items, place)) = list(field, violations) else { return acknowledged };
    for (index, item) in items.into_iter().enumerate() {
        let of_item = format!("{place}[{index}]");
        let Some(mut fields) = Fields::open(item, &of_item, &["guard", "reason"], violations) else { continue };
        let guard = fields.need("guard", violations).and_then(|field| text(field, violations));
        let reason = fields.need("reason", violations).and_then(|field| text(field, violations));
        if let (Some((guard, guard_place)), Some((reason, reason_place))) = (guard, reason) {
            read_acknowledgement((&guard, &guard_place), (&reason, &reason_place), &mut acknowledged, violations);
        }
    }
    acknowledged
}

/// Checks one acknowledgement, each part with its place, and keeps it.
pub(crate) fn read_acknowledgement(
    (guard, guard_place): (&str, &str),
    (reason, reason_place): (&str, &str),
    acknowledged: &mut BTreeMap<Guard, String>,
    violations: &mut Violations,
) {
    let reason = checked_reason(reason, reason_place, violations);
    if reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        violations.at(reason_place, None, "an acknowledgement needs a reason, which is recorded with the plan");
    }
    let Some(known) = Guard::parse(guard) else {
        let can_be = Guard::ALL.iter().filter(|guard| guard.may_be_acknowledged());
        let names: Vec<&str> = can_be.map(|guard| guard.as_str()).collect();
        let message = format!("there is no such guard; known are {}", names.join(", "));
        violations.at(guard_place, Some(Rule::UnknownGuard), message);
        return;
    };
    if !known.may_be_acknowledged() {
        violations.at(guard_place, None, format!("the guard `{guard}` cannot be acknowledged away"));
        return;
    }
    match (acknowledged.entry(known), reason) {
        (Entry::Occupied(_), _) => {
            violations.at(guard_place, Some(Rule::GivenTwice), "the guard is acknowledged twice");
        }
        (Entry::Vacant(place), Some(reason)) => {
            place.insert(reason);
        }
        (Entry::Vacant(_), None) => {}
    }
}

/// Reads a reason that may be left out.
pub(crate) fn read_reason(field: (Json<'_>, String), violations: &mut Violations) -> Option<String> {
    let (reason, place) = text(field, violations)?;
    checked_reason(&reason, &place, violations)
}

/// A reason is shown in terminals and logs, so it has no control characters; the database takes no NUL anyway.
pub(crate) fn checked_reason(reason: &str, place: &str, violations: &mut Violations) -> Option<String> {
    let length = reason.chars().count();
    if length > REASON_LENGTH_MAX {
        violations.at(
            place,
            None,
            format!("a reason has at most {REASON_LENGTH_MAX} characters, and this one has {length}"),
        );
        return None;
    }
    if let Some(control) = reason.chars().find(|character| character.is_control() && *character != '\n') {
        violations.at(place, None, format!("a reason has no control characters, and here is {control:?}"));
        return None;
    }
    Some(reason.to_owned())
}
