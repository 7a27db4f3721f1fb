//! `POST /v1/groups/{group}/freeze` and `POST /v1/freeze`: no head moves, until it is thawed.

use crate::acts::Extent;
use crate::http::ApiState;
use crate::http::acts::{StopView, known_ring, need_reason, read_act, stopped, take_ring};
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::violations::{Fields, Violations, text};
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use chrono::{DateTime, Utc};
use plan_rules::RingName;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::GroupName;

/// What is stopped now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stopped)]
pub(crate) struct StoppedView {
    /// Every stop that lies on the group; or on anything, if no group was named.
    stopped: Vec<StopView>,
}

struct Freeze {
    reason: String,
    ring: Option<RingName>,
    until: Option<DateTime<Utc>>,
}

/// Freezes a group: when this is answered, no head of it moves, and none will until it is thawed. Plans are admitted
/// meanwhile. For operators.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/freeze",
    tag = "acts",
    request_body(content = super::openapi::FreezeBody, content_type = "application/json"),
    params(("group" = String, Path, description = "The group")),
    responses(
        (status = 200, description = "It is frozen", body = StoppedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn freeze_group(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(group): GroupInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<StoppedView>, Problem> {
    freeze(&state, &caller, Some(group), parameters, request).await
}

/// Freezes every group. For operators.
#[utoipa::path(
    post,
    path = "/v1/freeze",
    tag = "acts",
    request_body(content = super::openapi::FreezeBody, content_type = "application/json"),
    responses(
        (status = 200, description = "All is frozen", body = StoppedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn freeze_all(
    State(state): State<ApiState>,
    caller: Caller,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<StoppedView>, Problem> {
    freeze(&state, &caller, None, parameters, request).await
}

async fn freeze(
    state: &ApiState,
    caller: &Caller,
    group: Option<GroupName>,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<StoppedView>, Problem> {
    caller.author.may_act_on(group.as_ref(), "a freeze")?;
    parameters.finish()?;
    let Freeze { reason, ring, until } =
        read_act(state, request, &["reason", "ring", "until"], |fields, violations| {
            let (ring, until) = (take_ring(fields, violations), take_until(fields, violations));
            Some(Freeze { reason: need_reason(fields, violations)?, ring, until })
        })
        .await?;
    known_ring(state, ring.as_ref()).await?;
    let of = Extent { group, ring };
    state.acts.freeze(&of, &reason, until, caller).await?;
    tracing::warn!(?of, reason, by = %caller.name, "frozen");
    Ok(Json(StoppedView { stopped: stopped(state, of.group.as_ref()).await? }))
}

/// Whether it is over already is for the database's clock to say.
fn take_until(fields: &mut Fields<'_>, violations: &mut Violations) -> Option<DateTime<Utc>> {
    let (until, place) = fields.take("until").and_then(|field| text(field, violations))?;
    let read = DateTime::parse_from_rfc3339(&until).ok().map(|until| until.with_timezone(&Utc));
    if read.is_none() {
        violations.at(place, None, "expected a moment as in `2026-01-31T18:00:00Z`");
    }
    read
}
