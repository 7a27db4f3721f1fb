//! What is wrong in a request, all of it, each with its place.

use super::json::Json;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// How many violations a problem lists. A body of 16 MiB could have a million.
pub(crate) const VIOLATIONS_LISTED_MAX: usize = 1_000;

/// Something wrong in a request, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Violation)]
pub struct ViolationView {
    /// Where in the request: a path in the JSON body such as `zones["example.com."].upsert[3].records[0]`, a line and
    /// column of a zone file, or `query NAME`, `header NAME`.
    pub place: String,
    /// The zone, where one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The owner, where one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The record type, where one is at fault.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub rtype: Option<String>,
    /// The rule that was broken, where it has a name of its own: `looks-absolute`, `unknown-field`, `missing-field`,
    /// `wrong-type`, `given-twice`, `unknown-guard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// A rule of the API's own, by which a script can tell violations apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A relative owner name that ends in the zone's own name: most likely the last dot was forgotten.
    LooksAbsolute,
    /// A field or parameter that the API does not know, so that it would be without effect.
    UnknownField,
    /// A field or parameter that is needed.
    MissingField,
    /// Another type of JSON value than expected.
    WrongType,
    /// A field, parameter or zone that is given twice.
    GivenTwice,
    /// A guard that does not exist.
    UnknownGuard,
}

/// Violations while they are gathered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Violations {
    listed: Vec<ViolationView>,
    count: usize,
}

impl Violations {
    /// Adds one, while there is room in the list.
    pub(crate) fn add(&mut self, violation: ViolationView) {
        self.count += 1;
        if self.listed.len() < VIOLATIONS_LISTED_MAX {
            self.listed.push(violation);
        }
    }

    /// Adds one that is about no zone in particular.
    pub(crate) fn at(&mut self, place: impl Into<String>, rule: Option<Rule>, message: impl Into<String>) {
        let (place, message) = (place.into(), message.into());
        self.add(ViolationView { place, zone: None, name: None, rtype: None, rule, message });
    }

    /// Adds what the model says of a zone.
    pub(crate) fn extend(&mut self, violations: Vec<zone_model::Violation>) {
        for one in violations {
            self.add(ViolationView {
                place: one.place,
                zone: Some(one.zone.to_string()),
                name: one.name.map(|name| name.to_string()),
                rtype: one.rtype.map(|rtype| rtype.to_string()),
                rule: None,
                message: one.message,
            });
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many there are, listed or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first ones, at most a thousand.
    #[must_use]
    pub fn listed(&self) -> &[ViolationView] {
        &self.listed
    }

    pub(crate) fn into_listed(self) -> Vec<ViolationView> {
        self.listed
    }
}

impl From<Vec<zone_model::Violation>> for Violations {
    fn from(violations: Vec<zone_model::Violation>) -> Self {
        let mut all = Self::default();
        all.extend(violations);
        all
    }
}

/// The fields of an object of which all names are known. Taken one by one; what is left is unknown.
pub(crate) struct Fields<'a> {
    place: String,
    fields: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Fields<'a> {
    /// Opens an object. Fields that are not `known` or given twice, and a value that is no object, are violations.
    pub(crate) fn open(json: Json<'a>, place: &str, known: &[&str], violations: &mut Violations) -> Option<Self> {
        let Json::Object(fields) = json else {
            let message = format!("expected an object, found {}", json.kind());
            violations.at(whole(place), Some(Rule::WrongType), message);
            return None;
        };
        let mut kept: Vec<(Cow<'a, str>, Json<'a>)> = Vec::with_capacity(fields.len().min(known.len()));
        for (name, value) in fields {
            let of_field = field_place(place, &name);
            if !known.contains(&name.as_ref()) {
                let message = format!("there is no such field here; known are {}", known.join(", "));
                violations.at(of_field, Some(Rule::UnknownField), message);
            } else if kept.iter().any(|(other, _)| *other == name) {
                violations.at(of_field, Some(Rule::GivenTwice), "the field is given twice");
            } else if value != Json::Null {
                kept.push((name, value));
            }
        }
        Some(Self { place: place.to_owned(), fields: kept })
    }

    /// Takes a field and its place; null is the same as left out.
    pub(crate) fn take(&mut self, name: &str) -> Option<(Json<'a>, String)> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some((self.fields.swap_remove(at).1, field_place(&self.place, name)))
    }

    /// Takes a field that must be there.
    pub(crate) fn need(&mut self, name: &str, violations: &mut Violations) -> Option<(Json<'a>, String)> {
        let taken = self.take(name);
        if taken.is_none() {
            violations.at(field_place(&self.place, name), Some(Rule::MissingField), "this field is needed");
        }
        taken
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }
}

fn whole(place: &str) -> &str {
    if place.is_empty() { "the whole body" } else { place }
}

fn field_place(place: &str, field: &str) -> String {
    if place.is_empty() { field.to_owned() } else { format!("{place}.{field}") }
}

/// A string, or a violation.
pub(crate) fn text<'a>(
    (json, place): (Json<'a>, String),
    violations: &mut Violations,
) -> Option<(Cow<'a, str>, String)> {
    match json {
        Json::Text(text) => Some((text, place)),
        other => {
            violations.at(place, Some(Rule::WrongType), format!("expected a string, found {}", other.kind()));
            None
        }
    }
}

/// A list's items, each with its place, or a violation.
pub(crate) fn list<'a>(
    (json, place): (Json<'a>, String),
    violations: &mut Violations,
) -> Option<(Vec<Json<'a>>, String)> {
    match json {
        Json::List(items) => Some((items, place)),
        other => {
            violations.at(place, Some(Rule::WrongType), format!("expected a list, found {}", other.kind()));
            None
        }
    }
}

/// True or false, or a violation.
pub(crate) fn boolean((json, place): (Json<'_>, String), violations: &mut Violations) -> Option<bool> {
    match json {
        Json::Bool(value) => Some(value),
        other => {
            violations.at(place, Some(Rule::WrongType), format!("expected true or false, found {}", other.kind()));
            None
        }
    }
}

/// A whole number in `range`, or a violation.
pub(crate) fn whole_number(
    (json, place): (Json<'_>, String),
    range: std::ops::RangeInclusive<i64>,
    violations: &mut Violations,
) -> Option<i64> {
    let Json::Number(number) = &json else {
        violations.at(place, Some(Rule::WrongType), format!("expected a whole number, found {}", json.kind()));
        return None;
    };
    let value = number.as_i64().filter(|value| range.contains(value));
    if value.is_none() {
        let message = format!("expected a whole number from {} to {}, found {number}", range.start(), range.end());
        violations.at(place, None, message);
    }
    value
}
