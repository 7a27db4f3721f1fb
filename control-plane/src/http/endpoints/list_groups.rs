//! `GET /v1/groups`: groups in order of their names.

use super::show_group::GroupView;
use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::GroupFound;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;

/// Groups in order of their names.
#[utoipa::path(
    get,
    path = "/v1/groups",
    tag = "groups",
    params(
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this name"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<GroupView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_groups(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<GroupView>>, Problem> {
    let (limit, after) = (parameters.limit(), parameters.text("after").unwrap_or_default());
    parameters.finish()?;
    let found = state.reading.groups(&after, limit + 1).await?;
    Ok(Json(Page::new(found, limit, |group: &GroupFound| group.name.clone(), GroupView::from)))
}
