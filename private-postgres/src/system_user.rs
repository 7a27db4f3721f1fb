//! As whom Postgres runs: it refuses to be root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The system user as whom Postgres runs when root starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemUser {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
}

/// None: as whoever we are. Some: we are root, so as this one.
///
/// # Errors
/// When we are root and there is no system user `postgres`.
pub fn who_runs_postgres() -> Result<Option<SystemUser>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let name = "postgres".to_owned();
    match (number_of(&name, "-u"), number_of(&name, "-g")) {
        (Some(uid), Some(gid)) if uid != 0 => Ok(Some(SystemUser { name, uid, gid })),
        _ => Err(Error::NoSystemUser),
    }
}

/// The name of the user we are.
pub(crate) fn our_name() -> Result<String, Error> {
    let answer = Command::new("id").arg("-un").output().map_err(Error::system("run `id -un`"))?;
    Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

impl SystemUser {
    /// Gives a file or directory to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid)).map_err(Error::system(format!(
            "give {} to the system user `{}`",
            path.display(),
            self.name
        )))
    }

    /// The outermost directory above `path` that this user may not pass through. Access lists are not read: where they
    /// allow what the mode forbids, the way around is taken needlessly, which does no harm.
    pub(crate) fn barrier_above(&self, path: &Path) -> Option<PathBuf> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        above.into_iter().find(|directory| !self.may_pass(directory)).map(Path::to_owned)
    }

    fn may_pass(&self, directory: &Path) -> bool {
        fs::metadata(directory).is_ok_and(|found| {
            let shift = match (found.uid() == self.uid, found.gid() == self.gid) {
                (true, _) => 6,
                (false, true) => 3,
                (false, false) => 0,
            };
            (found.mode() >> shift) & 1 == 1
        })
    }
}

fn number_of(name: &str, which: &str) -> Option<u32> {
    let answer = Command::new("id").args([which, name]).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).trim().parse().ok()).flatten()
}
