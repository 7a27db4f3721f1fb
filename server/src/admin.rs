//! `/health/*` and `/metrics`, for those who operate the server.

use crate::counters::AllCounters;
use crate::disk::DiskStatus;
use crate::health::Health;
use crate::metrics;
use crate::replica::ReplicaStatus;
use crate::snapshot::Directory;
use arc_swap::ArcSwap;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use std::io;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the admin address tells about.
#[derive(Clone, Debug)]
pub struct Admin {
    /// What is served.
    pub directory: Arc<ArcSwap<Directory>>,
    /// How following the history goes.
    pub status: Arc<ReplicaStatus>,
    /// What was answered.
    pub counters: Arc<AllCounters>,
    /// How keeping it on disk goes, if it is kept there.
    pub disk: Option<Arc<DiskStatus>>,
}

impl Admin {
    /// How the server is at this moment.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::of(&self.directory.load(), &self.status)
    }
}

/// Serves the admin address until told to stop.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: std::net::TcpListener, admin: Admin, stop: CancellationToken) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let routes = Router::new()
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(show_metrics))
        .with_state(admin);
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    let health = admin.health();
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

async fn show_metrics(State(admin): State<Admin>) -> impl IntoResponse {
    match metrics::text(&admin) {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], "see the log\n".to_owned())
        }
    }
}
