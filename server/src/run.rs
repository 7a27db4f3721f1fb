//! Puts the parts together, and takes them apart again in order.

use crate::admin::Admin;
use crate::counters::AllCounters;
use crate::replica::{Identity, Replica};
use crate::settings::Settings;
use crate::sockets::{ListenError, open_admin, open_dns};
use crate::tcp::Connections;
use crate::{admin, tcp, udp};
use arc_swap::ArcSwap;
use sqlx::postgres::PgConnectOptions;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long the parts may take to end, once told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the server does not run, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address is taken, or not ours.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The URL is none.
    #[error("the database's address (--database-url, HOLDFAST_DATABASE_URL) cannot be read: {0}")]
    DatabaseUrl(sqlx::Error),
    /// A part failed that should run for ever.
    #[error("{part} failed: {why}")]
    Part {
        /// Which part.
        part: &'static str,
        /// Why.
        why: String,
    },
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves until Ctrl-C or SIGTERM, or until a part fails: a server with a dead part should not look alive, and whoever
/// supervises it starts it again.
///
/// # Errors
/// What failed.
pub async fn run(settings: &Settings) -> Result<(), RunError> {
    let database = PgConnectOptions::from_str(&settings.database_url).map_err(RunError::DatabaseUrl)?;
    let database = database.application_name("holdfast-server");
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);

    // All sockets before anything starts, so that a port in use is an error and not half a server.
    let admin_listener = open_admin(settings.admin)?;
    let workers = settings.udp_sockets();
    let dns = settings.dns.iter().map(|address| open_dns(*address, workers)).collect::<Result<Vec<_>, _>>()?;

    let directory = Arc::new(ArcSwap::<crate::snapshot::Directory>::default());
    let counters = Arc::new(AllCounters::default());
    let connections = Arc::new(Connections::new(settings.tcp_limits()));
    let identity = Identity {
        server: settings.server_name(),
        instance: Uuid::new_v4(),
        ring: settings.ring.clone(),
        answers_at: settings.answers_at(dns.first().map(|sockets| sockets.address)),
    };
    let poll_interval = Duration::from_millis(settings.poll_interval_ms);
    let replica = Replica::new(identity, database, poll_interval, directory.clone());

    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    let admin = Admin { directory: directory.clone(), status: replica.status.clone(), counters: counters.clone() };
    let admin_address = admin_listener.local_addr()?;
    let serving = admin::serve(admin_listener, admin, stop.clone());
    parts.spawn(async move { ("the admin address", serving.await) });
    for sockets in dns {
        let address = sockets.address;
        for socket in sockets.udp {
            let serving = udp::serve(socket, directory.clone(), counters.of_worker("udp"), stop.clone());
            parts.spawn(async move { ("a UDP worker", serving.await) });
        }
        let (connections, counters) = (connections.clone(), counters.of_worker("tcp"));
        let serving = tcp::serve(sockets.tcp, directory.clone(), connections, counters, stop.clone());
        parts.spawn(async move { ("a TCP listener", serving.await) });
        if address.ip().is_unspecified() {
            tracing::warn!(%address, "replies may come from another address than was asked; name each address with --dns");
        }
        tracing::info!(%address, "answering DNS over UDP and TCP");
    }
    tracing::info!(
        address = %admin_address, server = replica.identity.server, ring = replica.identity.ring, "health and metrics"
    );
    let stop_replica = stop.clone();
    parts.spawn(async move {
        replica.run(&stop_replica).await;
        ("the replica", Ok(()))
    });

    let failed = tokio::select! {
        _ = signals.0.recv() => None,
        _ = signals.1.recv() => None,
        Some(ended) = parts.join_next() => Some(ended),
    };
    stop.cancel();
    let all_ended = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_TIMEOUT, all_ended).await.is_err() {
        tracing::warn!("some parts did not end in time");
    }
    let why = match failed {
        None => return Ok(()),
        Some(Err(error)) => return Err(RunError::Part { part: "a worker", why: error.to_string() }),
        Some(Ok((part, Ok(())))) => (part, "it ended by itself".to_owned()),
        Some(Ok((part, Err(error)))) => (part, error.to_string()),
    };
    Err(RunError::Part { part: why.0, why: why.1 })
}
