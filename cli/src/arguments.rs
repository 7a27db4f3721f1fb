//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::terminal::warn;
use crate::up::{self, UpArguments};

/// Authoritative DNS whose automation cannot empty a name.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(UpArguments),
}

impl Arguments {
    /// Does what was asked. 0: done. 1: refused or failed, and said why. 2 (from reading the command line): not understood.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Up(arguments) => up::run(&arguments).map_err(|why| why.to_string()),
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
