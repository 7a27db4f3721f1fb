//! What Holdfast's tests stand on: a migrated Postgres of one's own, and the real programs, seen from outside.
//!
//! A test that cannot go on panics, and says why; so does everything here.

mod another_server;
mod answer;
mod barriers;
mod dns;
mod holdfast;
mod last_words;
mod place;
mod run;
mod sql;
mod test_postgres;
mod traced;

use std::thread::sleep;
use std::time::{Duration, Instant};

pub use another_server::AnotherServer;
pub use answer::Answer;
pub use barriers::{Act, Barriers};
pub use dns::{ask_tcp, ask_udp, query};
pub use holdfast::{Holdfast, Options};
pub use place::free_address;
pub use private_postgres::Signal;
pub use test_postgres::TestPostgres;
pub use ureq::http::Method;

/// Looks until it is so, and for how long it took.
///
/// # Panics
/// When it is not so in time.
pub fn eventually(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < within, "not within {within:?}: {what}");
        sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

/// Runs a future to its end on a thread of its own, wherever the caller is: inside a runtime, or while a value is dropped.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(future)
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
