//! Which process is which program: `run/NAME.pid` for scripts, `run/NAME.started` as the proof that it still is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use private_postgres::{Identity, Signal, processes_in_directory};
use tokio::time::{Instant, sleep};

use super::{DataDirectory, UpError};
use crate::terminal::say;

/// How long remains are left alone: they were told to end when their `up` died.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long each stronger signal is given.
const FORCE_EACH: Duration = Duration::from_secs(5);

/// Writes down which process a program is.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(directory: &DataDirectory, program: &str, pid: u32) -> Result<(), UpError> {
    if let Some(identity) = Identity::of(pid) {
        directory.write_private(&format!("run/{program}.started"), identity.proof())?;
    }
    directory.write_private(&format!("run/{program}.pid"), &pid.to_string())
}

/// Forgets it.
pub(super) fn remove(directory: &DataDirectory, program: &str) {
    for kind in ["pid", "started"] {
        let _gone_already = fs::remove_file(directory.join(&format!("run/{program}.{kind}")));
    }
}

/// Waits until nothing runs any more that an earlier `up` on this directory started, and ends what does not end by itself.
///
/// # Errors
/// When something does not end whatever it is told.
pub(super) async fn end_remains(directory: &DataDirectory) -> Result<(), UpError> {
    let mut remains: Vec<(String, Identity)> = remembered(&directory.join("run"))?;
    for (program, identity) in &remains {
        if identity.is_alive() {
            say(format!("waiting for {program} (process {}) of an earlier run to end", identity.pid()));
        } else {
            remove(directory, program);
        }
    }
    remains.retain(|(_, identity)| identity.is_alive());
    // Postgres needs to be told to stop where the system has no way of telling it that its parent died.
    let urged = remains.iter().filter(|(program, _)| program == "postgres").map(|(_, identity)| identity.clone());
    let urges = [(Some(Signal::CONT), Duration::from_secs(1)), (Some(Signal::INT), PATIENCE)];
    end(&urged.collect::<Vec<_>>(), &urges).await;
    let all: Vec<Identity> = remains.iter().map(|(_, identity)| identity.clone()).collect();
    let forces = [(None, Duration::from_secs(1)), (Some(Signal::QUIT), FORCE_EACH), (Some(Signal::KILL), FORCE_EACH)];
    end(&all, &forces).await;
    end_processes_in(&directory.join("postgres")).await?;
    for (program, identity) in remains {
        if identity.is_alive() {
            return Err(UpError::Remains { pid: identity.pid(), program });
        }
        remove(directory, &program);
    }
    Ok(())
}

/// Waits until no process of Postgres works in a data directory, and ends those that stay.
///
/// # Errors
/// When one does not end.
pub(super) async fn end_processes_in(data: &Path) -> Result<(), UpError> {
    let working = processes_in_directory(data);
    let forces = [
        (None, FORCE_EACH),
        (Some(Signal::INT), FORCE_EACH),
        (Some(Signal::QUIT), FORCE_EACH),
        (Some(Signal::KILL), FORCE_EACH),
    ];
    end(&working, &forces).await;
    match processes_in_directory(data).first() {
        Some(one) => Err(UpError::Remains { pid: one.pid(), program: "postgres".to_owned() }),
        None => Ok(()),
    }
}

/// Sends each signal to those that are alive, and gives them its time to end.
async fn end(processes: &[Identity], signals: &[(Option<Signal>, Duration)]) {
    for (kind, patience) in signals {
        if let Some(kind) = kind {
            processes.iter().for_each(|process| process.signal(*kind));
            // One that was stopped could not act on it.
            processes.iter().for_each(|process| process.signal(Signal::CONT));
        }
        let deadline = Instant::now() + *patience;
        while processes.iter().any(Identity::is_alive) && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn remembered(run: &Path) -> Result<Vec<(String, Identity)>, UpError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(run).map_err(UpError::system(format!("read {}", run.display())))?.flatten() {
        let path: PathBuf = entry.path();
        let Some(program) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".pid").map(str::to_owned))
        else {
            continue;
        };
        let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        let proof = match fs::read_to_string(path.with_extension("started")) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(UpError::System { act: format!("read {}", path.display()), cause });
            }
            proof => proof.unwrap_or_default(),
        };
        if let Some(pid) = pid {
            found.push((program, Identity::remembered(pid, &proof)));
        }
    }
    Ok(found)
}
