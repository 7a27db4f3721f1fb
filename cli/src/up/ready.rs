//! Waits for programs to get ready, and says so when it takes long.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{DataDirectory, UpError};
use crate::api_client::ApiClient;
use crate::terminal::say;

/// How long a program may take. A server loads its whole history in this time.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How often the wait is mentioned.
const SAID_EVERY: Duration = Duration::from_secs(5);
/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// Waits until a program's health page says 200.
///
/// # Errors
/// When it takes too long, with the end of its log.
pub(super) async fn healthy(directory: &DataDirectory, program: &str, url: &str, path: &'static str) -> Result<(), UpError> {
    let client = ApiClient::new(url, None);
    wait(directory, program, async || {
        let client = client.clone();
        tokio::task::spawn_blocking(move || client.is_healthy(path)).await.unwrap_or(false)
    })
    .await
}

/// Waits until something is so.
///
/// # Errors
/// When it takes too long, with the end of the program's log.
pub(super) async fn wait(directory: &DataDirectory, program: &str, is_so: impl AsyncFn() -> bool) -> Result<(), UpError> {
    let start = Instant::now();
    let mut said = start;
    while !is_so().await {
        if start.elapsed() > READY_WITHIN {
            return Err(UpError::NotReady {
                program: program.to_owned(),
                seconds: READY_WITHIN.as_secs(),
                log: directory.shown(&format!("log/{program}.log")),
                last_words: directory.last_words(program, 15),
            });
        }
        if said.elapsed() > SAID_EVERY {
            said = Instant::now();
            let log = directory.shown(&format!("log/{program}.log"));
            say(format!("still waiting for {program} ({} s; its words are in {log})", start.elapsed().as_secs()));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
