//! What a server costs, and where it runs.

use std::fs;
use std::process::Command;

/// Nanoseconds of CPU that a process and its children have taken, by all of their threads.
pub(crate) fn nanoseconds_of(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .map(|task| {
            let task = task.unwrap().path();
            // A thread may end while it is looked at.
            let own = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let own: u64 = own.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
            let children = fs::read_to_string(task.join("children")).unwrap_or_default();
            own + children.split_whitespace().map(|child| nanoseconds_of(child.parse().unwrap())).sum::<u64>()
        })
        .sum()
}

/// Has a process, with all of its threads, stay on one core.
pub(crate) fn pin(pid: u32, core: usize) {
    let pinned = Command::new("taskset").args(["-apc", &core.to_string(), &pid.to_string()]).output().unwrap();
    assert!(pinned.status.success(), "{}", String::from_utf8_lossy(&pinned.stderr));
}

/// Has this process stay on one core.
pub(crate) fn stay_on(core: usize) {
    pin(std::process::id(), core);
}

/// A command that runs on one core.
pub(crate) fn on_core(core: usize, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), program]);
    command
}
