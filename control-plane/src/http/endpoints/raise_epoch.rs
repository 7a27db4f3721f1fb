//! `POST /v1/epoch/raise` and `POST /v1/groups/{group}/raise`: what heals when the database went back in time.

use crate::admission::AdmittedPlan;
use crate::http::ApiState;
use crate::http::acts::{need_reason, read_act};
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody, VersionView};
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::GroupName;

/// Groups looked up at a time.
const GROUPS_AT_A_TIME: i64 = 500;

/// Groups with a new epoch.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Raised)]
pub(crate) struct RaisedView {
    /// Each with the generation that began its epoch. It goes through the rings like others.
    raised: Vec<RaisedGroupView>,
    /// Groups in which it did not work. Raising them again is right.
    failed: Vec<NotRaisedView>,
}

/// A group with a new epoch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RaisedGroup)]
struct RaisedGroupView {
    group: String,
    #[serde(flatten)]
    version: VersionView,
    /// The tip before.
    base: i64,
}

/// A group without one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotRaised)]
struct NotRaisedView {
    group: String,
    /// What kind of problem, as in `/problems/NAME`.
    problem: &'static str,
    detail: Option<String>,
}

impl RaisedView {
    fn add(&mut self, plan: AdmittedPlan) {
        let (group, base) = (plan.group.to_string(), plan.base.get());
        self.raised.push(RaisedGroupView { group, version: plan.version.into(), base });
    }
}

/// Raises the epoch of a group: one generation, the next multiple of 1,000,000,000 above all that were ever known or
/// reported, with serials that go on. After the database went back in time; what was lost has to be posted again. For
/// operators.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/raise",
    tag = "acts",
    request_body(content = super::openapi::ReasonBody, content_type = "application/json"),
    params(("group" = String, Path, description = "The group")),
    responses(
        (status = 200, description = "Its epoch is raised", body = RaisedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn raise_group(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(group): GroupInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<RaisedView>, Problem> {
    caller.author.may_act_on(Some(&group), "raising an epoch")?;
    parameters.finish()?;
    let reason = read_act(&state, request, &["reason"], need_reason).await?;
    let raised = state.admissions.raise(&group, &reason, (caller.token, &caller.author)).await?;
    let plan = raised.ok_or_else(|| Problem::NotFound { what: format!("group {group}") })?;
    tracing::warn!(%group, reason, generation = %plan.version.generation, by = %caller.name, "an epoch was raised");
    let mut view = RaisedView::default();
    view.add(plan);
    Ok(Json(view))
}

/// Raises the epoch of every group. For operators.
#[utoipa::path(
    post,
    path = "/v1/epoch/raise",
    tag = "acts",
    request_body(content = super::openapi::ReasonBody, content_type = "application/json"),
    responses(
        (status = 200, description = "What became of each group", body = RaisedView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn raise_all(
    State(state): State<ApiState>,
    caller: Caller,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<RaisedView>, Problem> {
    caller.author.may_act_on(None, "raising an epoch")?;
    parameters.finish()?;
    let reason = read_act(&state, request, &["reason"], need_reason).await?;
    tracing::warn!(reason, by = %caller.name, "raising every epoch");
    let task = tokio::spawn(async move { raise_each(&state, &caller, &reason).await });
    let raised = task.await.map_err(|ended| Problem::Internal { cause: ended.to_string() })?;
    raised.map(Json)
}

/// One after the other; a client that hangs up leaves none out.
async fn raise_each(state: &ApiState, caller: &Caller, reason: &str) -> Result<RaisedView, Problem> {
    let mut view = RaisedView::default();
    let mut after = String::new();
    loop {
        let groups = state.reading.groups(&after, GROUPS_AT_A_TIME).await?;
        let Some(last) = groups.last() else { return Ok(view) };
        after.clone_from(&last.name);
        for found in groups {
            let Ok(group) = GroupName::parse(&found.name) else { continue };
            match state.admissions.raise(&group, reason, (caller.token, &caller.author)).await {
                Ok(plan) => plan.into_iter().for_each(|plan| view.add(plan)),
                Err(error) => {
                    tracing::error!(%group, %error, "its epoch was not raised");
                    let problem = Problem::from(error);
                    let (group, kind) = (found.name, problem.kind().name());
                    view.failed.push(NotRaisedView { group, problem: kind, detail: problem.detail() });
                }
            }
        }
    }
}
