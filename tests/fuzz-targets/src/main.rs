//! Runs a target once, on a file; or writes the inputs that the fuzzer begins with.
//!
//!     cargo run -p fuzz-targets -- answer fuzz/found/answer/FILE
//!     cargo run -p fuzz-targets -- seeds

use fuzz_targets::{TARGETS, Target, seeds};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seeds"] => write_seeds(),
        [target, file] if Target::named(target).is_some() => fs::read(file).map(|input| {
            let Some(target) = Target::named(target) else { return };
            target.run(&input);
            println!("{}: {} octets do no harm", target.name, input.len());
        }),
        _ => {
            let names = TARGETS.map(|target| target.name).join(", ");
            eprintln!("usage: fuzz-targets TARGET FILE, or fuzz-targets seeds; targets are {names}");
            return ExitCode::FAILURE;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn write_seeds() -> io::Result<()> {
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target.name);
        fs::create_dir_all(&folder)?;
        for (name, input) in seeds::of(target.name) {
            fs::write(folder.join(format!("seed-{name}")), input)?;
        }
    }
    Ok(())
}
