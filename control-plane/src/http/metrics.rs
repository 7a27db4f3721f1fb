//! What the API counts.

use crate::admission::{AdmissionError, Admitted};
use axum::http::{Method, StatusCode};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::time::Duration;

/// Of requests: from a millisecond to a minute, since some wait on purpose.
const SECONDS_BUCKETS: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

/// The API's metrics, in a registry of their own.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    plans: IntCounterVec,
}

impl Metrics {
    /// Registers all of them.
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("holdfast_api_requests_total", "Requests that were answered."),
            &["method", "route", "status"],
        )?;
        let request_seconds = HistogramVec::new(
            HistogramOpts::new("holdfast_api_request_seconds", "From a request's head to its response's head.")
                .buckets(SECONDS_BUCKETS.to_vec()),
            &["method", "route"],
        )?;
        let plans =
            IntCounterVec::new(Opts::new("holdfast_plans_total", "Plans by how their admission ended."), &["outcome"])?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(request_seconds.clone()))?;
        registry.register(Box::new(plans.clone()))?;
        Ok(Self { registry, requests, request_seconds, plans })
    }

    pub(crate) fn request_ended(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        // Anybody can make up methods; each would be a series for ever.
        let method = match *method {
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE | Method::PATCH => method.as_str(),
            _ => "other",
        };
        self.requests.with_label_values(&[method, route, status.as_str()]).inc();
        self.request_seconds.with_label_values(&[method, route]).observe(elapsed.as_secs_f64());
    }

    pub(crate) fn admission_ended(&self, admitted: Result<&Admitted, &AdmissionError>) {
        let outcome = match admitted {
            Ok(Admitted::New(_)) => "admitted",
            Ok(Admitted::Repeated(_)) => "repeated",
            Ok(Admitted::DryRun(_)) => "dry-run",
            Ok(Admitted::NoOp { .. }) => "no-op",
            Err(AdmissionError::Refused(_) | AdmissionError::KeyReused) => "refused",
            Err(AdmissionError::Busy(_)) => "lost-race",
            Err(AdmissionError::Store(_)) => "failed",
        };
        self.plans.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn to_text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
