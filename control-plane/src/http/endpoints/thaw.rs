//! `POST /v1/groups/{group}/thaw` and `POST /v1/thaw`: heads move again.

use crate::acts::Extent;
use crate::http::ApiState;
use crate::http::acts::{StopView, known_ring, need_reason, read_act, stopped, take_ring};
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::GroupName;

/// What was thawed, and what is stopped still.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Thawed)]
pub(crate) struct ThawedView {
    /// How many stops were ended: those of exactly this group and ring.
    thawed: u32,
    /// Every stop that still lies on the group; or on anything, if no group was named. A freeze of everything is not ended by
    /// thawing a group, nor one of a group by thawing everything.
    stopped: Vec<StopView>,
}

/// Ends the freezes of a group (in a ring, if one is named). Asking twice does no harm. For operators.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/thaw",
    tag = "acts",
    request_body(content = super::openapi::ThawBody, content_type = "application/json"),
    params(("group" = String, Path, description = "The group")),
    responses(
        (status = 200, description = "What was thawed, and what is stopped still", body = ThawedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn thaw_group(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(group): GroupInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<ThawedView>, Problem> {
    thaw(&state, &caller, Some(group), parameters, request).await
}

/// Ends the freezes of every group at once (in a ring, if one is named). For operators.
#[utoipa::path(
    post,
    path = "/v1/thaw",
    tag = "acts",
    request_body(content = super::openapi::ThawBody, content_type = "application/json"),
    responses(
        (status = 200, description = "What was thawed, and what is stopped still", body = ThawedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn thaw_all(
    State(state): State<ApiState>,
    caller: Caller,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<ThawedView>, Problem> {
    thaw(&state, &caller, None, parameters, request).await
}

async fn thaw(
    state: &ApiState,
    caller: &Caller,
    group: Option<GroupName>,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<ThawedView>, Problem> {
    caller.author.may_act_on(group.as_ref(), "a thaw")?;
    parameters.finish()?;
    let (reason, ring) = read_act(state, request, &["reason", "ring"], |fields, violations| {
        let ring = take_ring(fields, violations);
        Some((need_reason(fields, violations)?, ring))
    })
    .await?;
    known_ring(state, ring.as_ref()).await?;
    let of = Extent { group, ring };
    let thawed = state.acts.thaw(&of, &reason, caller).await?;
    tracing::warn!(?of, reason, thawed, by = %caller.name, "thawed");
    state.admissions.wake_enactors();
    Ok(Json(ThawedView { thawed, stopped: stopped(state, of.group.as_ref()).await? }))
}
