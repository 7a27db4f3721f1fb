//! `cargo xtask up`: from a fresh machine with Rust to a running Holdfast.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::{Failure, cargo, tools};

/// Gets, builds, and becomes `holdfast up`.
pub(crate) fn run(options: &[String]) -> Result<(), Failure> {
    let options = options.strip_prefix(&["--".to_owned()]).unwrap_or(options);
    let theirs = env::var_os("DATABASE_URL").is_some() || options.iter().any(|one| one.starts_with("--database-url"));
    if !theirs {
        tools::need_postgres()?;
    }
    println!("building in release; the first time this takes some minutes");
    cargo::run(&mut cargo::cargo(&["build", "--release", "-p", "holdfast", "-p", "control-plane", "-p", "server"]))?;
    let holdfast = cargo::target_directory()?.join("release").join("holdfast");
    let why = Command::new(&holdfast).arg("up").args(options).exec();
    Err(format!("{} could not be started: {why}", holdfast.display()))
}
