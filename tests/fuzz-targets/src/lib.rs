//! What must hold for whatever comes in from outside: a function for each door. The fuzzer (`cargo xtask fuzz`) calls them with
//! what it makes up; `tests/replay.rs` calls them with what it ever found worth keeping, without any fuzzer.
//!
//! A target panics where something does not hold. It reads no file and no clock, and the same octets do the same each time.

pub mod answer;
pub mod plan_body;
pub mod record_wire;
pub mod seeds;
pub mod snapshot_file;
pub mod zone_text;

mod memory;

// The judge of answers, and what builds directories, are those of the server's own tests.
#[path = "../../../server/tests/support/mod.rs"]
mod support;

use std::sync::{Mutex, PoisonError};

/// A door, and what must hold for what comes in there.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: also of its folders in `fuzz/corpus` and `fuzz/found`.
    pub name: &'static str,
    check: fn(&[u8]),
    /// How many octets of memory it may take at most for an octet of input, beside [`MEMORY_BASE`].
    memory_factor: usize,
}

/// What any target may take, however short its input is.
const MEMORY_BASE: usize = 8 << 20;

/// All doors.
pub const TARGETS: [Target; 5] = [
    Target { name: "answer", check: answer::check, memory_factor: 64 },
    Target { name: "snapshot_file", check: snapshot_file::check, memory_factor: 1_024 },
    Target { name: "zone_text", check: zone_text::check, memory_factor: 4_096 },
    Target { name: "record_wire", check: record_wire::check, memory_factor: 256 },
    Target { name: "plan_body", check: plan_body::check, memory_factor: 256 },
];

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }

    /// Lets it have these octets.
    ///
    /// # Panics
    /// Something does not hold that must.
    pub fn run(&self, input: &[u8]) {
        // Memory is counted for the whole process.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = memory::most_taken_by(|| (self.check)(input));
        let allowed = MEMORY_BASE + self.memory_factor * input.len();
        assert!(
            taken <= allowed,
            "{} octets of input took {taken} octets of memory, and may take {allowed}",
            input.len()
        );
    }
}
