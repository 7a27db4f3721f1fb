//! `DELETE /v1/tokens/{name}`: ends a token.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::NameInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::{Caller, is_token_name};
use axum::extract::State;
use axum::http::StatusCode;
use plan_rules::Role;

/// Ends a token: it is good for at most one second more. For admins.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{name}",
    tag = "tokens",
    params(("name" = String, Path, description = "The token's name")),
    responses(
        (status = 204, description = "It has ended"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn end_token(
    State(state): State<ApiState>,
    caller: Caller,
    NameInPath(name): NameInPath,
    parameters: Parameters,
) -> Result<StatusCode, Problem> {
    caller.author.needs(Role::Admin, "ending a token")?;
    parameters.finish()?;
    if !is_token_name(&name) || !state.tokens.end(&name, &caller).await? {
        return Err(Problem::NotFound { what: "living token of this name".to_owned() });
    }
    tracing::info!(token = name, by = %caller.name, "a token has ended");
    Ok(StatusCode::NO_CONTENT)
}
