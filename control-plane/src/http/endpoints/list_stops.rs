//! `GET /v1/stops`: everything that is frozen.

use crate::http::ApiState;
use crate::http::acts::{StopView, stopped};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// Every stop in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stops)]
pub(crate) struct StopsView {
    items: Vec<StopView>,
}

/// Every stop in force, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/stops",
    tag = "acts",
    responses(
        (status = 200, description = "The stops", body = StopsView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_stops(
    State(state): State<ApiState>,
    _: Caller,
    parameters: Parameters,
) -> Result<Json<StopsView>, Problem> {
    parameters.finish()?;
    Ok(Json(StopsView { items: stopped(&state, None).await? }))
}
