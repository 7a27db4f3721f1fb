//! A cluster in a directory: how it is made, started and addressed.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::{Error, Installation, Purpose, SystemUser, Ties, system_user, tie_to_parent, who_runs_postgres};

/// The number in the socket's name. Nobody listens on a port.
pub const PORT: u16 = 5432;

/// The role that made the cluster and may do everything in it.
const SUPERUSER: &str = "postgres";

/// A role's name and password.
#[derive(Clone)]
pub struct Login {
    /// The role.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// A cluster in a directory, made or yet to be made.
#[derive(Clone, Debug)]
pub struct Cluster {
    data: PathBuf,
    sockets: PathBuf,
    installation: Installation,
    user: Option<SystemUser>,
    /// The user cannot reach the directory by its path, only through an open descriptor.
    walled_in: bool,
}

impl Cluster {
    /// The cluster whose files are in `data` and whose socket is in `sockets`; both inside an existing directory.
    ///
    /// # Errors
    /// When there is no fitting Postgres, or nobody who could run it there.
    pub fn at(data: &Path, sockets: &Path) -> Result<Self, Error> {
        let user = who_runs_postgres()?;
        let data = absolute(data)?;
        let barrier = user.as_ref().and_then(|user| user.barrier_above(&data));
        if let (Some(barrier), false) = (&barrier, cfg!(target_os = "linux")) {
            return Err(Error::Unreachable { barrier: barrier.clone() });
        }
        let installation = Installation::for_cluster(&data)?;
        Ok(Self { sockets: absolute(sockets)?, walled_in: barrier.is_some(), data, installation, user })
    }

    /// Its directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The programs that run it.
    #[must_use]
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// As whom it runs, if not as us.
    #[must_use]
    pub const fn user(&self) -> Option<&SystemUser> {
        self.user.as_ref()
    }

    /// Whether it has been made.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.data.join("PG_VERSION").is_file()
    }

    /// Makes it, with a role that may make roles but is no superuser, and a database of the same name that it owns. All
    /// or nothing: it is made beside its place and then moved there.
    ///
    /// # Errors
    /// When a program of Postgres fails, with what it said.
    pub fn create(&self, owner: &Login, purpose: Purpose) -> Result<(), Error> {
        let unfinished = self.data.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(Error::system(format!("remove {}", unfinished.display())))?;
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&unfinished)
            .map_err(Error::system(format!("make {}", unfinished.display())))?;
        if let Some(user) = &self.user {
            user.own(&unfinished)?;
        }
        let made = Self { data: unfinished, ..self.clone() };
        made.initialise(purpose)?;
        made.make_owner(owner)?;
        fs::rename(&made.data, &self.data).map_err(Error::system(format!("make {}", self.data.display())))
    }

    /// The server, ready to be spawned: tied to this process, its words on standard error. Spawn it from a thread that
    /// stays.
    ///
    /// # Errors
    /// When its directory cannot be opened.
    pub fn server(&self) -> Result<Command, Error> {
        let mut command = self.program("postgres", &[])?;
        let sockets = match (self.data.parent(), self.user.is_some()) {
            // Seen from its data directory, which needs no way from the root, and is short.
            (Some(home), true) => {
                self.sockets.strip_prefix(home).map_or(self.sockets.clone(), |s| Path::new("..").join(s))
            }
            _ => self.sockets.clone(),
        };
        let mut set = |name: &str, value: OsString| {
            let mut setting = OsString::from(format!("{name}="));
            setting.push(value);
            command.arg("-c").arg(setting);
        };
        set("listen_addresses", "".into());
        set("port", PORT.to_string().into());
        set("unix_socket_directories", quoted(&sockets));
        set("unix_socket_permissions", "0700".into());
        set("logging_collector", "off".into());
        set("log_destination", "stderr".into());
        command.stdin(Stdio::null());
        Ok(command)
    }

    /// Whether the server whose number this is accepts connections.
    #[must_use]
    pub fn is_ready(&self, pid: u32) -> bool {
        let status = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = status.lines().map(str::trim);
        lines.next() == Some(pid.to_string().as_str()) && lines.nth(6) == Some("ready")
    }

    /// How a role reaches a database, as `psql` and every library takes it.
    #[must_use]
    pub fn url(&self, login: &Login, database: &str) -> String {
        self.url_of(&format!("{}:{}", encoded(&login.name), encoded(&login.password)), database)
    }

    /// How the superuser reaches a database: as the system user that runs Postgres, or as root.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, database)
    }

    /// The folder of its socket.
    #[must_use]
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }

    fn url_of(&self, who: &str, database: &str) -> String {
        let sockets = encoded(&self.sockets.to_string_lossy());
        format!("postgresql://{who}@{sockets}:{PORT}/{}", encoded(database))
    }

    fn initialise(&self, purpose: Purpose) -> Result<(), Error> {
        let mut command = self.program("initdb", &[])?;
        command.args(["--username", SUPERUSER, "--encoding=UTF8", "--locale=C", "--data-checksums"]);
        command.args(["--auth-local=peer", "--auth-host=scram-sha-256", "--no-instructions"]);
        if purpose == Purpose::Throwaway {
            command.arg("--no-sync");
        }
        let output = command.stdin(Stdio::null()).output().map_err(Error::system("run initdb"))?;
        succeeded("initdb", output)?;
        let write = |name: &str, text: &str| {
            fs::write(self.data.join(name), text).map_err(Error::system(format!("write {name}")))
        };
        write("pg_hba.conf", "local all postgres peer map=holdfast\nlocal all all scram-sha-256\n")?;
        let runs_it = self.user.as_ref().map_or_else(system_user::our_name, |user| Ok(user.name.clone()))?;
        write("pg_ident.conf", &format!("holdfast root postgres\nholdfast \"{runs_it}\" postgres\n"))?;
        let mut settings = fs::OpenOptions::new()
            .append(true)
            .open(self.data.join("postgresql.conf"))
            .map_err(Error::system("open postgresql.conf"))?;
        settings.write_all(purpose.settings().as_bytes()).map_err(Error::system("write postgresql.conf"))
    }

    /// In Postgres's single-user mode: no server, no superuser's password.
    fn make_owner(&self, owner: &Login) -> Result<(), Error> {
        let (name, password) = (owner.name.replace('"', "\"\""), owner.password.replace('\'', "''"));
        let statements = format!(
            "CREATE ROLE \"{name}\" LOGIN CREATEROLE PASSWORD '{password}';\nCREATE DATABASE \"{name}\" OWNER \"{name}\";\n"
        );
        let mut command = self.program("postgres", &["--single"])?;
        command.args(["-c", "exit_on_error=on", "-c", "log_checkpoints=off", "postgres"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::system("run postgres --single"))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(statements.as_bytes()).map_err(Error::system("speak to postgres --single"))?;
        }
        succeeded("postgres --single", child.wait_with_output().map_err(Error::system("run postgres --single"))?)
    }

    /// One of Postgres's programs on this cluster, tied to this process, as the user who runs it.
    fn program(&self, name: &'static str, first: &[&str]) -> Result<Command, Error> {
        let mut command = Command::new(self.installation.program(name));
        // Not our working directory: its user may not be allowed in there.
        command.args(first).arg("-D").current_dir("/");
        let keep_open = if self.walled_in {
            let directory = File::open(&self.data).map_err(Error::system(format!("open {}", self.data.display())))?;
            command.arg(format!("/proc/self/fd/{}", directory.as_raw_fd()));
            Some(OwnedFd::from(directory))
        } else {
            command.arg(&self.data);
            None
        };
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        // Interrupted is how Postgres is told to stop fast and cleanly.
        tie_to_parent(&mut command, Ties { when_parent_dies: Signal::INT, keep_open });
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        Ok(command)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let failed = || Error::system(format!("find {}", path.display()));
    let path = std::path::absolute(path).map_err(failed())?;
    match (path.parent(), path.file_name()) {
        (Some(home), Some(name)) => Ok(fs::canonicalize(home).map_err(failed())?.join(name)),
        _ => Ok(path),
    }
}

fn succeeded(program: &'static str, output: Output) -> Result<(), Error> {
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Error::ProgramFailed {
        program,
        status: output.status.to_string(),
        said: String::from_utf8_lossy(&said).trim().to_owned(),
    })
}

/// One entry in a list of directories, as Postgres reads it.
fn quoted(path: &Path) -> OsString {
    format!("\"{}\"", path.to_string_lossy().replace('"', "\"\"")).into()
}

/// Percent-encoded for a place in a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _never = write!(url, "%{byte:02X}");
        }
        url
    })
}
