//! The verbs of Holdfast: admission and enactment as pure decisions.
//!
//! Nothing here does I/O, reads a clock or draws a random number: what was read in one snapshot comes in, a decision
//! goes out, and whoever carries it out writes it under the premise that it was made on.

mod admit;
mod author;
mod enact;
mod history;
mod leans;
mod retire;
mod rings;
mod stops;

pub use admit::{
    Admission, CONFLICTS_LISTED_MAX, Change, Conflict, Counts, Decision, Former, OBJECTIONS_LISTED_MAX, Objection,
    RecordSets, Refusal, RollbackRequest, admit, admit_on_newer_tip, raise, rollback,
};
pub use author::{Author, Forbidden, Role, Scope};
pub use enact::{Enactment, Next, Outcome, Waiting};
pub use history::{
    Above, Around, Footprint, History, Meanwhile, News, Pointer, Standing, Tip, ZoneHistory, ZoneOwner, footprint,
};
pub use leans::{Leans, leans, names_on_the_way, targets};
pub use retire::{Floor, Holder, KeyVersion, Retirement, obsolete};
pub use rings::{
    Awaited, Course, HEARTBEAT_EVERY, HEARTBEATS, Head, Known, LIVE_FOR, REPORTS_WITHIN, Report, Ring, RingName, Rings,
    Server, Trial, WATCHED_MIN,
};
pub use stops::{Stop, StopKind};
