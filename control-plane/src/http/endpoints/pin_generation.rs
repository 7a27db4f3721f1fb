//! `POST /v1/groups/{group}/pins`: holds on to a generation.

use crate::http::ApiState;
use crate::http::body::checked_reason;
use crate::http::json::Json as Tree;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::upload::read_json;
use crate::http::violations::{Fields, Violations, text, whole_number};
use crate::pins::Actor;
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use plan_rules::Role;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::Generation;

/// A pin that was just set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PinSet)]
struct PinSetView {
    group: String,
    /// The pin's number, by which it is taken away.
    pin: i64,
    /// The generation that it holds.
    generation: i64,
    /// Why.
    reason: String,
}

/// What to pin.
#[derive(ToSchema)]
#[schema(as = PinRequest)]
#[expect(dead_code, reason = "describes what is read below")]
pub(crate) struct PinBody {
    /// The generation, at or above the floor.
    generation: i64,
    /// Why; it is recorded.
    reason: String,
}

/// Holds on to a generation: its group's floor does not pass it until the pin is taken away. For operators.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/pins",
    tag = "groups",
    params(("group" = String, Path, description = "The group")),
    request_body(content = PinBody, content_type = "application/json"),
    responses(
        (status = 201, description = "It is held", body = PinSetView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn pin_generation(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(name): GroupInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Response, Problem> {
    caller.author.needs(Role::Operator, "pinning a generation")?;
    parameters.finish()?;
    let (body, _room) = read_json(&state, request).await?;
    let (generation, reason) = parse(&body)?;
    let group = state.reading.group(&name).await?;
    // What a pin would hold must be there: above the tip nothing is, and below the floor nothing any more.
    group.generation(Some(generation.get()))?;
    let actor = Actor { token: caller.token, name: &caller.name };
    let pin = state.pins.pin(group.number(), generation, &reason, actor).await?;
    tracing::info!(group = %name, %generation, pin, by = %caller.name, "a generation is pinned");
    let view = PinSetView { group: name.to_string(), pin, generation: generation.get(), reason };
    Ok((StatusCode::CREATED, [(LOCATION, format!("/v1/groups/{name}/pins/{pin}"))], Json(view)).into_response())
}

fn parse(body: &[u8]) -> Result<(Generation, String), Problem> {
    let mut violations = Violations::default();
    let read = read(Tree::parse(body)?, &mut violations);
    read.filter(|_| violations.is_empty()).ok_or(Problem::InvalidRequest { violations })
}

fn read(json: Tree<'_>, violations: &mut Violations) -> Option<(Generation, String)> {
    let mut fields = Fields::open(json, "", &["generation", "reason"], violations)?;
    let generation = fields.need("generation", violations);
    let generation = generation.and_then(|field| whole_number(field, 1..=i64::MAX, violations));
    let reason = fields.need("reason", violations).and_then(|field| text(field, violations));
    let reason = reason.and_then(|(reason, place)| {
        if reason.trim().is_empty() {
            violations.at(place.as_str(), None, "say why, in some words: it is recorded");
        }
        checked_reason(&reason, &place, violations)
    });
    Some((Generation::new(generation?)?, reason?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told() {
        for (body, expected) in [
            (&br#"{"generation": 0, "reason": " "}"#[..], vec!["generation", "reason"]),
            (br#"{"generation": "7", "why": "x"}"#, vec!["generation", "reason", "why"]),
            (b"[]", vec!["the whole body"]),
        ] {
            let Err(Problem::InvalidRequest { violations }) = parse(body) else { panic!() };
            let mut places: Vec<&str> = violations.listed().iter().map(|one| one.place.as_str()).collect();
            places.sort_unstable();
            assert_eq!(places, expected);
        }
        assert_eq!(parse(br#"{"generation": 7, "reason": "audit"}"#).unwrap().0.get(), 7);
    }
}
