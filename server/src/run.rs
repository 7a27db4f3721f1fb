//! Puts the parts together, and takes them apart again in order.

use crate::admin::Admin;
use crate::cookie_secrets::{self, SecretsError};
use crate::counters::{AllCounters, Of};
use crate::disk::{Disk, DiskStatus, Found, Writer};
use crate::rate_limit::RateLimiter;
use crate::replica::{Identity, Replica};
use crate::settings::Settings;
use crate::snapshot::{Directory, GroupNumber};
use crate::sockets::{ListenError, open_admin, open_dns};
use crate::tcp::Connections;
use crate::{admin, disk, tcp, udp};
use arc_swap::ArcSwap;
use sqlx::postgres::PgConnectOptions;
use std::collections::HashMap;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zone_model::Version;

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
    /// Snapshots cannot be kept there.
    #[error("cannot keep snapshots in {folder} (--snapshot-dir, HOLDFAST_SNAPSHOT_DIR): {why}")]
    SnapshotDir {
        /// The folder.
        folder: String,
        /// Why not.
        why: io::Error,
    },
    /// There can be no cookies.
    #[error(transparent)]
    CookieSecrets(#[from] SecretsError),
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
    // The replica asks the same few questions for ever: to plan them anew each time would cost more than to answer them.
    let database = database.application_name("holdfast-server").options([("plan_cache_mode", "force_generic_plan")]);
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let options = Arc::new(ArcSwap::from_pointee(settings.answer_options()?));

    // All sockets before anything starts, so that a port in use is an error and not half a server.
    let admin_listener = open_admin(settings.admin)?;
    let workers = settings.udp_sockets();
    let dns = settings.dns.iter().map(|address| open_dns(*address, workers)).collect::<Result<Vec<_>, _>>()?;

    let directory = Arc::new(ArcSwap::<Directory>::default());
    let counters = Arc::new(AllCounters::default());
    let connections = Arc::new(Connections::new(settings.tcp_limits()));
    let identity = Identity {
        server: settings.server_name(),
        instance: Uuid::new_v4(),
        ring: settings.ring.clone(),
        answers_at: settings.answers_at(dns.first().map(|sockets| sockets.address)),
    };
    let poll_interval = Duration::from_millis(settings.poll_interval_ms);
    let disk = settings.snapshot_dir.as_deref().map(|folder| {
        let unusable = |why| RunError::SnapshotDir { folder: folder.display().to_string(), why };
        Disk::open(folder, &settings.ring).map_err(unusable)
    });
    let (disk, disk_status) = (disk.transpose()?, Arc::<DiskStatus>::default());
    if disk.is_none() {
        tracing::info!("without --snapshot-dir: a start needs the database");
    }
    let replica = Replica::new(identity, database, poll_interval, directory.clone());

    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    let admin = Admin {
        directory: directory.clone(),
        status: replica.status.clone(),
        counters: counters.clone(),
        disk: disk.is_some().then(|| disk_status.clone()),
    };
    let admin_address = admin_listener.local_addr()?;
    let serving = admin::serve(admin_listener, admin, stop.clone());
    parts.spawn(async move { ("the admin address", serving.await) });
    // Before anything is answered: nobody is told that there is no data by a server that has it on its disk. What is asked meanwhile
    // waits in the sockets.
    let written = tokio::select! {
        begun = begin(&replica, disk.as_ref()) => begun?,
        _ = signals.0.recv() => return Ok(()),
        _ = signals.1.recv() => return Ok(()),
    };
    let (access, limiter) = (Arc::new(settings.access()), RateLimiter::new(settings.rate_limit()).map(Arc::new));
    let slow_path = udp::SlowPath {
        directory: directory.clone(),
        options: options.clone(),
        access: access.clone(),
        limiter: limiter.clone(),
        counters: [Of::UDP_V4, Of::UDP_V6].map(|of| counters.of_worker(of)),
    };
    let (slow, slow_ended) = udp::Slow::start(slow_path)?;
    parts.spawn(async move { ("the slow path of UDP", slow_ended.await.map_err(|_| io::Error::other("it panicked"))) });
    // With more workers than cores none has a core to itself.
    let cores = if settings.udp_pinned { udp::cores() } else { Vec::new() };
    for sockets in dns {
        let address = sockets.address;
        for (number, socket) in sockets.udp.into_iter().enumerate() {
            let core = cores.get(number).copied().filter(|_| workers <= cores.len());
            let (directory, options) = (directory.clone(), options.clone());
            let (counters, slow) = (counters.of_worker(Of::new("udp", address)), slow.clone());
            let limiter = limiter.clone();
            let worker = udp::Worker { socket, directory, options, counters, limiter, slow, core };
            let serving = udp::serve(worker, stop.clone());
            parts.spawn(async move { ("a UDP worker", serving.await) });
        }
        let (admitting, counters) = ((connections.clone(), access.clone()), counters.of_many(Of::new("tcp", address)));
        let answers = (directory.clone(), options.clone());
        let serving = tcp::serve(sockets.tcp, answers, admitting, counters, stop.clone());
        parts.spawn(async move { ("a TCP listener", serving.await) });
        tracing::info!(%address, "answering DNS over UDP and TCP");
    }
    // Only the workers hold it now, so it ends with them.
    drop(slow);
    if let Some(file) = settings.options.secret_file() {
        let reading = cookie_secrets::read_again(signal(SignalKind::hangup())?, file, options, stop.clone());
        parts.spawn(async move {
            reading.await;
            ("what reads cookie secrets again", Ok(()))
        });
    }
    tracing::info!(
        address = %admin_address, server = replica.identity.server, ring = replica.identity.ring, "health and metrics"
    );
    let (stop_replica, of_writer) = (stop.clone(), (directory.clone(), disk_status));
    parts.spawn(async move {
        let followed = follow(&replica, disk.map(|disk| (disk, written)), of_writer, &stop_replica).await;
        ("the replica", followed)
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

/// What is on disk of each group, and the greatest sequence there.
type Written = (HashMap<GroupNumber, Version>, u64);

/// Begins with what is on disk, if anything is.
async fn begin(replica: &Replica, disk: Option<&Disk>) -> io::Result<Written> {
    let Some(disk) = disk.cloned() else { return Ok(Written::default()) };
    let found = tokio::task::spawn_blocking(move || load(&disk)).await.map_err(io::Error::other)?;
    replica.begin_with(found.directory).await;
    Ok((found.versions, found.sequence))
}

/// Follows the history, and keeps on disk what is served.
async fn follow(
    replica: &Replica,
    disk: Option<(Disk, Written)>,
    (directory, status): (Arc<ArcSwap<Directory>>, Arc<DiskStatus>),
    stop: &CancellationToken,
) -> io::Result<()> {
    let Some((disk, written)) = disk else {
        replica.run(stop).await;
        return Ok(());
    };
    let writer = Writer::new(disk, directory, status, written);
    let ((), ended) = tokio::join!(replica.run(stop), disk::serve(writer, stop.clone()));
    ended
}

/// Reads what is on disk, and says what is wrong with what is wrong.
fn load(disk: &Disk) -> Found {
    let began = Instant::now();
    let folder = disk.folder().display();
    let found = disk.load().unwrap_or_else(|error| {
        tracing::error!(%error, %folder, "what is on disk cannot be read; the database is asked for everything");
        Found::default()
    });
    for (file, why) in &found.refused {
        let file = file.display();
        tracing::error!(%file, %why, "a snapshot on disk is not used; the database is asked for its group");
    }
    let (groups, zones) = (found.versions.len(), found.directory.zone_count());
    tracing::info!(groups, zones, elapsed_ms = began.elapsed().as_millis() as u64, %folder, "read what is on disk");
    found
}
