//! `cargo run -p model -- check-trace FILE` judges a trace; `cargo run --release -p model -- walk NAME` walks a setup to its end.

use model::{setups, story, trace};
use stateright::{Checker, Model};
use std::process::ExitCode;

const USAGE: &str = "usage:
  model check-trace FILE    judges what HOLDFAST_TRACE_MOVES=FILE wrote; says every line that the model does not allow
  model walk NAME [ENACTORS [PLANS]]
                            visits every state of that walk, and says how many there are; with so many enactors, and the
                            first so many of its plans";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["check-trace", file] => check(file),
        ["walk", name, ref size @ ..] => match setups::all().into_iter().find(|(of, _)| *of == name) {
            Some((_, setup)) => match sized(setup, size) {
                Some(setup) => walk(setup),
                None => fail(USAGE),
            },
            None => fail(&format!(
                "{USAGE}\nwalks: {}",
                setups::all().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
            )),
        },
        ["--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => fail(USAGE),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}

fn check(file: &str) -> ExitCode {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return fail(&format!("{file}: {error}")),
    };
    match trace::check(&text) {
        Ok(summary) => {
            println!("{file}: {summary}");
            ExitCode::SUCCESS
        }
        Err(violations) => {
            violations.iter().for_each(|one| println!("{file}: {one}"));
            ExitCode::FAILURE
        }
    }
}

/// The same walk with other numbers.
fn sized(setup: model::Setup, size: &[&str]) -> Option<model::Setup> {
    let numbers: Option<Vec<usize>> = size.iter().map(|text| text.parse().ok()).collect();
    let plans = setup.wishes.len();
    match numbers?[..] {
        [] => Some(setup),
        [enactors] => Some(setup.sized(enactors, plans)),
        [enactors, plans] => Some(setup.sized(enactors, plans)),
        _ => None,
    }
}

fn walk(setup: model::Setup) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = setup.clone().checker().threads(threads).spawn_bfs().join();
    let mut broken = false;
    for property in checker.model().properties() {
        if property.expectation.discovery_is_failure()
            && let Some(path) = checker.discovery(property.name)
        {
            println!("not {}:\n{}", property.name, story::told(&setup, path));
            broken = true;
        }
    }
    println!("{} states, {} moves", checker.unique_state_count(), checker.state_count());
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
