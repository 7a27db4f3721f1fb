//! `holdfast-control-plane`: the programs of the control plane, one process each.

use clap::Parser as _;
use control_plane::admission::Admissions;
use control_plane::auditor::Auditor;
use control_plane::database;
use control_plane::enactor::Enactor;
use control_plane::http::{self, ApiState};
use control_plane::notices::{ADMITTED, MOVED, Notices};
use control_plane::retirement::Retiring;
use control_plane::settings::{ApiSettings, AuditorSettings, EnactorSettings, Program, RetirementSettings, Settings};
use control_plane::store::HistoryStore;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// One for the lane of small plans, the others for large ones.
const ADMISSION_CONNECTIONS_MAX: u32 = 6;

/// What a program that could not run says.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    let filter = EnvFilter::try_from_env("HOLDFAST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    move_trace::begin(settings.trace_moves.as_deref());
    let outcome = match settings.program {
        Program::Api(settings) => api(settings).await,
        Program::Enactor(settings) => enactor(settings).await,
        Program::Retirement(settings) => retirement(settings).await,
        Program::Auditor(settings) => auditor(settings).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("holdfast-control-plane: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn api(settings: ApiSettings) -> Result<(), Failure> {
    let shutdown = cancelled_by_signals()?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; choose another address with --listen", settings.listen)
    })?;
    let pool = database::pool(&settings.database.url, "holdfast api", settings.database_connections_max)?;
    let own = database::pool(&settings.database.url, "holdfast api notices", 2)?;
    let store = HistoryStore::new(pool);
    let doors = database::steady_pool(&settings.database.url, "holdfast admission", ADMISSION_CONNECTIONS_MAX)?;
    let admissions = Admissions::new(HistoryStore::new(doors), Notices::start(own.clone(), ADMITTED, shutdown.clone()));
    let state = ApiState::new(store, admissions, own, shutdown.clone())?;
    tracing::info!(listen = %settings.listen, "the API is listening");
    http::serve(listener, state, shutdown).await?;
    Ok(())
}

async fn enactor(settings: EnactorSettings) -> Result<(), Failure> {
    let shutdown = cancelled_by_signals()?;
    let pool = database::steady_pool(&settings.database.url, "holdfast enactor", 2)?;
    let own = database::pool(&settings.database.url, "holdfast enactor notices", 1)?;
    let moved = Notices::start(own, MOVED, shutdown.clone());
    tracing::info!(name = %settings.name, "enacting");
    let tick = settings.tick();
    Enactor::new(pool, settings.name, tick, moved).run(shutdown).await;
    Ok(())
}

async fn retirement(settings: RetirementSettings) -> Result<(), Failure> {
    let shutdown = cancelled_by_signals()?;
    let pool = database::steady_pool(&settings.database.url, "holdfast retirement", 1)?;
    let mut retiring = Retiring::new(pool, settings.gently(), shutdown);
    if settings.once {
        let retired = retiring.round().await?;
        let (floors, rows, generations, plans) = (retired.floors, retired.rows, retired.generations, retired.given_up);
        tracing::info!(floors, rows, generations, plans, "retired all that was to be retired");
        return Ok(());
    }
    tracing::info!(keep = settings.keep, "retiring");
    retiring.run().await;
    Ok(())
}

async fn auditor(settings: AuditorSettings) -> Result<(), Failure> {
    let shutdown = cancelled_by_signals()?;
    let listener =
        match settings.listen {
            Some(listen) => Some(TcpListener::bind(listen).await.map_err(|error| {
                format!("cannot listen on {listen}: {error}; choose another address with --listen")
            })?),
            None => None,
        };
    let pool = database::pool(&settings.database.url, "holdfast auditor", 2)?;
    tracing::info!(name = %settings.name, "auditing");
    let every = settings.every();
    Auditor::new(pool, settings.name, every)?.run(listener, shutdown).await;
    Ok(())
}

/// Ctrl-C or SIGTERM ends the program in order.
fn cancelled_by_signals() -> Result<CancellationToken, Failure> {
    let shutdown = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        token.cancel();
    });
    Ok(shutdown)
}
