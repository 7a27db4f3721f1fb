//! `GET /v1/groups/{group}/plans`: what made a group's generations, the newest first.

use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::views::PlanView;
use crate::reading::PlanFound;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;

/// The plans of a group by their generations, the newest first.
#[utoipa::path(
    get,
    path = "/v1/groups/{group}/plans",
    tag = "plans",
    params(
        ("group" = String, Path, description = "The group"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<i64>, Query, description = "Go on below this generation"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<PlanView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_plans(
    State(state): State<ApiState>,
    _: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
) -> Result<Json<Page<PlanView>>, Problem> {
    let (limit, after) = (parameters.limit(), parameters.generation("after", 1));
    parameters.finish()?;
    let group = state.reading.group(&group).await?;
    let found = state.reading.plans(&group, after.unwrap_or(i64::MAX), limit + 1).await?;
    Ok(Json(Page::new(found, limit, |plan: &PlanFound| plan.version.generation.to_string(), PlanView::from)))
}
