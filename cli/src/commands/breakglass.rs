//! `holdfast breakglass`: straight on the database, with API, planner and enactors dead.

mod acts;
mod database;
mod rollback;
mod show;

use std::time::Duration;

use clap::Subcommand;

use super::CommandError;
use crate::terminal::say;
use acts::{Enact, Freeze, Thaw};
use database::Database;
use rollback::Rollback;
use show::Show;

/// In an emergency: shows, freezes, thaws, enacts and rolls back straight on the database, without API, planner or enactors.
///
/// It uses the same statements as they do, so the database refuses here what it refuses there. Every act asks for a reason, and
/// is kept in the audit log with your name. DNS servers follow as always, as long as they reach the database.
#[derive(Clone, Debug, clap::Args)]
pub struct BreakGlass {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    database: Database,
}

#[derive(Clone, Debug, Subcommand)]
enum Act {
    Show(Show),
    Freeze(Freeze),
    Thaw(Thaw),
    Enact(Enact),
    Rollback(Rollback),
}

impl BreakGlass {
    /// Does it.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub fn run(&self) -> Result<(), CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CommandError::system("start the runtime"))?;
        let done = runtime.block_on(async {
            let database = self.database.open().await?;
            match &self.act {
                Act::Show(it) => it.run(&database).await,
                Act::Freeze(it) => it.run(&database).await,
                Act::Thaw(it) => it.run(&database).await,
                Act::Enact(it) => it.run(&database).await,
                Act::Rollback(it) => it.run(&database).await,
            }
        });
        runtime.shutdown_timeout(Duration::from_millis(100));
        done?.iter().for_each(say);
        Ok(())
    }
}
