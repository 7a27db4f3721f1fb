//! `holdfast up`: everything on one machine, kept alive until Ctrl-C.
//!
//! One thread does it all, and stays: the system ends the programs when the thread that started them ends, so nothing
//! outlives `up`, however it dies.

mod addresses;
mod arguments;
mod data_directory;
mod database;
mod database_url;
mod demo;
mod error;
mod pid_files;
mod programs;
mod ready;
mod supervisor;
mod what_next;

use std::rc::Rc;

use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{LocalSet, spawn_blocking};

pub use addresses::Addresses;
pub use arguments::UpArguments;
pub use data_directory::DataDirectory;
pub use error::UpError;
use programs::Binaries;
use supervisor::Supervised;

use crate::api_client::{ApiClient, ApiError};
use crate::terminal::{say, warn};

/// How long the demo zones may take to be served.
const DEMO_SERVED_WITHIN_SECONDS: u64 = 30;

/// Brings everything up, and keeps it up until told to stop.
///
/// # Errors
/// When something cannot be brought up; what was started is stopped again first.
pub fn run(arguments: &UpArguments) -> Result<(), UpError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(UpError::system("start the runtime"))?;
    let outcome = LocalSet::new().block_on(&runtime, up(arguments));
    // A request that nobody waits for any more must not hold us.
    runtime.shutdown_background();
    outcome
}

/// The programs that are kept alive, in the order of their start.
#[derive(Debug, Default)]
pub struct Fleet(Vec<(String, Supervised)>);

impl Fleet {
    fn add(&mut self, name: &str, program: Supervised) -> &Supervised {
        self.0.push((name.to_owned(), program));
        &self.0[self.0.len() - 1].1
    }

    /// In the opposite order of their start, each with its own time.
    async fn stop(&mut self) {
        for (name, program) in self.0.iter_mut().rev() {
            say(format!("stopping {name}"));
            program.stop().await;
        }
    }

    /// All at once.
    async fn force(&mut self) {
        for (_, program) in &self.0 {
            program.want_forced();
        }
        for (_, program) in &mut self.0 {
            program.ended().await;
        }
    }
}

async fn up(arguments: &UpArguments) -> Result<(), UpError> {
    let binaries = Binaries::find()?;
    let private = arguments.database_url.is_none();
    let passable = private && private_postgres::who_runs_postgres()?.is_some();
    let directory = Rc::new(DataDirectory::take(&arguments.data_dir, passable)?);
    let mut interruptions = Interruptions::listen()?;
    pid_files::end_remains(&directory).await?;
    arguments.addresses().try_all()?;

    let mut fleet = Fleet::default();
    let outcome = tokio::select! {
        came_up = bring_up(arguments, &binaries, &directory, &mut fleet) => came_up,
        () = interruptions.next() => Ok(None),
    };
    let outcome = match outcome {
        Ok(Some(what_next)) => {
            say(what_next);
            interruptions.next().await;
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(why) => Err(why),
    };
    let hurried = tokio::select! {
        () = fleet.stop() => false,
        () = interruptions.next() => true,
    };
    if hurried {
        say("stopping everything at once");
        fleet.force().await;
    }
    if outcome.is_ok() {
        say("stopped");
    }
    outcome
}

/// Until everything is served. What to type next.
async fn bring_up(
    arguments: &UpArguments,
    binaries: &Binaries,
    directory: &Rc<DataDirectory>,
    fleet: &mut Fleet,
) -> Result<Option<String>, UpError> {
    let owner_url = match &arguments.database_url {
        Some(yours) => yours.clone(),
        None => database::start_private(directory, fleet).await?,
    };
    let urls = database::prepare(directory, &owner_url).await?;
    // What was served from one database is another history than what is in the next.
    let snapshots = match &arguments.database_url {
        Some(yours) => format!("snapshot-of-{}", database_url::place_of(yours)?),
        None => "snapshot".to_owned(),
    };
    let snapshots = directory.join(&snapshots);

    let addresses = arguments.addresses();
    let (api_url, admin_url) = (addresses.api_url(), addresses.admin_url());
    say("starting the API, two enactors, the retirement, the DNS server and the auditor");
    for program in [
        binaries.api(urls.api, &addresses),
        binaries.enactor("enactor-1", urls.enactor.clone()),
        binaries.enactor("enactor-2", urls.enactor),
        binaries.retirement(urls.retirement),
        binaries.server(urls.server, &addresses, &snapshots),
        binaries.auditor(urls.auditor),
    ] {
        fleet.add(&program.name.clone(), Supervised::start(program, directory.clone()));
    }
    ready::healthy(directory, "api", &api_url, "/health/ready").await?;
    ready::healthy(directory, "server", &admin_url, "/health/live").await?;

    let plan = if arguments.no_demo {
        None
    } else {
        let api = ApiClient::new(&api_url, Some(directory.admin_token()?));
        match spawn_blocking(move || demo_zones(&api)).await {
            Ok(Ok(plan)) => Some(plan),
            Ok(Err(why)) => {
                // The rest works without them.
                warn(format!("The demo zones are missing: {why}"));
                None
            }
            Err(why) => return Err(UpError::system("load the demo zones")(why.into())),
        }
    };
    if plan.is_some() {
        ready::healthy(directory, "server", &admin_url, "/health/ready").await?;
    }
    Ok(Some(what_next::text(&addresses, directory, plan.as_ref())))
}

/// Loads them if they are not there yet. The plan that may be typed next.
fn demo_zones(api: &ApiClient) -> Result<Value, ApiError> {
    if !demo::exists(api)? {
        say("loading the demo zones, and waiting until they are served");
        let admitted = demo::load(api, DEMO_SERVED_WITHIN_SECONDS)?;
        if admitted["state"] != "served" {
            warn(format!("The demo zones are {} and not served yet.", admitted["state"].as_str().unwrap_or("unknown")));
        }
    }
    demo::next_plan(api)
}

/// Ctrl-C, or `kill`.
struct Interruptions {
    interrupt: Signal,
    terminate: Signal,
}

impl Interruptions {
    fn listen() -> Result<Self, UpError> {
        let to = |kind| signal(kind).map_err(UpError::system("listen to signals"));
        Ok(Self { interrupt: to(SignalKind::interrupt())?, terminate: to(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
