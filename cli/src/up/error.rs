//! Why `up` could not come up, in sentences that say what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use control_plane::database::MigrateError;

use crate::api_client::ApiError;

/// Why `up` could not come up.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// Another `up` runs on the same directory.
    #[error(
        "Another `holdfast up` (process {holder}) runs on {}. Stop it first (`kill {holder}`), or give this one a \
         --data-dir of its own.",
        directory.display()
    )]
    DirectoryTaken {
        /// The directory, as typed.
        directory: PathBuf,
        /// The other's number.
        holder: String,
    },
    /// The directory holds something else.
    #[error("{} is not empty, and was not made by `holdfast up`. Choose another --data-dir.", directory.display())]
    DirectoryForeign {
        /// The directory, as typed.
        directory: PathBuf,
    },
    /// Somebody listens there already.
    #[error(
        "{protocol} {address} is in use by another program. Stop that one, or choose another address with {option} ADDR."
    )]
    AddressInUse {
        /// UDP or TCP.
        protocol: &'static str,
        /// Where.
        address: SocketAddr,
        /// What changes it.
        option: &'static str,
    },
    /// It cannot be listened on for another reason.
    #[error("cannot listen on {protocol} {address}: {cause}. Choose another address with {option} ADDR.")]
    AddressUnusable {
        /// UDP or TCP.
        protocol: &'static str,
        /// Where.
        address: SocketAddr,
        /// What changes it.
        option: &'static str,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Two things were given one address, or one was given none.
    #[error("{0}")]
    AddressesUnclear(String),
    /// A program of ours is missing.
    #[error(
        "The program `{program}` is neither in {} nor in PATH. Build it with `cargo build --release --workspace`, or start \
         everything with `cargo xtask up`.",
        beside.display()
    )]
    ProgramMissing {
        /// Its name.
        program: &'static str,
        /// Where it should be.
        beside: PathBuf,
    },
    /// The private Postgres.
    #[error(transparent)]
    Postgres(#[from] private_postgres::Error),
    /// The database.
    #[error("{0}")]
    Database(#[from] MigrateError),
    /// The database's address.
    #[error("DATABASE_URL is not an address of a Postgres database: {0}")]
    DatabaseUrl(String),
    /// The administrator's token.
    #[error("could not store the administrator's token: {0}")]
    Token(String),
    /// A program does not get ready.
    #[error("{program} did not become ready within {seconds} s: {wrong}. The last lines of {log}:\n{last_words}")]
    NotReady {
        /// Its name.
        program: String,
        /// How long was waited.
        seconds: u64,
        /// What was wrong in the end.
        wrong: String,
        /// Where it says why.
        log: String,
        /// The end of that.
        last_words: String,
    },
    /// The API refused something.
    #[error("{0}")]
    Api(#[from] ApiError),
    /// Processes of an earlier run do not end.
    #[error("process {pid} ({program}) of an earlier run does not end. End it (`kill -9 {pid}`), then try again.")]
    Remains {
        /// Its number.
        pid: u32,
        /// What it is.
        program: String,
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

impl UpError {
    /// For `map_err`: says what was tried.
    pub(super) fn system(act: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let act = act.into();
        move |cause| Self::System { act, cause }
    }
}
