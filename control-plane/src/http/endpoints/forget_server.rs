//! `POST /v1/servers/{server}/forget`: nothing waits for this server any longer.

use crate::http::ApiState;
use crate::http::acts::{need_reason, read_act};
use crate::http::parameters::Parameters;
use crate::http::paths::ServerInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;

/// A server that was forgotten.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forgotten)]
pub(crate) struct ForgottenView {
    server: String,
    reason: String,
}

/// Forgets a server that is gone: no generation waits for it, and what it reported stops nothing. If it comes back and is
/// live at a later move, it counts again. For operators.
#[utoipa::path(
    post,
    path = "/v1/servers/{server}/forget",
    tag = "fleet",
    request_body(content = super::openapi::ReasonBody, content_type = "application/json"),
    params(("server" = String, Path, description = "The server's name")),
    responses(
        (status = 200, description = "It is forgotten", body = ForgottenView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn forget_server(
    State(state): State<ApiState>,
    caller: Caller,
    ServerInPath(server): ServerInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<ForgottenView>, Problem> {
    caller.author.may_act_on(None, "forgetting a server")?;
    parameters.finish()?;
    let reason = read_act(&state, request, &["reason"], need_reason).await?;
    state.acts.forget_server(&server, &reason, &caller).await?;
    tracing::warn!(server, reason, by = %caller.name, "a server was forgotten");
    state.admissions.wake_enactors();
    Ok(Json(ForgottenView { server, reason }))
}
