//! `GET /health/live` and `GET /health/ready`.

use crate::database::MIGRATIONS;
use crate::http::ApiState;
use crate::http::problem::{Problem, ProblemBody};
use axum::extract::State;

/// The program answers. Open to everybody.
#[utoipa::path(get, path = "/health/live", tag = "about", security(()), responses((status = 200, description = "`live`", body = String, content_type = "text/plain")))]
pub(crate) async fn show_live() -> &'static str {
    "live\n"
}

/// The program can do its work: the database answers and has the schema that the program needs. Open to everybody.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "about",
    security(()),
    responses(
        (status = 200, description = "`ready`", body = String, content_type = "text/plain"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_ready(State(state): State<ApiState>) -> Result<&'static str, Problem> {
    let expected = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    let found = state.reading.schema_version().await?;
    // Migrations leave the previous release working, so a later schema is fine.
    if found.is_some_and(|found| found >= expected) {
        return Ok("ready\n");
    }
    Err(Problem::SchemaUnlike { expected, found })
}
