//! `GET /v1/groups/{group}/plans`: what made a group's generations, the newest first.

use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::views::PlanView;
use crate::reading::{PlanFound, State as Stands};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A plan, and where its generation stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanListed)]
pub(crate) struct PlanListedView {
    #[serde(flatten)]
    plan: PlanView,
    /// Where the generation stands, by ring.
    states: BTreeMap<String, Stands>,
}

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
        (status = 200, description = "A page", body = Page<PlanListedView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_plans(
    State(state): State<ApiState>,
    _: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
) -> Result<Json<Page<PlanListedView>>, Problem> {
    let (limit, after) = (parameters.limit(), parameters.generation("after", 1));
    parameters.finish()?;
    let found = state.reading.group(&group).await?;
    let plans = state.reading.plans(&found, after.unwrap_or(i64::MAX), limit + 1).await?;
    // Heads only rise: read after the plans, they can show one of these further on, and never further back.
    let rings = state.reading.heads_by_ring(&group).await?;
    let view = |plan: PlanFound| PlanListedView {
        states: rings.iter().map(|ring| (ring.ring.clone(), ring.of_plan(&plan))).collect(),
        plan: plan.into(),
    };
    Ok(Json(Page::new(plans, limit, |plan: &PlanFound| plan.version.generation.to_string(), view)))
}
