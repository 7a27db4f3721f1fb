//! Which database, and who is at the terminal.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use control_plane::breakglass::BreakGlass;

use crate::commands::CommandError;

// (Not in the form that `--help` would show.)
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Database {
    /// The database, as its owner. Without it: the one that `holdfast up` left in the data directory.
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The data directory of `holdfast up`, which has a file `database-url`.
    #[arg(long, global = true, value_name = "DIR", env = "HOLDFAST_DATA_DIR", default_value = "./.holdfast")]
    data_dir: PathBuf,
    /// Who you are, for the audit log [default: your login name].
    #[arg(long, global = true, value_name = "NAME", env = "HOLDFAST_BY")]
    by: Option<String>,
    /// A file that each move is told to, as the programs do that have the same file; for tests and investigations.
    #[arg(long, global = true, value_name = "FILE", env = "HOLDFAST_TRACE_MOVES")]
    trace_moves: Option<OsString>,
}

impl Database {
    /// Opens it.
    ///
    /// # Errors
    /// When its address is not known, or it does not answer.
    pub(super) async fn open(&self) -> Result<BreakGlass, CommandError> {
        move_trace::begin(self.trace_moves.as_deref());
        let url = match &self.database_url {
            Some(url) => url.clone(),
            None => {
                let file = self.data_dir.join("database-url");
                let act = format!("read the database's address in {} (else give --database-url)", file.display());
                fs::read_to_string(&file).map_err(CommandError::system(act))?.trim().to_owned()
            }
        };
        Ok(BreakGlass::open(&url, self.person().as_deref()).await?)
    }

    /// Who types: behind `sudo`, who called it.
    fn person(&self) -> Option<String> {
        let login = || ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|variable| env::var(variable).ok());
        self.by.clone().or_else(login).filter(|name| !name.trim().is_empty())
    }
}
