//! Words for the person at the terminal. Nobody listening is no failure.

use std::io::{self, Write as _};

/// One line to standard output.
pub fn say(line: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    let _nobody_listens = writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush());
}

/// One line to standard error.
pub fn warn(line: impl AsRef<str>) {
    let _nobody_listens = writeln!(io::stderr().lock(), "{}", line.as_ref());
}

/// Text as it is, to standard output.
///
/// # Errors
/// When it cannot be written; a reader that has enough (`| head`) is no error.
pub fn put(text: &[u8]) -> io::Result<()> {
    match io::stdout().lock().write_all(text) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(cause),
        _ => Ok(()),
    }
}
