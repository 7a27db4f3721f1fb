//! Where the socket stands: its path is short by law.

use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::{Error, PORT, SystemUser};

/// The longest path of a socket that every system takes (`sun_path` is 108 bytes on Linux and 104 on macOS, the last is 0).
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// The preferred directory if a socket in it has a path that is short enough, else a short private one, always the same
/// for the same wish. Made, and given to Postgres's user.
///
/// # Errors
/// When it cannot be made, or belongs to somebody else.
pub fn socket_directory(preferred: &Path, user: Option<&SystemUser>) -> Result<PathBuf, Error> {
    let socket = preferred.join(format!(".s.PGSQL.{PORT}"));
    let directory = if socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        preferred.to_owned()
    } else {
        let mut hasher = DefaultHasher::new();
        preferred.hash(&mut hasher);
        let temporary = env::temp_dir();
        let temporary = if temporary.as_os_str().len() <= 60 { temporary } else { PathBuf::from("/tmp") };
        temporary.join(format!("holdfast-{:016x}", hasher.finish()))
    };
    if let Err(cause) = DirBuilder::new().mode(0o700).create(&directory)
        && cause.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(Error::System { act: format!("make {}", directory.display()), cause });
    }
    let found = fs::symlink_metadata(&directory).map_err(Error::system(format!("look at {}", directory.display())))?;
    let us = rustix::process::geteuid().as_raw();
    let ours = found.uid() == us || user.is_some_and(|user| found.uid() == user.uid);
    if !found.is_dir() || !ours || found.mode() & 0o077 != 0 {
        return Err(Error::SocketDirectoryTaken { directory });
    }
    if let Some(user) = user {
        user.own(&directory)?;
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::socket_directory;

    #[test]
    fn a_path_that_is_too_long_for_a_socket_gets_a_short_one() {
        let long = std::env::temp_dir().join("a".repeat(100));
        let directory = socket_directory(&long, None).expect("a short one");
        assert!(directory.as_os_str().len() < 90, "{}", directory.display());
        assert_eq!(socket_directory(&long, None).expect("again"), directory);
        std::fs::remove_dir(directory).expect("it is empty");
    }
}
