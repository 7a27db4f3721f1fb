//! `GET /problems/{name}`: the page about a kind of problem.

use crate::http::paths::NameInPath;
use crate::http::problem::{Kind, Problem, ProblemBody};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// The page about a kind of problem, in Markdown. Open to everybody.
#[utoipa::path(
    get,
    path = "/problems/{name}",
    tag = "about",
    security(()),
    params(("name" = String, Path, description = "The last part of the problem's `type`")),
    responses(
        (status = 200, description = "What happened, why, and what to do", body = String, content_type = "text/markdown"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_problem(NameInPath(name): NameInPath) -> Result<Response, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| Problem::NotFound { what: "such problem".to_owned() })?;
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], kind.page()).into_response())
}
