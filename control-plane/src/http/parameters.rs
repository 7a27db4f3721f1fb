//! Query parameters and headers: each known, each given once unless said, everything wrong told at once.

use super::body::{checked_reason, read_acknowledgement};
use super::problem::Problem;
use super::violations::{Rule, Violations};
use axum::extract::{FromRequestParts, Query};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;
use zone_model::{Guard, Id};

/// The most items of a list in one answer.
pub(crate) const LIST_LIMIT_MAX: i64 = 1_000;
const LIST_LIMIT_DEFAULT: i64 = 100;
const KEY_LENGTH_MAX: usize = 255;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The query and the headers of a request, taken one by one; what is left at the end is unknown, and refused: a
/// misspelled `dry_run` must not change DNS for real.
#[derive(Debug)]
pub(crate) struct Parameters {
    query: Vec<(String, String)>,
    headers: HeaderMap,
    identity: blake3::Hasher,
    violations: Violations,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut violations = Violations::default();
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|Query(query)| query);
        if query.is_err() {
            violations.at("query", None, "the query is not `name=value&…` in UTF-8");
        }
        if let Some((name, _)) = query.iter().flatten().find(|(_, value)| value.contains(char::is_control)) {
            violations.at(place(name), None, "the value has a control character");
        }
        let (query, headers) = (query.unwrap_or_default(), parts.headers.clone());
        let identity = identity(parts, &query);
        Ok(Self { query, headers, identity, violations })
    }
}

impl Parameters {
    /// Takes a parameter as text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        if values.len() > 1 {
            self.violations.at(place(name), Some(Rule::GivenTwice), "the parameter is given twice");
        }
        values.pop()
    }

    fn all(&mut self, name: &str) -> Vec<String> {
        self.query.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// Takes a parameter that `read` understands; `expected` says what that is.
    pub(crate) fn read<T>(&mut self, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.violations.at(place(name), None, format!("expected {expected}"));
        }
        value
    }

    /// Takes a parameter that must be there.
    pub(crate) fn need<T>(&mut self, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if !self.query.iter().any(|(given, _)| given == name) {
            let message = format!("this parameter is needed: {expected}");
            self.violations.at(place(name), Some(Rule::MissingField), message);
        }
        self.read(name, expected, read)
    }

    /// Takes `true` or `false`; false where it is not given.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.read(name, "`true` or `false`", |text| bool::from_str(text).ok()).unwrap_or(false)
    }

    /// Takes `limit`.
    pub(crate) fn limit(&mut self) -> i64 {
        let limit = self.read("limit", &format!("a number from 1 to {LIST_LIMIT_MAX}"), |text| {
            text.parse().ok().filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
        });
        limit.unwrap_or(LIST_LIMIT_DEFAULT)
    }

    /// Takes a generation, at least `least`.
    pub(crate) fn generation(&mut self, name: &str, least: i64) -> Option<i64> {
        self.read(name, &format!("a generation, {least} or more"), |text| {
            text.parse().ok().filter(|number| *number >= least)
        })
    }

    /// Takes `reason`.
    pub(crate) fn reason(&mut self) -> Option<String> {
        let reason = self.text("reason")?;
        checked_reason(&reason, &place("reason"), &mut self.violations)
    }

    /// Takes each `acknowledge=GUARD:REASON`.
    pub(crate) fn acknowledged(&mut self) -> BTreeMap<Guard, String> {
        let mut acknowledged = BTreeMap::new();
        let of = place("acknowledge");
        for one in self.all("acknowledge") {
            match one.split_once(':') {
                Some((guard, reason)) => {
                    read_acknowledgement((guard, &of), (reason, &of), &mut acknowledged, &mut self.violations);
                }
                None => self.violations.at(of.as_str(), None, "expected GUARD:REASON"),
            }
        }
        acknowledged
    }

    /// Takes `If-Match: "ID"`.
    pub(crate) fn if_match(&mut self) -> Option<Id> {
        let tag = self.header(&IF_MATCH)?;
        let quoted = tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
        let id = quoted.and_then(Id::parse);
        if id.is_none() {
            self.violations.at(
                "header If-Match",
                None,
                "expected one id of a generation in quotes, as `ETag` gives it",
            );
        }
        id
    }

    /// The hash of what was asked for, the body excepted: by it, two requests under one idempotency key are told apart.
    pub(crate) fn identity(&self) -> blake3::Hasher {
        self.identity.clone()
    }

    /// Takes `Idempotency-Key`.
    pub(crate) fn idempotency_key(&mut self) -> Option<String> {
        let key = self.header(&IDEMPOTENCY_KEY)?;
        let text = key.to_str().ok().filter(|text| (1..=KEY_LENGTH_MAX).contains(&text.len()));
        if text.is_none() {
            let message = format!("expected 1 to {KEY_LENGTH_MAX} visible ASCII characters");
            self.violations.at("header Idempotency-Key", None, message);
        }
        text.map(str::to_owned)
    }

    /// Takes `Last-Event-ID`, as `read` understands it.
    pub(crate) fn last_event_id<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let id = self.header(&LAST_EVENT_ID)?;
        let read = id.to_str().ok().and_then(read);
        if read.is_none() {
            self.violations.at("header Last-Event-ID", None, "expected the id of an event, as it was told");
        }
        read
    }

    fn header(&mut self, name: &HeaderName) -> Option<HeaderValue> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.clone();
        if values.next().is_some() {
            self.violations.at(format!("header {name}"), Some(Rule::GivenTwice), "the header is given twice");
        }
        Some(value)
    }

    /// Adds something wrong that only the endpoint can know.
    pub(crate) fn fault(&mut self, name: &str, message: &str) {
        self.violations.at(place(name), None, message);
    }

    /// All parameters are taken: tells everything that is wrong.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`].
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.query) {
            self.violations.at(place(&name), Some(Rule::UnknownField), "there is no such parameter here");
        }
        if self.violations.is_empty() { Ok(()) } else { Err(Problem::InvalidRequest { violations: self.violations }) }
    }
}

/// Parameters by which a request says how to tell the result, not what it should be.
const PARAMETERS_OF_TELLING: &[&str] = &["wait", "timeout_s", "ring", "dry_run"];

fn identity(parts: &Parts, query: &[(String, String)]) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    // Each with its length, so that no two lists of parts look alike.
    let mut add = |part: &[u8]| {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    };
    add(parts.method.as_str().as_bytes());
    add(parts.uri.path().as_bytes());
    add(parts.headers.get(IF_MATCH).map_or(b"", HeaderValue::as_bytes));
    for (name, value) in query.iter().filter(|(name, _)| !PARAMETERS_OF_TELLING.contains(&name.as_str())) {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    hasher
}

fn place(name: &str) -> String {
    format!("query {name}")
}
