//! `POST /v1/groups/{group}/plans/{generation}/fail`: no head moves to it, ever.

use crate::http::ApiState;
use crate::http::acts::{need_reason, read_act};
use crate::http::parameters::Parameters;
use crate::http::paths::{GenerationInPath, GroupInPath};
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;

/// A generation that failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failed)]
pub(crate) struct FailedView {
    group: String,
    generation: i64,
    reason: String,
    /// Rings whose head is at it: they stay there, since no head moves back. Roll back, and they move on.
    in_force: Vec<String>,
}

/// Says that a generation failed: no head moves to it from now on, ever again. For operators.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/plans/{generation}/fail",
    tag = "acts",
    request_body(content = super::openapi::ReasonBody, content_type = "application/json"),
    params(
        ("group" = String, Path, description = "The group"),
        ("generation" = i64, Path, description = "The generation"),
    ),
    responses(
        (status = 200, description = "It has failed", body = FailedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn fail_generation(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(name): GroupInPath,
    GenerationInPath(generation): GenerationInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<FailedView>, Problem> {
    caller.author.may_act_on(Some(&name), "failing a generation")?;
    parameters.finish()?;
    let reason = read_act(&state, request, &["reason"], need_reason).await?;
    let group = state.reading.group(&name).await?;
    state.reading.plan(&group, generation.get()).await?;
    state.acts.fail(&name, generation.get(), &reason, &caller).await?;
    tracing::warn!(group = %name, %generation, reason, by = %caller.name, "a generation has failed");
    state.admissions.wake_enactors();
    let heads = state.reading.group(&name).await?.heads.into_iter();
    let in_force = heads.filter(|head| head.version.generation == generation).map(|head| head.ring).collect();
    Ok(Json(FailedView { group: name.to_string(), generation: generation.get(), reason, in_force }))
}
