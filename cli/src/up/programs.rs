//! What `up` keeps alive, and how each is started.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use private_postgres::{Cluster, Signal, Ties, tie_to_parent};

use super::{Addresses, UpError};

/// How a program is started and stopped.
pub(super) struct Program {
    /// Its name in messages, `run/` and `log/`.
    pub name: String,
    /// Makes the command, anew for each start.
    pub command: Box<dyn Fn() -> Result<Command, UpError> + Send>,
    /// Asks it to stop.
    pub stop: Signal,
    /// Makes it stop.
    pub force: Signal,
    /// How long it may take over stopping.
    pub stops_within: Duration,
    /// A data directory in which nobody else may be at work when it starts.
    pub alone_in: Option<PathBuf>,
}

/// The programs of ours on this machine.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    control_plane: PathBuf,
    server: PathBuf,
}

impl Binaries {
    /// Beside this program, else in PATH.
    ///
    /// # Errors
    /// Names the first that is missing.
    pub(super) fn find() -> Result<Self, UpError> {
        Ok(Self { control_plane: find("holdfast-control-plane")?, server: find("holdfast-server")? })
    }

    /// The REST API.
    #[must_use]
    pub(super) fn api(&self, database_url: String, addresses: &Addresses) -> Program {
        let listen = addresses.api.to_string();
        let variables = [("HOLDFAST_DATABASE_URL", database_url), ("HOLDFAST_LISTEN", listen)];
        ours("api", self.control_plane.clone(), Some("api"), variables.into())
    }

    /// An enactor.
    #[must_use]
    pub(super) fn enactor(&self, name: &str, database_url: String) -> Program {
        let variables = [("HOLDFAST_DATABASE_URL", database_url), ("HOLDFAST_NAME", name.to_owned())];
        ours(name, self.control_plane.clone(), Some("enactor"), variables.into())
    }

    /// The retirement.
    #[must_use]
    pub(super) fn retirement(&self, database_url: String) -> Program {
        ours(
            "retirement",
            self.control_plane.clone(),
            Some("retirement"),
            [("HOLDFAST_DATABASE_URL", database_url)].into(),
        )
    }

    /// The auditor.
    #[must_use]
    pub(super) fn auditor(&self, database_url: String) -> Program {
        let variables = [("HOLDFAST_DATABASE_URL", database_url), ("HOLDFAST_NAME", "auditor".to_owned())];
        ours("auditor", self.control_plane.clone(), Some("auditor"), variables.into())
    }

    /// The DNS server, which keeps what it serves in a folder.
    #[must_use]
    pub(super) fn server(&self, database_url: String, addresses: &Addresses, snapshots: &Path) -> Program {
        let dns = addresses.dns.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",");
        let variables = [
            ("HOLDFAST_DATABASE_URL", database_url),
            ("HOLDFAST_DNS", dns),
            ("HOLDFAST_ADMIN", addresses.admin.to_string()),
            ("HOLDFAST_NAME", "server".to_owned()),
            ("HOLDFAST_RING", "fleet".to_owned()),
            ("HOLDFAST_SNAPSHOT_DIR", snapshots.display().to_string()),
        ];
        ours("server", self.server.clone(), None, variables.into())
    }
}

/// The private Postgres.
#[must_use]
pub(super) fn postgres(cluster: &Cluster) -> Program {
    let alone_in = Some(cluster.data().to_owned());
    let cluster = cluster.clone();
    Program {
        name: "postgres".to_owned(),
        command: Box::new(move || Ok(cluster.server()?)),
        // Fast shutdown, and immediate shutdown; both leave nothing behind.
        stop: Signal::INT,
        force: Signal::QUIT,
        stops_within: Duration::from_secs(30),
        alone_in,
    }
}

fn ours(name: &str, path: PathBuf, argument: Option<&'static str>, variables: Vec<(&'static str, String)>) -> Program {
    let command = move || {
        let mut command = Command::new(&path);
        command.args(argument).stdin(Stdio::null());
        // The owner's address and people's tokens are not for the programs.
        for secret in ["DATABASE_URL", "PGPASSWORD", "HOLDFAST_TOKEN"] {
            command.env_remove(secret);
        }
        command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
        // They survive being killed at any instruction; that is what they are built for. So nothing gentler is needed.
        tie_to_parent(&mut command, Ties { when_parent_dies: Signal::KILL, keep_open: None });
        Ok(command)
    };
    Program {
        name: name.to_owned(),
        command: Box::new(command),
        stop: Signal::TERM,
        force: Signal::KILL,
        stops_within: Duration::from_secs(5),
        alone_in: None,
    }
}

fn find(program: &'static str) -> Result<PathBuf, UpError> {
    let own = env::current_exe().map_err(UpError::system("find this program's own folder"))?;
    let beside = own.parent().unwrap_or(&own).to_owned();
    let folders = std::iter::once(beside.clone())
        .chain(env::var_os("PATH").iter().flat_map(env::split_paths).collect::<Vec<_>>());
    folders
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or(UpError::ProgramMissing { program, beside })
}
