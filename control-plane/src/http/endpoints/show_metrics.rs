//! `GET /metrics`, for Prometheus.

use crate::http::ApiState;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Metrics in the text form of Prometheus. Open to everybody.
#[utoipa::path(get, path = "/metrics", tag = "about", security(()), responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")))]
pub(crate) async fn show_metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    let text = state.metrics.to_text().map_err(|error| Problem::Internal { cause: error.to_string() })?;
    Ok(([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}
