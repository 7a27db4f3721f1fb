//! What it checks is in `tests/fuzz-targets/src/record_wire.rs`.
#![no_main]

use fuzz_targets::Target;
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| Target::named("record_wire").expect("a target of this name"));

libfuzzer_sys::fuzz_target!(|input: &[u8]| TARGET.run(input));
