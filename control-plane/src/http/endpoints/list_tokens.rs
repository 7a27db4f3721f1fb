//! `GET /v1/tokens`: living tokens, without their secrets.

use crate::http::ApiState;
use crate::http::pages::Page;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::tokens::{Caller, Token};
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use plan_rules::{Author, Role};
use serde::Serialize;
use utoipa::ToSchema;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    name: String,
    /// `reader`, `planner`, `operator` or `admin`.
    role: &'static str,
    /// The groups that its plans may change; null for all.
    groups: Option<Vec<String>>,
    /// The names that its plans may change stand at or below one of these; null for all.
    suffixes: Option<Vec<String>>,
    created: DateTime<Utc>,
}

impl TokenView {
    pub(super) fn new(name: String, author: &Author, created: DateTime<Utc>) -> Self {
        let groups = author.scope.groups.as_ref();
        let suffixes = author.scope.suffixes.as_ref();
        Self {
            name,
            role: author.role.as_str(),
            groups: groups.map(|groups| groups.iter().map(ToString::to_string).collect()),
            suffixes: suffixes.map(|suffixes| suffixes.iter().map(ToString::to_string).collect()),
            created,
        }
    }
}

/// Living tokens in order of their names, without their secrets. For admins.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "tokens",
    params(
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this name"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<TokenView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_tokens(
    State(state): State<ApiState>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<TokenView>>, Problem> {
    caller.author.needs(Role::Admin, "listing tokens")?;
    let (limit, after) = (parameters.limit(), parameters.text("after").unwrap_or_default());
    parameters.finish()?;
    let found = state.tokens.list(&after, limit + 1).await?;
    let view = |token: Token| TokenView::new(token.name, &token.author, token.created);
    Ok(Json(Page::new(found, limit, |token: &Token| token.name.clone(), view)))
}
