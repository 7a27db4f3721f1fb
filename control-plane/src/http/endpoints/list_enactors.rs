//! `GET /v1/enactors`: enactors, and whether they are alive.

use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::EnactorSeen;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An enactor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Enactor)]
pub(crate) struct EnactorView {
    enactor: String,
    /// This start of it.
    #[schema(value_type = String)]
    instance: Uuid,
    /// Milliseconds since it was seen, by the database's clock.
    seen_age_ms: i64,
    /// Whether that was within the last 3 seconds.
    live: bool,
    /// For how many milliseconds it has watched without a gap. Only who watched may say that a server was lost.
    watching_ms: i64,
    /// What the heads that it would move wait for, a line for each; null if they wait for nothing.
    waits_for: Option<String>,
}

impl From<EnactorSeen> for EnactorView {
    fn from(seen: EnactorSeen) -> Self {
        let EnactorSeen { enactor, instance, seen_age_ms, live, watching_ms, waits_for } = seen;
        Self { enactor, instance, seen_age_ms, live, watching_ms, waits_for }
    }
}

/// Enactors in order of their names.
#[utoipa::path(
    get,
    path = "/v1/enactors",
    tag = "fleet",
    params(
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this name"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<EnactorView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_enactors(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<EnactorView>>, Problem> {
    let (limit, after) = (parameters.limit(), parameters.text("after").unwrap_or_default());
    parameters.finish()?;
    let found = state.reading.enactors(&after, limit + 1).await?;
    Ok(Json(Page::new(found, limit, |seen: &EnactorSeen| seen.enactor.clone(), EnactorView::from)))
}
