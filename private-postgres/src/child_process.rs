//! Ties a child process to its parent, so that it never outlives it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Signal};

/// What a child is to be given between being made and becoming its program.
#[derive(Debug)]
pub struct Ties {
    /// The signal that the system sends it when its parent dies, by whatever death (Linux; elsewhere the child stays, and
    /// the next start ends it). It is the *thread* that counts as parent: start children from one that stays.
    pub when_parent_dies: Signal,
    /// A directory that is kept open under the number it has here, for a child that may not reach it by its path.
    pub keep_open: Option<OwnedFd>,
}

/// Puts the child into a process group of its own, out of reach of the terminal's Ctrl-C, and ties it to this process.
#[allow(
    unsafe_code,
    reason = "what runs between fork and exec can only be given by an unsafe function; a helper program in between \
              would itself have to be supervised, and could not be executed by the user `postgres` from a private folder"
)]
pub fn tie_to_parent(command: &mut Command, ties: Ties) {
    let parent = rustix::process::getpid();
    command.process_group(0);
    // SAFETY: the closure makes a few plain system calls; it allocates nothing, takes no lock and touches no memory that
    // another thread may have held at the fork. It runs after the change of user, which would undo the tie.
    unsafe {
        command.pre_exec(move || {
            if let Some(directory) = &ties.keep_open {
                rustix::io::fcntl_setfd(directory, rustix::io::FdFlags::empty())?;
            }
            die_with(parent, ties.when_parent_dies)
        });
    }
}

#[cfg(target_os = "linux")]
fn die_with(parent: Pid, signal: Signal) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(signal))?;
    // The parent may have died before the tie was made; then nobody would tell us.
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_: Pid, _: Signal) -> io::Result<()> {
    Ok(())
}
