//! What the auditor counts, and where that is read.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{IntCounter, IntGauge, Registry, TextEncoder};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The auditor's metrics, in a registry of their own.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    pub(super) rounds: IntCounter,
    pub(super) answers: IntCounter,
    pub(super) differences: IntCounter,
    pub(super) freezes: IntCounter,
    pub(super) suspicions: IntGauge,
    pub(super) silent_servers: IntGauge,
    pub(super) schema_faults: IntGauge,
}

impl Metrics {
    /// Registers all of them.
    pub(super) fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        Ok(Arc::new(Self {
            rounds: counter("holdfast_auditor_rounds_total", "Rounds in which every live server was asked.")?,
            answers: counter("holdfast_auditor_answers_total", "Answers that were compared with the history.")?,
            differences: counter(
                "holdfast_auditor_differences_total",
                "Answers and reports that were something else than the history says.",
            )?,
            freezes: counter("holdfast_auditor_freezes_total", "Groups that the auditor froze.")?,
            suspicions: gauge("holdfast_auditor_suspicions", "Disagreements that are not settled.")?,
            silent_servers: gauge(
                "holdfast_auditor_silent_servers",
                "Live servers that told no generation in the last round.",
            )?,
            schema_faults: gauge(
                "holdfast_auditor_schema_faults",
                "Refusals of the database that are missing, switched off or changed.",
            )?,
            registry,
        }))
    }

    /// Answers `/metrics` and `/health/live` until `shutdown`.
    pub(super) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> std::io::Result<()> {
        let live = || async { StatusCode::NO_CONTENT };
        let router = Router::new().route("/metrics", get(show)).route("/health/live", get(live)).with_state(self);
        axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
    }
}

async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    match TextEncoder::new().encode_to_string(&metrics.registry.gather()) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
