//! `GET /v1/rings` and `GET /v1/rings/{ring}`: who proves, and who follows how soon.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::RingInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::RingFound;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// A ring.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ring)]
pub(crate) struct RingView {
    ring: String,
    /// Whether its servers prove a generation before the other rings take it. One ring does.
    first: bool,
    /// For how many seconds they serve it without a fault until it has passed.
    soak_s: f64,
    /// How many seconds after it passed this ring takes it.
    delay_s: f64,
    /// As few servers as these prove nothing.
    servers_min: i32,
}

impl From<RingFound> for RingView {
    fn from(found: RingFound) -> Self {
        let RingFound { ring, first, soak_s, delay_s, servers_min } = found;
        Self { ring, first, soak_s, delay_s, servers_min }
    }
}

/// Rings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rings)]
pub(crate) struct RingsView {
    items: Vec<RingView>,
}

/// All rings, the first one first.
#[utoipa::path(
    get,
    path = "/v1/rings",
    tag = "fleet",
    responses(
        (status = 200, description = "The rings", body = RingsView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_rings(
    State(state): State<ApiState>,
    _: Caller,
    parameters: Parameters,
) -> Result<Json<RingsView>, Problem> {
    parameters.finish()?;
    Ok(Json(RingsView { items: state.reading.rings().await?.into_iter().map(RingView::from).collect() }))
}

/// A ring.
#[utoipa::path(
    get,
    path = "/v1/rings/{ring}",
    tag = "fleet",
    params(("ring" = String, Path, description = "The ring")),
    responses(
        (status = 200, description = "The ring", body = RingView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_ring(
    State(state): State<ApiState>,
    _: Caller,
    RingInPath(ring): RingInPath,
    parameters: Parameters,
) -> Result<Json<RingView>, Problem> {
    parameters.finish()?;
    found(&state, ring.as_str()).await.map(Json)
}

/// The ring of this name.
pub(super) async fn found(state: &ApiState, ring: &str) -> Result<RingView, Problem> {
    let mut rings = state.reading.rings().await?.into_iter();
    let found = rings.find(|one| one.ring == ring);
    found.map(RingView::from).ok_or_else(|| Problem::NotFound { what: format!("ring {ring}") })
}
