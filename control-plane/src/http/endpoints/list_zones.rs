//! `GET /v1/zones`: zones in order of their names.

use super::show_zone::ZoneView;
use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::ZoneListed;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;

/// Zones in order of their names.
#[utoipa::path(
    get,
    path = "/v1/zones",
    tag = "zones",
    params(
        ("group" = Option<String>, Query, description = "Only those of this group"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this name"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<ZoneView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_zones(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<ZoneView>>, Problem> {
    let (limit, group) = (parameters.limit(), parameters.text("group"));
    let after = parameters.text("after").unwrap_or_default();
    parameters.finish()?;
    let found = state.reading.zones(&after, limit + 1, group.as_deref()).await?;
    Ok(Json(Page::new(found, limit, |zone: &ZoneListed| zone.name.clone(), ZoneView::from)))
}
