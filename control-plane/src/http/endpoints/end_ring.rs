//! `DELETE /v1/rings/{ring}`: a ring takes no more moves.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::RingInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::Caller;
use axum::extract::State;
use axum::http::StatusCode;

/// Ends a ring: it takes no more moves, and its servers go on with what they have. For operators.
#[utoipa::path(
    delete,
    path = "/v1/rings/{ring}",
    tag = "fleet",
    params(
        ("ring" = String, Path, description = "The ring"),
        ("reason" = Option<String>, Query, description = "Why; it is recorded"),
    ),
    responses(
        (status = 204, description = "It has ended"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn end_ring(
    State(state): State<ApiState>,
    caller: Caller,
    RingInPath(ring): RingInPath,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    caller.author.may_act_on(None, "ending a ring")?;
    let reason = parameters.reason();
    parameters.finish()?;
    state.acts.end_ring(&ring, reason.as_deref(), &caller).await?;
    tracing::warn!(%ring, by = %caller.name, "a ring has ended");
    state.admissions.wake_enactors();
    Ok(StatusCode::NO_CONTENT)
}
