//! Where the secrets of DNS cookies come from: a file that several servers have alike, or chance, for one process.

use crate::answer::{Cookies, Options, Secret};
use arc_swap::ArcSwap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;

/// How many secrets there may be. Each is tried on every cookie that is not of an earlier one.
const SECRETS_MAX: usize = 4;
/// More than the longest file that has no more than that.
const FILE_LENGTH_MAX: u64 = 4096;
/// What others may not: anything; and what the group may not: write. Who keeps secrets for services often lets a group read.
const NOT_PRIVATE: u32 = 0o027;

/// Secrets that cannot be had. What is in a file is never part of it.
#[derive(Debug, thiserror::Error)]
#[error("no secrets for DNS cookies from {file} (--cookie-secret-file, HOLDFAST_COOKIE_SECRET_FILE): {why}")]
pub struct SecretsError {
    file: String,
    why: String,
}

/// Cookies of a secret that nobody else has, and that ends with this process.
///
/// # Errors
/// The system has no random numbers.
pub fn draw() -> Result<Cookies, SecretsError> {
    let mut octets = [0; Secret::LENGTH];
    let error = |why: getrandom::Error| SecretsError { file: "chance".to_owned(), why: why.to_string() };
    getrandom::fill(&mut octets).map_err(error)?;
    Ok(Cookies::new(Secret::new(&octets), Vec::new()))
}

/// Cookies of the secrets in a file: 32 hex digits a line. The first makes cookies, all are known.
///
/// # Errors
/// The file cannot be read, can be read by too many, or has something else in it.
pub fn read(file: &Path) -> Result<Cookies, SecretsError> {
    let error = |why: String| SecretsError { file: file.display().to_string(), why };
    let text = open(file).map_err(|why| error(why.to_string()))?;
    let mut secrets = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let mut octets = [0; Secret::LENGTH];
        if hex::decode_to_slice(line.trim(), &mut octets).is_err() {
            return Err(error(format!("line {number} is not 32 hex digits")));
        }
        secrets.push(Secret::new(&octets));
    }
    if secrets.len() > SECRETS_MAX {
        return Err(error(format!("{} secrets, where there may be {SECRETS_MAX}", secrets.len())));
    }
    let mut secrets = secrets.into_iter();
    let makes = secrets.next().ok_or_else(|| error("there is none in it".to_owned()))?;
    Ok(Cookies::new(makes, secrets.collect()))
}

fn open(file: &Path) -> io::Result<String> {
    let file = File::open(file)?;
    // Of what was opened, and not of what may stand there by now.
    let mode = file.metadata()?.permissions().mode();
    if mode & NOT_PRIVATE != 0 {
        let why = format!("it is not private (mode {:o}): chmod 600", mode & 0o777);
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let mut text = String::new();
    let length = file.take(FILE_LENGTH_MAX + 1).read_to_string(&mut text)?;
    if length as u64 > FILE_LENGTH_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Reads the file again whenever told to; what cannot be read changes nothing.
pub async fn read_again(mut told: Signal, file: PathBuf, options: Arc<ArcSwap<Options>>, stop: CancellationToken) {
    loop {
        tokio::select! {
            Some(()) = told.recv() => {}
            () = stop.cancelled() => return,
        }
        match read(&file) {
            Ok(cookies) => {
                let now = Options { cookies: Some(cookies), ..Options::clone(&options.load()) };
                options.store(Arc::new(now));
                tracing::info!(file = %file.display(), "the secrets of DNS cookies were read again");
            }
            Err(error) => tracing::error!(%error, "the secrets of DNS cookies stay as they are"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

    /// What is said of a file with this text and mode.
    fn said_of(text: &[u8], mode: u32) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let read = read(&file);
        read.map(|cookies| format!("{cookies:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_line_makes_cookies_and_all_are_known() {
        let two = format!("\n{SECRET}\r\n {}\n\n", SECRET.to_uppercase());
        let shown = "Cookies { makes: Secret(..), also_known: [Secret(..)] }";
        assert_eq!(said_of(two.as_bytes(), 0o600).unwrap(), shown);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o400, 0o600, 0o440, 0o640] {
            said_of(SECRET.as_bytes(), mode).unwrap();
        }
        for mode in [0o604, 0o601, 0o602, 0o620, 0o644, 0o777] {
            let why = said_of(SECRET.as_bytes(), mode).unwrap_err();
            assert!(why.contains(&format!("not private (mode {mode:o}): chmod 600")), "{why}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let short = &SECRET[..31];
        let of_16 = format!("{SECRET}\n").repeat(SECRETS_MAX + 1);
        for (text, why) in [
            (&b""[..], "there is none in it"),
            (b"\n \n", "there is none in it"),
            (format!("{SECRET}\n\n{short}\n").as_bytes(), "line 3 is not 32 hex digits"),
            (format!("{SECRET}0").as_bytes(), "line 1 is not 32 hex digits"),
            (b"zze973e5a6b2a43f48e7dc849e37bfcf", "line 1 is not 32 hex digits"),
            (of_16.as_bytes(), "5 secrets, where there may be 4"),
            (&[b'\n'; 5000], "file too large"),
            (&[0xff; 32], "UTF-8"),
        ] {
            let said = said_of(text, 0o600).unwrap_err();
            assert!(said.contains(why) && said.contains("--cookie-secret-file"), "{said}");
            assert!(!said.contains(&short[2..]), "{said}");
        }
        let absent = read(Path::new("/nowhere/secrets")).unwrap_err().to_string();
        assert!(absent.contains("/nowhere/secrets") && absent.contains("No such file"), "{absent}");
    }
}
