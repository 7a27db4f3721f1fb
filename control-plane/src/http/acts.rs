//! What operators' acts have in common: bodies with a reason, and what is stopped afterwards.

use super::ApiState;
use super::body::checked_reason;
use super::json::Json;
use super::problem::Problem;
use super::upload::read_json;
use super::violations::{Fields, Violations, text};
use crate::acts::ActError;
use crate::reading::StopFound;
use axum::body::Body;
use axum::extract::Request;
use chrono::{DateTime, Utc};
use plan_rules::RingName;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::GroupName;

/// A stop: no head moves in one group, one ring, both, or anywhere.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stop)]
pub(crate) struct StopView {
    stop: i64,
    /// `freeze`: an operator's. `auditor`: the auditor's. `history-behind`: servers report what this history does not know;
    /// it stops admissions as well, and raising the epoch ends it.
    kind: &'static str,
    /// The group; null for every group.
    group: Option<String>,
    /// The ring; null for every ring.
    ring: Option<String>,
    reason: String,
    /// The name of the token, server or program.
    by: String,
    at: DateTime<Utc>,
    /// The end that was given; null: until it is thawed.
    until: Option<DateTime<Utc>>,
}

impl From<StopFound> for StopView {
    fn from(stop: StopFound) -> Self {
        Self {
            stop: stop.number,
            kind: stop.kind.as_str(),
            group: stop.group,
            ring: stop.ring,
            reason: stop.reason,
            by: stop.by,
            at: stop.at,
            until: stop.until,
        }
    }
}

/// The stops in force that lie on a group, or all of them.
pub(crate) async fn stopped(state: &ApiState, group: Option<&GroupName>) -> Result<Vec<StopView>, Problem> {
    let mut stops = state.reading.stops().await?;
    if let Some(group) = group {
        stops.retain(|stop| stop.group.as_deref().is_none_or(|of| of == group.as_str()));
    }
    Ok(stops.into_iter().map(StopView::from).collect())
}

/// Reads a small body: an object of these fields, by `read`, or everything that is wrong with it.
pub(crate) async fn read_act<T>(
    state: &ApiState,
    request: Request<Body>,
    known: &[&str],
    read: impl FnOnce(&mut Fields<'_>, &mut Violations) -> Option<T>,
) -> Result<T, Problem> {
    let (body, _room) = read_json(state, request).await?;
    let mut violations = Violations::default();
    let fields = Fields::open(Json::parse(&body)?, "", known, &mut violations);
    match fields.and_then(|mut fields| read(&mut fields, &mut violations)) {
        Some(act) if violations.is_empty() => Ok(act),
        _ => Err(Problem::InvalidRequest { violations }),
    }
}

/// Takes `reason`, which an act does not go without.
pub(crate) fn need_reason(fields: &mut Fields<'_>, violations: &mut Violations) -> Option<String> {
    let (reason, place) = fields.need("reason", violations).and_then(|field| text(field, violations))?;
    let reason = checked_reason(&reason, &place, violations)?;
    if reason.trim().is_empty() {
        violations.at(place, None, "say why, in some words: it is recorded");
        return None;
    }
    Some(reason)
}

/// Takes `ring`, if it is given.
pub(crate) fn take_ring(fields: &mut Fields<'_>, violations: &mut Violations) -> Option<RingName> {
    let (ring, place) = fields.take("ring").and_then(|field| text(field, violations))?;
    let read = RingName::parse(&ring);
    if read.is_none() {
        violations.at(place, None, format!("`{ring}` is no ring's name"));
    }
    read
}

/// A ring that does not exist is told by its place in the body.
pub(crate) async fn known_ring(state: &ApiState, ring: Option<&RingName>) -> Result<(), Problem> {
    let Some(ring) = ring else { return Ok(()) };
    if state.reading.rings().await?.iter().any(|one| one.ring == ring.as_str()) {
        return Ok(());
    }
    let mut violations = Violations::default();
    violations.at("ring", None, format!("there is no ring {ring}"));
    Err(Problem::InvalidRequest { violations })
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NotFound(what) => Self::NotFound { what },
            ActError::Refused(message) => Self::ActRefused { message },
            ActError::Store(error) => error.into(),
        }
    }
}
