//! A private Postgres for one run, in the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use private_postgres::{Cluster, Login, Purpose, RunningCluster, is_alive, socket_directory, who_runs_postgres};

use crate::{Failure, cargo};

/// What its folders' names begin with.
const PREFIX: &str = "scratch-postgres-";

/// A Postgres that is stopped and forgotten with this value.
pub(crate) struct ScratchPostgres {
    running: Option<RunningCluster>,
    home: PathBuf,
    owner: Login,
}

impl ScratchPostgres {
    /// Makes and starts it.
    pub(crate) fn start() -> Result<Self, Failure> {
        let target = cargo::target_directory()?;
        fs::create_dir_all(&target).map_err(|why| format!("could not make {}: {why}", target.display()))?;
        remove_remains(&target);
        let home = target.join(format!("{PREFIX}{}", std::process::id()));
        let made = fs::create_dir(&home).and_then(|()| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&home, fs::Permissions::from_mode(0o711))
        });
        made.map_err(|why| format!("could not make {}: {why}", home.display()))?;
        let owner = Login { name: "holdfast".to_owned(), password: "scratch".to_owned() };
        let mut scratch = Self { running: None, home, owner };
        let start = || -> Result<RunningCluster, private_postgres::Error> {
            let sockets = socket_directory(&scratch.home.join("sockets"), who_runs_postgres()?.as_ref())?;
            let cluster = Cluster::at(&scratch.home.join("postgres"), &sockets)?;
            cluster.create(&scratch.owner, Purpose::Throwaway)?;
            RunningCluster::start(cluster, &scratch.home.join("log"))
        };
        scratch.running = Some(start().map_err(|why| why.to_string())?);
        Ok(scratch)
    }

    /// The superuser's address.
    pub(crate) fn superuser_url(&self) -> String {
        self.running.as_ref().map(|running| running.cluster().superuser_url("postgres")).unwrap_or_default()
    }

    /// The folder of its socket.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.running.as_ref().map(|running| running.cluster().sockets().to_owned()).unwrap_or_default()
    }

    /// The address of an owner without further rights, of a database without anything in it.
    pub(crate) fn owner_url(&self) -> String {
        self.running.as_ref().map(|running| running.cluster().url(&self.owner, &self.owner.name)).unwrap_or_default()
    }

    /// Applies every migration, as `holdfast up` does: each in a transaction, unless it says otherwise.
    pub(crate) fn migrate(&self) -> Result<(), Failure> {
        let folder = cargo::workspace().join("migrations");
        let entries = fs::read_dir(&folder).map_err(|why| format!("could not read {}: {why}", folder.display()))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.is_file() && path.extension().is_some_and(|kind| kind == "sql"));
        files.sort();
        let running = self.running.as_ref().ok_or("Postgres does not run")?;
        let psql = running.cluster().installation().program("psql");
        for file in files {
            let text = fs::read_to_string(&file).map_err(|why| format!("could not read {}: {why}", file.display()))?;
            let mut command = Command::new(if psql.is_file() { psql.as_path() } else { Path::new("psql") });
            command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]);
            if !text.starts_with("-- no-transaction") {
                command.arg("--single-transaction");
            }
            command.arg("--dbname").arg(self.owner_url()).arg("--file").arg(&file);
            command.env("PGOPTIONS", "-c client_min_messages=warning");
            cargo::run(&mut command).map_err(|_| format!("the migration {} fails", file.display()))?;
        }
        Ok(())
    }
}

impl Drop for ScratchPostgres {
    fn drop(&mut self) {
        drop(self.running.take());
        let _gone_already = fs::remove_dir_all(&self.home);
    }
}

/// Of runs that were killed.
fn remove_remains(target: &Path) {
    for entry in fs::read_dir(target).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !is_alive(pid)) {
            let _somebody_elses = fs::remove_dir_all(entry.path());
        }
    }
}
