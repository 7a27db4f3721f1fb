//! `DELETE /v1/groups/{group}/pins/{pin}`: lets go of a generation.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::{GroupInPath, PinInPath};
use crate::http::problem::{Problem, ProblemBody};
use crate::pins::Actor;
use crate::tokens::Caller;
use axum::extract::State;
use axum::http::StatusCode;
use plan_rules::Role;

/// Takes a pin away: the floor may pass its generation at once. For operators.
#[utoipa::path(
    delete,
    path = "/v1/groups/{group}/pins/{pin}",
    tag = "groups",
    params(
        ("group" = String, Path, description = "The group"),
        ("pin" = i64, Path, description = "The pin's number"),
        ("reason" = String, Query, description = "Why; it is recorded"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn unpin_generation(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(name): GroupInPath,
    PinInPath(pin): PinInPath,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    caller.author.needs(Role::Operator, "unpinning a generation")?;
    let reason = parameters.reason().filter(|reason| !reason.trim().is_empty());
    if reason.is_none() {
        parameters.fault("reason", "say why, in some words: it is recorded");
    }
    parameters.finish()?;
    let group = state.reading.group(&name).await?;
    let actor = Actor { token: caller.token, name: &caller.name };
    let held = state.pins.unpin(group.number(), pin, &reason.unwrap_or_default(), actor).await?;
    let generation = held.ok_or_else(|| Problem::NotFound { what: format!("pin {pin} of the group {name}") })?;
    tracing::info!(group = %name, generation, pin, by = %caller.name, "a pin is gone");
    Ok(StatusCode::NO_CONTENT)
}
