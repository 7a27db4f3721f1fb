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
pub(crate) async fn healthy(
    directory: &DataDirectory,
    program: &str,
    url: &str,
    path: &'static str,
) -> Result<(), UpError> {
    let client = ApiClient::new(url, None);
    wait(directory, program, async || {
        let client = client.clone();
        let asked = tokio::task::spawn_blocking(move || client.what_is_wrong(path)).await;
        asked.unwrap_or_else(|why| Some(why.to_string()))
    })
    .await
}

/// Waits until nothing is wrong any more.
///
/// # Errors
/// When it takes too long, with the end of the program's log.
pub(crate) async fn wait(
    directory: &DataDirectory,
    program: &str,
    what_is_wrong: impl AsyncFn() -> Option<String>,
) -> Result<(), UpError> {
    let start = Instant::now();
    let mut said = start;
    while let Some(wrong) = what_is_wrong().await {
        let log = directory.shown(&format!("log/{program}.log"));
        if start.elapsed() > READY_WITHIN {
            return Err(UpError::NotReady {
                program: program.to_owned(),
                seconds: READY_WITHIN.as_secs(),
                wrong,
                log,
                last_words: directory.last_words(program, 15),
            });
        }
        if said.elapsed() > SAID_EVERY {
            said = Instant::now();
            say(format!(
                "still waiting for {program} ({} s): {wrong}. Its words are in {log}",
                start.elapsed().as_secs()
            ));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
