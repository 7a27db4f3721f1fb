//! The body of a plan, as JSON.

use control_plane::http::{Envelope, Problem, parse_plan};
use zone_model::{GroupName, Name, Plan, RecordData, RecordSet, ZoneChange};

/// Reads a plan, or says all that is wrong with it.
///
/// # Panics
/// The plan says what no plan may say, or the refusal does not say what is wrong.
pub fn check(input: &[u8]) {
    let group = GroupName::parse("example.com").unwrap_or_else(|why| panic!("{why}"));
    match parse_plan(input, Envelope { group, if_match: None }) {
        Ok(plan) => check_plan(&plan),
        Err(Problem::MalformedBody { line, message, .. }) => {
            assert!(line > 0 && !message.is_empty());
            check_malformed(input, &message);
        }
        Err(Problem::InvalidPlan { violations }) => {
            assert!(!violations.is_empty() && violations.count() >= violations.listed().len());
            for violation in violations.listed() {
                assert!(!violation.place.is_empty() && !violation.message.is_empty(), "{violation:?}");
            }
            assert!(serde_json::to_string(violations.listed()).is_ok());
        }
        Err(other) => panic!("a body is refused with {other:?}"),
    }
}

/// What another reader takes for JSON is not called malformed.
fn check_malformed(input: &[u8], message: &str) {
    let read = serde_json::from_slice::<serde_json::Value>(input);
    assert!(read.is_err(), "said to be malformed ({message}): {}", String::from_utf8_lossy(input));
}

fn check_plan(plan: &Plan) {
    assert!(!plan.zones.is_empty() || !plan.settings.is_empty());
    for (zone, change) in &plan.zones {
        match change {
            ZoneChange::Edit(edit) => {
                for (key, placed) in edit.upserts() {
                    assert_eq!(*key, placed.value.key());
                    check_set(zone, &placed.value);
                }
                assert!(edit.owners().iter().all(|owner| owner.is_within(zone)));
                assert!(edit.deletes().keys().all(|delete| delete.owner.is_within(zone)));
            }
            ZoneChange::Replace(contents) => {
                for (key, set) in contents.sets() {
                    assert_eq!(*key, set.key());
                    check_set(zone, set);
                }
            }
            _ => {}
        }
    }
    assert!(plan.reads.iter().all(|(zone, name)| name.is_within(zone)));
}

fn check_set(zone: &Name, set: &RecordSet) {
    assert!(set.owner().is_within(zone) && set.rtype().is_data() && !set.records().is_empty());
    for data in set.records() {
        let text = data.to_text(set.rtype());
        assert_eq!(RecordData::parse(set.rtype(), &text, &Name::root()).as_ref(), Ok(data), "{text}");
    }
}
