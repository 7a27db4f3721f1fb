//! What can go wrong, in sentences that say what to do.

use std::io;
use std::path::PathBuf;

/// Why there is no private Postgres.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing new enough is installed.
    #[error(
        "No Postgres of version {least} or newer was found (looked at `pg_config --bindir`, the usual folders and PATH). \
         Install one, for example with `apt-get install postgresql`, `dnf install postgresql-server` or `brew install postgresql@17`; \
         or set DATABASE_URL to use yours."
    )]
    NotInstalled {
        /// The oldest version that will do.
        least: u32,
    },
    /// The data was made by another major version.
    #[error(
        "{} was made by Postgres {made_by}, which is not installed here (found: {found}). Install Postgres {made_by}, or \
         choose another --data-dir.",
        data.display()
    )]
    OtherVersion {
        /// The cluster's directory.
        data: PathBuf,
        /// The major version in its PG_VERSION.
        made_by: u32,
        /// The major versions that are installed.
        found: String,
    },
    /// Started by root, and there is nobody to run Postgres as.
    #[error(
        "Postgres refuses to run as root, and the system user `postgres` does not exist. Create it (`useradd --system \
         postgres`), or start this as another user."
    )]
    NoSystemUser,
    /// The system user cannot reach the directory, and this system has no way around it.
    #[error(
        "The system user `postgres`, as whom Postgres runs when root starts it, may not pass through {}. Choose a data \
         directory that it can reach, for example --data-dir /var/lib/holdfast.",
        barrier.display()
    )]
    Unreachable {
        /// The first directory that may not be passed.
        barrier: PathBuf,
    },
    /// A program of Postgres said no.
    #[error("`{program}` failed ({status}):\n{said}")]
    ProgramFailed {
        /// Its name.
        program: &'static str,
        /// How it ended.
        status: String,
        /// What it printed.
        said: String,
    },
    /// Postgres started and did not become ready.
    #[error("Postgres did not become ready within {seconds} s; see {}", log.display())]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// Where it says why.
        log: PathBuf,
    },
    /// Somebody else's directory stands where the sockets should be.
    #[error("{} exists and does not belong to this user alone; remove it", directory.display())]
    SocketDirectoryTaken {
        /// The directory.
        directory: PathBuf,
    },
    /// The operating system said no.
    #[error("could not {act}: {cause}")]
    System {
        /// What was tried.
        act: String,
        /// Why not.
        #[source]
        cause: io::Error,
    },
}

impl Error {
    /// For `map_err`: says what was tried.
    pub(crate) fn system(act: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let act = act.into();
        move |cause| Self::System { act, cause }
    }
}
