//! The directory that `up` keeps everything in, held by one `up` at a time.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::UpError;
use control_plane::tokens::Secret;

/// Bytes of randomness in a password or token.
const SECRET_BYTES: usize = 32;
/// A log that is longer than this at a start is put aside.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The directory, locked against a second `up`.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    as_typed: PathBuf,
    /// Locked as long as it is open. The system unlocks it however this process ends.
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if need be, and takes its lock. `passable`: another system user (Postgres's) has to pass
    /// through it; what is secret in it is so by its own mode.
    ///
    /// # Errors
    /// When another `up` holds it, something else stands in it, or it cannot be made.
    pub fn take(as_typed: &Path, passable: bool) -> Result<Self, UpError> {
        let mode = if passable { 0o711 } else { 0o700 };
        if !may_be_ours(as_typed) {
            return Err(UpError::DirectoryForeign { directory: as_typed.to_owned() });
        }
        make_directory(as_typed, mode)?;
        let path = fs::canonicalize(as_typed).map_err(UpError::system(format!("find {}", as_typed.display())))?;
        let lock = lock(&path.join("lock"), as_typed)?;
        for folder in ["run", "log", "passwords"] {
            make_directory(&path.join(folder), if folder == "run" { mode } else { 0o700 })?;
        }
        Ok(Self { path, as_typed: as_typed.to_owned(), _lock: lock })
    }

    /// Where something in it is.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where something in it is, in the words of who typed the directory's name.
    #[must_use]
    pub fn shown(&self, name: &str) -> String {
        self.as_typed.join(name).display().to_string()
    }

    /// A password that stays the same from start to start; drawn the first time.
    ///
    /// # Errors
    /// When the system has no randomness, or the file cannot be read or written.
    pub fn password(&self, name: &str) -> Result<String, UpError> {
        self.secret(name, || {
            let mut bytes = [0; SECRET_BYTES];
            getrandom::fill(&mut bytes).map(|()| hex::encode(bytes))
        })
    }

    /// The administrator's token, which stays the same from start to start; drawn the first time.
    ///
    /// # Errors
    /// When the system has no randomness, or the file cannot be read or written.
    pub fn admin_token(&self) -> Result<String, UpError> {
        self.secret("admin-token", || Secret::random().map(|secret| secret.reveal()))
    }

    fn secret(&self, name: &str, draw: impl FnOnce() -> Result<String, getrandom::Error>) -> Result<String, UpError> {
        let path = self.join(name);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => {
                private(&path)?;
                Ok(text.trim().to_owned())
            }
            _ => {
                let secret = draw().map_err(|cause| {
                    UpError::system("draw a random secret")(std::io::Error::other(cause.to_string()))
                })?;
                self.write_private(name, &secret)?;
                Ok(secret)
            }
        }
    }

    /// Writes one line that only this user may read, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_private(&self, name: &str, line: &str) -> Result<(), UpError> {
        let path = self.join(name);
        let failed = || UpError::system(format!("write {}", self.shown(name)));
        let beside = path.with_extension("new");
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed())?;
        writeln!(file, "{line}").map_err(failed())?;
        fs::rename(&beside, &path).map_err(failed())
    }

    /// The file that a program's words are appended to; a long one of earlier starts is put aside first.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn log(&self, program: &str) -> Result<File, UpError> {
        let path = self.join(&format!("log/{program}.log"));
        if fs::metadata(&path).is_ok_and(|found| found.len() > LOG_BYTES_MAX) {
            let aside = path.with_extension("log.1");
            fs::rename(&path, aside).map_err(UpError::system(format!("put {} aside", path.display())))?;
        }
        File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(UpError::system(format!("open {}", path.display())))
    }

    /// The last lines of a program's log.
    #[must_use]
    pub fn last_words(&self, program: &str, lines: usize) -> String {
        let text = fs::read(self.join(&format!("log/{program}.log"))).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// Whether nothing stands in the directory that somebody else may have put there.
fn may_be_ours(path: &Path) -> bool {
    path.join("lock").is_file() || fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none())
}

fn make_directory(path: &Path, mode: u32) -> Result<(), UpError> {
    let failed = || UpError::system(format!("make the directory {}", path.display()));
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(failed())?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed())
}

fn private(path: &Path) -> Result<(), UpError> {
    fs::set_permissions(path, Permissions::from_mode(0o600))
        .map_err(UpError::system(format!("make {} private", path.display())))
}

fn lock(path: &Path, directory: &Path) -> Result<File, UpError> {
    let failed = || UpError::system(format!("lock {}", path.display()));
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed())?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed())?;
            writeln!(file, "{}", std::process::id()).map_err(failed())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(failed())?;
            Err(UpError::DirectoryTaken { directory: directory.to_owned(), holder: holder.trim().to_owned() })
        }
        Err(TryLockError::Error(cause)) => Err(failed()(cause)),
    }
}
