//! The verbs of Holdfast: admission and enactment as pure decisions.
//!
//! Nothing here does I/O, reads a clock or draws a random number: what was read in one snapshot comes in, a decision
//! goes out, and whoever carries it out writes it under the premise that it was made on.

mod admit;
mod author;
mod enact;
mod history;
mod rings;
mod stops;

pub use admit::{
    Admission, CONFLICTS_LISTED_MAX, Change, Conflict, Counts, Decision, Refusal, admit, admit_on_newer_tip,
};
pub use author::{Author, Forbidden, Role, Scope};
pub use enact::{Enactment, Next, Outcome, Waiting};
pub use history::{Footprint, History, News, Standing, Tip, ZoneHistory, ZoneOwner, footprint};
pub use rings::{
    Awaited, Course, HEARTBEAT_EVERY, HEARTBEATS, Head, Known, LIVE_FOR, REPORTS_WITHIN, Report, Ring, RingName, Rings,
    Server, Trial, WATCHED_MIN,
};
pub use stops::{Stop, StopKind};
