//! Telling processes apart: a number alone may have passed to somebody else.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A process, and the proof that its number still means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pid: u32,
    proof: String,
}

impl Identity {
    /// Of a process that runs now.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, proof: proof_of(pid)? })
    }

    /// As written down earlier.
    #[must_use]
    pub fn remembered(pid: u32, proof: &str) -> Self {
        Self { pid, proof: proof.trim().to_owned() }
    }

    /// Its number.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// What to write down beside the number: which boot, and when in it the process began.
    #[must_use]
    pub fn proof(&self) -> &str {
        &self.proof
    }

    /// Whether it runs still: the same process, not another under its number, and not a dead one that waits to be reaped.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        proof_of(self.pid).is_some_and(|proof| proof == self.proof)
    }

    /// Sends a signal, if it is still the same process.
    pub fn signal(&self, kind: Signal) {
        if self.is_alive() {
            signal(self.pid, kind);
        }
    }
}

/// Sends a signal to a process that the caller knows to be its own. One that is gone already needs none.
pub fn signal(pid: u32, kind: Signal) {
    if let Some(pid) = as_pid(pid) {
        // The only failures are "no such process", which is fine, and "not permitted", which the caller sees by waiting.
        let _gone_or_foreign = kill_process(pid, kind);
    }
}

/// Whether a process of this number exists.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    as_pid(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// The processes of Postgres that work in this data directory: every one of a cluster's stands there.
/// Empty where the system has no `/proc`.
#[must_use]
pub fn processes_in_directory(directory: &Path) -> Vec<Identity> {
    let Ok(directory) = fs::canonicalize(directory) else { return Vec::new() };
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    numbers
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == directory))
        .filter(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres"))
        .filter_map(Identity::of)
        .collect()
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

#[cfg(target_os = "linux")]
fn proof_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; behind it, the state is the first field and the start the twentieth.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    (state != "Z" && state != "X").then(|| format!("{} {started}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn proof_of(pid: u32) -> Option<String> {
    let answer =
        std::process::Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let said = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let (state, started) = said.split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn a_process_is_itself_and_no_other_under_its_number() {
        let us = Identity::of(std::process::id()).expect("we run");
        assert!(us.is_alive());
        assert!(Identity::remembered(us.pid(), &format!("{}\n", us.proof())).is_alive());
        assert!(!Identity::remembered(us.pid(), "another boot 1").is_alive());
    }

    #[test]
    fn a_dead_process_is_not_alive_even_before_it_is_reaped() {
        let mut child = std::process::Command::new("true").spawn().expect("true runs");
        let identity = Identity::of(child.id());
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!identity.is_some_and(|identity| identity.is_alive()));
        child.wait().expect("it ended");
    }
}
