//! What the server answers from: immutable zones in an immutable directory, swapped as a whole.

mod ahead;
mod depths;
mod directory;
mod entry;
mod hashed_name;
mod names;
mod page;
mod tree;
mod whole;
mod zone;

pub use ahead::Ahead;
pub use directory::{Directory, Group, GroupNumber, Held, ZoneNumber};
pub use entry::{EncodedSet, EncodedSets, Entry};
pub use hashed_name::HashedName;
pub use names::Node;
pub use whole::{Prepared, Twice, Whole};
pub use zone::{BrokenGuard, SerialMark, Standing, Zone, ZoneError};

pub(crate) use entry::RECORD_HEAD_LENGTH;
