//! What the server answers from: immutable zones in an immutable directory, swapped as a whole.

mod directory;
mod zone;

pub use directory::{Directory, Group, GroupNumber, ZoneNumber};
pub use zone::{BrokenGuard, Node, Standing, Zone, ZoneError};
