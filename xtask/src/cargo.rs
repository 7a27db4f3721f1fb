//! Calls cargo on this workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_owned)
}

/// Cargo, in the workspace's folder. Queries are checked against `.sqlx`, whatever database the environment names.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace()).env("SQLX_OFFLINE", "true").env_remove("SQLX_OFFLINE_DIR");
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(why) => Err(format!("`{shown}` could not be started: {why}")),
    }
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf, Failure> {
    let answer = cargo(&["metadata", "--no-deps", "--offline", "--format-version=1"])
        .output()
        .map_err(|why| format!("`cargo metadata` could not be started: {why}"))?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let found = text.split_once("\"target_directory\":\"").and_then(|(_, rest)| rest.split_once('"'));
    found.map(|(path, _)| PathBuf::from(path.replace("\\\\", "\\"))).ok_or_else(|| {
        format!("`cargo metadata` does not say where it builds:\n{}", String::from_utf8_lossy(&answer.stderr))
    })
}
