//! The REST API: take in, parse, ask, store, tell. What a plan may do is for `plan_rules` to say.

mod acts;
mod authentication;
mod body;
mod endpoints;
mod events;
mod json;
mod metrics;
mod pages;
mod parameters;
mod paths;
mod problem;
mod request;
mod serve;
mod submission;
mod upload;
mod views;
mod violations;
mod waiting;
mod wakes;
mod zone_file;

pub use body::{Envelope, parse_plan};
pub use problem::{Kind, Problem, ProblemBody};
pub use serve::serve;
pub use violations::{Rule, ViolationView, Violations};

use crate::acts::Acts;
use crate::admission::Admissions;
use crate::pins::Pins;
use crate::reading::Reading;
use crate::store::HistoryStore;
use crate::tokens::Tokens;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use endpoints as ep;
use metrics::Metrics;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What the endpoints share; cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiState {
    acts: Acts,
    admissions: Admissions,
    pins: Pins,
    reading: Reading,
    tokens: Tokens,
    wakes: wakes::Wakes,
    tail: events::Tail,
    followers: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    large_bodies: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl ApiState {
    /// Plans go to `admissions`, what is shown comes from `store`. One connection of `listening` is kept for notices.
    /// Whoever waits is answered when `shutdown` comes.
    ///
    /// # Errors
    /// When the metrics contradict each other, which no run of the tests would let pass.
    pub fn new(
        store: HistoryStore,
        admissions: Admissions,
        listening: PgPool,
        shutdown: CancellationToken,
    ) -> Result<Self, prometheus::Error> {
        let reading = Reading::new(store.pool().clone());
        let wakes = wakes::Wakes::new(listening, shutdown.clone());
        Ok(Self {
            acts: Acts::new(store.pool().clone()),
            admissions,
            pins: Pins::new(store.pool().clone()),
            tail: events::Tail::new(reading.clone(), wakes.clone(), shutdown.clone()),
            followers: Arc::new(Semaphore::new(ep::FOLLOWERS_MAX)),
            reading,
            tokens: Tokens::new(store.pool().clone()),
            wakes,
            metrics: Arc::new(Metrics::new()?),
            large_bodies: Arc::new(Semaphore::new(upload::LARGE_BODIES_MAX)),
            shutdown,
        })
    }
}

/// All routes.
pub fn router(state: ApiState) -> axum::Router {
    axum::Router::new()
        .route("/v1/groups", get(ep::list_groups))
        .route("/v1/groups/{group}", get(ep::show_group))
        .route("/v1/groups/{group}/plans", get(ep::list_plans).post(ep::submit_plan))
        .route("/v1/groups/{group}/plans/{generation}", get(ep::show_plan))
        .route("/v1/groups/{group}/plans/{generation}/fail", post(ep::fail_generation))
        .route("/v1/groups/{group}/freeze", post(ep::freeze_group))
        .route("/v1/groups/{group}/thaw", post(ep::thaw_group))
        .route("/v1/groups/{group}/rollback", post(ep::roll_back))
        .route("/v1/groups/{group}/raise", post(ep::raise_group))
        .route("/v1/epoch/raise", post(ep::raise_all))
        .route("/v1/freeze", post(ep::freeze_all))
        .route("/v1/thaw", post(ep::thaw_all))
        .route("/v1/stops", get(ep::list_stops))
        .route("/v1/groups/{group}/import", post(ep::import_zone))
        .route("/v1/groups/{group}/diff", get(ep::show_diff))
        .route("/v1/groups/{group}/pins", get(ep::list_pins).post(ep::pin_generation))
        .route("/v1/groups/{group}/pins/{pin}", delete(ep::unpin_generation))
        .route("/v1/zones", get(ep::list_zones))
        .route("/v1/zones/{zone}", get(ep::show_zone))
        .route("/v1/zones/{zone}/file", get(ep::export_zone))
        .route("/v1/zones/{zone}/rrsets", get(ep::list_record_sets))
        .route("/v1/zones/{zone}/history", get(ep::show_history))
        .route("/v1/explain", get(ep::explain))
        .route("/v1/events", get(ep::follow_events))
        .route("/v1/servers", get(ep::list_servers))
        .route("/v1/servers/{server}/forget", post(ep::forget_server))
        .route("/v1/rings", get(ep::list_rings))
        .route("/v1/rings/{ring}", get(ep::show_ring).put(ep::set_ring).delete(ep::end_ring))
        .route("/v1/enactors", get(ep::list_enactors))
        .route("/v1/audit", get(ep::list_acts))
        .route("/v1/tokens", get(ep::list_tokens).post(ep::give_token))
        .route("/v1/tokens/{name}", delete(ep::end_token))
        .route("/openapi.json", get(ep::show_openapi))
        .route("/problems/{name}", get(ep::show_problem))
        .route("/health/live", get(ep::show_live))
        .route("/health/ready", get(ep::show_ready))
        .route("/metrics", get(ep::show_metrics))
        .fallback(async || Problem::NotFound { what: "such path".to_owned() })
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        // Bodies have limits of their own, by what they are; see upload.rs.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), request::carry))
        .with_state(state)
}

#[cfg(test)]
mod tests;
