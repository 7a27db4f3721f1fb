//! `GET /v1/audit`: what was done that is no plan, by whom, and why.

use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::ActFound;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// By which door an act came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Via {
    /// A token, through the API.
    Token,
    /// A login of the database: `holdfast up`, or the command line for emergencies.
    DatabaseLogin,
}

/// Something that was done. It stands in the log from the moment on in which it was done, and never changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Act)]
pub(crate) struct ActView {
    number: i64,
    at: DateTime<Utc>,
    /// The token's name, or the login's.
    by: String,
    via: Via,
    /// What, as a verb: `freeze`, `thaw`, `give-token` …
    act: String,
    /// The group that it was done to; null for what is no group's.
    group: Option<String>,
    /// On what, and why. Its members depend on `act`.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl From<ActFound> for ActView {
    fn from(found: ActFound) -> Self {
        Self {
            number: found.number,
            at: found.at,
            by: found.by,
            via: if found.by_token { Via::Token } else { Via::DatabaseLogin },
            act: found.act,
            group: found.group,
            detail: found.detail,
        }
    }
}

/// The audit log: every act that is no plan (plans are the history itself), the newest first.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "tokens",
    params(
        ("group" = Option<String>, Query, description = "Only acts on this group"),
        ("act" = Option<String>, Query, description = "Only acts of this kind, such as `freeze`"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<i64>, Query, description = "Go on below this number, which was `next` before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<ActView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_acts(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<ActView>>, Problem> {
    let (limit, group, act) = (parameters.limit(), parameters.text("group"), parameters.text("act"));
    let after = parameters.read("after", "what `next` said", |text| text.parse().ok());
    parameters.finish()?;
    let which = (group.as_deref(), act.as_deref());
    let found = state.reading.acts(which, after.unwrap_or(i64::MAX), limit + 1).await?;
    Ok(Json(Page::new(found, limit, |act: &ActFound| act.number.to_string(), ActView::from)))
}
