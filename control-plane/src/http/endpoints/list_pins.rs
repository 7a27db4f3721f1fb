//! `GET /v1/groups/{group}/pins`: generations that people hold on to.

use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::pins::PinFound;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A pin: its group's floor does not pass the generation while it is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pin)]
pub(crate) struct PinView {
    /// The pin's number, by which it is taken away.
    pin: i64,
    /// The generation that it holds.
    generation: i64,
    /// Why.
    reason: String,
    /// The name of the token that it was set with.
    by: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<PinFound> for PinView {
    fn from(found: PinFound) -> Self {
        Self { pin: found.pin, generation: found.generation, reason: found.why, by: found.by, at: found.at }
    }
}

/// The pins of a group, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/groups/{group}/pins",
    tag = "groups",
    params(
        ("group" = String, Path, description = "The group"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<i64>, Query, description = "Go on after this pin, which was `next` before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<PinView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_pins(
    State(state): State<ApiState>,
    _: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
) -> Result<Json<Page<PinView>>, Problem> {
    let limit = parameters.limit();
    let after = parameters.read("after", "what `next` said", |text| text.parse::<i64>().ok());
    parameters.finish()?;
    let group = state.reading.group(&group).await?;
    let found = state.pins.list(group.number(), after.unwrap_or_default(), limit + 1).await?;
    Ok(Json(Page::new(found, limit, |pin| pin.pin.to_string(), PinView::from)))
}
