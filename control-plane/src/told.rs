//! How calls of the database's doors are told to whoever traces moves (`move_trace`).

use move_trace::About;

/// Tells how one call of a door ended: done, if `did` says so of what the database answered.
pub(crate) fn ended<T>(told: About, call: &Result<T, sqlx::Error>, did: impl FnOnce(&T) -> bool) {
    match call {
        Ok(answer) if did(answer) => told.done(),
        Ok(_) => told.without(),
        Err(error) => failed(told, error),
    }
}

/// Tells how a call ended that failed.
pub(crate) fn failed(told: About, error: &sqlx::Error) {
    if is_refusal(error) {
        told.without();
    } else {
        // It was sent, and nobody heard what became of it: nothing more is told.
        drop(told);
    }
}

/// Whether the database surely did nothing. Doors commit by themselves, so a call that is cancelled, or loses its connection,
/// may have done its work before.
fn is_refusal(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(refusal) = error else { return false };
    // Our own refusals; data, constraints, lost races, rights and syntax, locks that were not to be had.
    let classes = ["HF", "22", "23", "40", "42", "55"];
    refusal.code().is_some_and(|code| classes.contains(&code.get(..2).unwrap_or_default()))
}
