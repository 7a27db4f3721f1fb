//! What it checks is in `tests/fuzz-targets/src/plan_body.rs`.
#![no_main]

use fuzz_targets::Target;
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| Target::named("plan_body").expect("a target of this name"));

libfuzzer_sys::fuzz_target!(|input: &[u8]| TARGET.run(input));
