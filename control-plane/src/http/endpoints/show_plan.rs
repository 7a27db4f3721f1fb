//! `GET /v1/groups/{group}/plans/{generation}`: a plan, where its generation stands, and what it changed.

use super::show_diff::{DifferenceView, before_all, place};
use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::paths::{GenerationInPath, GroupInPath};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::views::{PlanView, StateView};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Differences that are shown with a plan; `/diff` has all.
const DIFFERENCES_SHOWN: i64 = 100;

/// A plan, where its generation stands, and what it changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanInFull)]
struct PlanInFullView {
    group: String,
    #[serde(flatten)]
    plan: PlanView,
    /// Where the generation stands, by ring.
    states: BTreeMap<String, StateView>,
    /// What changed against the generation before: the first hundred, of `/v1/groups/{group}/diff`.
    /// Null where one of the two was retired.
    diff: Option<Page<DifferenceView>>,
}

/// A plan, where its generation stands, and what it changed.
#[utoipa::path(
    get,
    path = "/v1/groups/{group}/plans/{generation}",
    tag = "plans",
    params(
        ("group" = String, Path, description = "The group"),
        ("generation" = i64, Path, description = "The generation that the plan made"),
    ),
    responses(
        (status = 200, description = "The plan", body = PlanInFullView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_plan(
    State(state): State<ApiState>,
    _: Caller,
    GroupInPath(name): GroupInPath,
    GenerationInPath(generation): GenerationInPath,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let group = state.reading.group(&name).await?;
    let plan = state.reading.plan(&group, generation.get()).await?;
    let states = state.reading.states_by_ring(&name, plan.version).await?;
    let span = (generation.get() - 1, generation.get());
    let readable = group.generation(Some(span.0.max(1))).is_ok();
    let diff = match readable {
        true => Some(state.reading.differences(&group, span, &before_all(), DIFFERENCES_SHOWN + 1).await?),
        false => None,
    };
    let tag = format!("\"{}\"", plan.version.id);
    let view = PlanInFullView {
        group: name.to_string(),
        plan: plan.into(),
        states: states.into_iter().map(|one| (one.ring.clone(), one.into())).collect(),
        diff: diff.map(|found| Page::new(found, DIFFERENCES_SHOWN, place, DifferenceView::from)),
    };
    Ok(([(ETAG, tag)], Json(view)).into_response())
}
