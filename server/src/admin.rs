//! `/health/*` and `/metrics`, for those who operate the server.

use crate::counters::{AllCounters, RCODE_NAMES};
use crate::disk::DiskStatus;
use crate::replica::ReplicaStatus;
use crate::snapshot::Directory;
use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::core::Collector;
use prometheus::{Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
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

/// Serves the admin address until told to stop.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: std::net::TcpListener, admin: Admin, stop: CancellationToken) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let routes = Router::new()
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin);
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Ready as soon as there is data, and from then on: without Postgres the server goes on.
async fn ready(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    if admin.directory.load().is_loaded() {
        (StatusCode::OK, "ready\n")
    } else if admin.status.since_last_poll().is_some() {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready: the ring has no group that could be installed yet\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready: the database has not been reached yet\n")
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    let text = gather(&admin).and_then(|registry| TextEncoder::new().encode_to_string(&registry.gather()));
    match text {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], "see the log\n".to_owned())
        }
    }
}

/// A registry made for one reading: the workers keep nothing but their counts, and need no lock to do so.
fn gather(admin: &Admin) -> prometheus::Result<Registry> {
    let registry = Registry::new_custom(Some("holdfast_server".to_owned()), None)?;
    let add = |collector: Box<dyn Collector>| registry.register(collector);

    let replies =
        IntCounterVec::new(Opts::new("replies_total", "Replies, by transport and code."), &["transport", "rcode"])?;
    let dropped = IntCounterVec::new(
        Opts::new(
            "dropped_total",
            "Requests answered by silence: those that may not be answered, and those that found the slow path full.",
        ),
        &["transport", "reason"],
    )?;
    let errors = IntCounterVec::new(
        Opts::new("socket_errors_total", "Errors on receiving, accepting or sending."),
        &["transport"],
    )?;
    let connections = IntCounterVec::new(
        Opts::new("tcp_connections_total", "TCP connections, by what became of them."),
        &["outcome"],
    )?;
    let open = IntGauge::new("tcp_connections", "TCP connections that are open.")?;
    for (transport, counters) in admin.counters.all() {
        for (rcode, count) in RCODE_NAMES.iter().zip(counters.replies()) {
            // All codes of RFC 1035 from the start, the rest once met.
            if count > 0 || !rcode.starts_with("RCODE") {
                replies.with_label_values(&[transport, *rcode]).inc_by(count);
            }
        }
        dropped.with_label_values(&[transport, "unanswerable"]).inc_by(counters.dropped.get());
        dropped.with_label_values(&[transport, "slow-path-full"]).inc_by(counters.dropped_slow.get());
        errors.with_label_values(&[transport]).inc_by(counters.socket_errors.get());
        if transport == "tcp" {
            connections.with_label_values(&["accepted"]).inc_by(counters.accepted.get());
            connections.with_label_values(&["rejected"]).inc_by(counters.rejected.get());
            open.add(i64::try_from(counters.open.get()).unwrap_or(i64::MAX));
        }
    }

    let installs =
        IntCounterVec::new(Opts::new("installs_total", "Heads looked at, by what became of them."), &["outcome"])?;
    installs.with_label_values(&["installed"]).inc_by(0);
    for (outcome, count) in admin.status.outcomes() {
        installs.with_label_values(&[outcome]).inc_by(count);
    }
    let refused = IntGaugeVec::new(
        Opts::new("group_refused", "Groups whose head is refused at present, and why."),
        &["group", "outcome"],
    )?;
    for one in admin.status.refusals() {
        refused.with_label_values(&[&*one.name, one.why.as_str()]).set(1);
    }

    let without_head = IntGauge::new("groups_without_head", "Groups that are served and have no head in the ring.")?;
    without_head.set(i64::try_from(admin.status.without_head().len()).unwrap_or(i64::MAX));

    let directory = admin.directory.load();
    let generation = IntGaugeVec::new(Opts::new("group_generation", "The generation that is served."), &["group"])?;
    for (_, group) in directory.groups() {
        generation.with_label_values(&[&*group.name]).set(group.version.generation.get());
    }
    let zones = IntGauge::new("zones", "Zones that are served.")?;
    zones.set(i64::try_from(directory.zone_count()).unwrap_or(i64::MAX));
    let ready = IntGauge::new("ready", "1 once there is data to answer from.")?;
    ready.set(i64::from(directory.is_loaded()));
    let heads = IntGauge::new("ring_heads", "Groups that have a head in the ring.")?;
    heads.set(i64::try_from(admin.status.heads()).unwrap_or(i64::MAX));
    let last_poll =
        Gauge::new("seconds_since_last_poll", "Since the history was last read; -1 before the first time.")?;
    last_poll.set(admin.status.since_last_poll().map_or(-1.0, |since| since.as_secs_f64()));

    if let Some(disk) = &admin.disk {
        let writes = IntCounterVec::new(
            Opts::new("disk_writes_total", "Groups written to the snapshot on disk, by what became of it."),
            &["outcome"],
        )?;
        writes.with_label_values(&["written"]).inc_by(disk.written());
        writes.with_label_values(&["failed"]).inc_by(disk.failed());
        let behind = IntGauge::new("disk_groups_behind", "Groups that are not on disk as they are served.")?;
        behind.set(i64::try_from(disk.behind(&directory)).unwrap_or(i64::MAX));
        add(Box::new(writes))?;
        add(Box::new(behind))?;
    }
    add(Box::new(replies))?;
    add(Box::new(dropped))?;
    add(Box::new(errors))?;
    add(Box::new(connections))?;
    add(Box::new(open))?;
    add(Box::new(installs))?;
    add(Box::new(refused))?;
    add(Box::new(without_head))?;
    add(Box::new(generation))?;
    add(Box::new(zones))?;
    add(Box::new(ready))?;
    add(Box::new(heads))?;
    add(Box::new(last_poll))?;
    Ok(registry)
}
