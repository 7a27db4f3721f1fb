//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    Audit, BreakGlass, CommandError, Connection, Diff, Epoch, Events, Explain, Export, Fail, Forget, Freeze, History,
    Import, Pin, Pins, Plan, Plans, Rings, Rollback, Status, Thaw, Token, Unpin,
};
use crate::terminal::warn;
use crate::up::{self, UpArguments};

/// Authoritative DNS whose automation cannot empty a name.
///
/// Every option can be given as the environment variable that is named beside it.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(UpArguments),
    Status(Asking<Status>),
    Plan(Asking<Plan>),
    Plans(Asking<Plans>),
    Import(Asking<Import>),
    Export(Asking<Export>),
    Diff(Asking<Diff>),
    History(Asking<History>),
    Explain(Asking<Explain>),
    Audit(Asking<Audit>),
    Events(Asking<Events>),
    Freeze(Asking<Freeze>),
    Thaw(Asking<Thaw>),
    Rollback(Asking<Rollback>),
    Fail(Asking<Fail>),
    Rings(Asking<Rings>),
    Forget(Asking<Forget>),
    Epoch(Asking<Epoch>),
    Pin(Asking<Pin>),
    Unpin(Asking<Unpin>),
    Pins(Asking<Pins>),
    Token(Asking<Token>),
    #[command(name = "breakglass")]
    BreakGlass(BreakGlass),
}

// A command, and the API that it speaks to. (Not in the form that `--help` would show.)
#[derive(Debug, clap::Args)]
struct Asking<C: clap::Args> {
    #[command(flatten)]
    command: C,
    #[command(flatten)]
    connection: Connection,
}

impl Arguments {
    /// Does what was asked. 0: done. 1: refused or failed, and said why. 2 (from reading the command line): not understood.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let said = |why: CommandError| why.to_string();
        let outcome = match self.command {
            Command::Up(arguments) => up::run(&arguments).map_err(|why| why.to_string()),
            Command::Status(it) => it.command.run(&it.connection).map_err(said),
            Command::Plan(it) => it.command.run(&it.connection).map_err(said),
            Command::Plans(it) => it.command.run(&it.connection).map_err(said),
            Command::Import(it) => it.command.run(&it.connection).map_err(said),
            Command::Export(it) => it.command.run(&it.connection).map_err(said),
            Command::Diff(it) => it.command.run(&it.connection).map_err(said),
            Command::History(it) => it.command.run(&it.connection).map_err(said),
            Command::Explain(it) => it.command.run(&it.connection).map_err(said),
            Command::Events(it) => it.command.run(&it.connection).map_err(said),
            Command::Audit(it) => it.command.run(&it.connection).map_err(said),
            Command::Freeze(it) => it.command.run(&it.connection).map_err(said),
            Command::Thaw(it) => it.command.run(&it.connection).map_err(said),
            Command::Rollback(it) => it.command.run(&it.connection).map_err(said),
            Command::Fail(it) => it.command.run(&it.connection).map_err(said),
            Command::Rings(it) => it.command.run(&it.connection).map_err(said),
            Command::Forget(it) => it.command.run(&it.connection).map_err(said),
            Command::Epoch(it) => it.command.run(&it.connection).map_err(said),
            Command::Pin(it) => it.command.run(&it.connection).map_err(said),
            Command::Unpin(it) => it.command.run(&it.connection).map_err(said),
            Command::Pins(it) => it.command.run(&it.connection).map_err(said),
            Command::Token(it) => it.command.run(&it.connection).map_err(said),
            Command::BreakGlass(it) => it.run().map_err(said),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                warn(why);
                ExitCode::FAILURE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
