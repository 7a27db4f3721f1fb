//! Work on a thread of its own, as a part of a program whose other parts are tasks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Runs `work` on a thread called `name`, and waits until it ends. What `work` is given becomes true when it should end.
///
/// # Errors
/// What `work` returns, or it panicked, or there can be no more threads.
pub(crate) async fn run(
    name: &str,
    work: impl FnOnce(&AtomicBool) -> io::Result<()> + Send + 'static,
    stop: CancellationToken,
) -> io::Result<()> {
    let stopping = Arc::<AtomicBool>::default();
    let (tell, mut ended) = oneshot::channel();
    let told = stopping.clone();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // A panic drops `tell`, which tells as well.
        let _ = tell.send(work(&told));
    })?;
    let ended = tokio::select! {
        ended = &mut ended => ended,
        () = stop.cancelled() => {
            stopping.store(true, Ordering::Relaxed);
            ended.await
        }
    };
    ended.unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}
