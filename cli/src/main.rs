//! The `holdfast` program.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    holdfast::arguments::Arguments::parse().run()
}
