//! A Postgres of one's own in a directory: found, made, started, tied to its parent, and stopped.
//!
//! `holdfast up`, the tests and the build automation share it. It speaks no SQL beyond what makes the cluster, depends on
//! next to nothing, and holds no query: so that the build automation can use it before anything else is compiled.
//!
//! The cluster listens on a Unix socket only. Its superuser `postgres` can log in without a password, but only as the
//! system user who owns its files (or root); everyone else needs a password.

mod child_process;
mod cluster;
mod error;
mod installation;
mod process_identity;
mod running;
mod settings;
mod socket_directory;
mod system_user;

pub use child_process::{Ties, tie_to_parent};
pub use cluster::{Cluster, Login, PORT};
pub use error::Error;
pub use installation::{Installation, MAJOR_MIN};
pub use process_identity::{Identity, is_alive, processes_in_directory, signal};
pub use running::RunningCluster;
pub use rustix::process::Signal;
pub use settings::Purpose;
pub use socket_directory::socket_directory;
pub use system_user::{SystemUser, who_runs_postgres};
