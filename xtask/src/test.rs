//! `cargo xtask test`: everything that must hold.

use std::env;
use std::process::ExitCode;

use crate::cargo::{cargo, run as run_to_the_end, workspace};
use crate::scratch_postgres::ScratchPostgres;
use crate::steps::{Steps, colour};
use crate::{sqlx_prepare, tools};

/// Where the real zones are read from.
const ZONES: &str = "HOLDFAST_ZONES";

/// Every step in order, up to the first red one.
pub(crate) fn run(fast: bool) -> ExitCode {
    let mut steps = Steps::default();
    steps.step("what is needed", || {
        tools::need_postgres()?;
        tools::need_dig()
    });
    // The tests themselves say what they leave out without them.
    if env::var("CI").is_ok_and(|ci| ci == "true")
        && let Err(why) = tools::need_judges()
    {
        println!("\nanswers are not compared with every other name server: {why}");
    }
    steps.step("format", || {
        run_to_the_end(&mut cargo(&["fmt", "--all", "--check"]))?;
        run_to_the_end(&mut cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
    });
    steps.step("lints", || {
        run_to_the_end(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
    });
    if fast {
        steps.skip("queries", "--fast");
    } else {
        steps.step("queries", || sqlx_prepare::run(true));
    }
    steps.step("build", || run_to_the_end(&mut cargo(&["build", "--workspace", "--bins"])));
    if steps.all_green() && env::var_os(ZONES).is_none() {
        println!("\n{ZONES} is not set: the tests that read real zones leave them out");
    }
    tests(&mut steps);
    dependencies(&mut steps, fast);
    steps.sum();
    if steps.all_green() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All tests share one Postgres, each in a database of its own.
fn tests(steps: &mut Steps) {
    let mut postgres = None;
    steps.step("a Postgres for the tests", || {
        postgres = Some(ScratchPostgres::start()?);
        Ok(())
    });
    let Some(postgres) = postgres else { return };
    let mut runner = if tools::is_there("cargo-nextest") {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass", "--color", colour()])
    } else {
        println!(
            "\ncargo-nextest is not installed (`cargo install --locked cargo-nextest`): `cargo test` does its work"
        );
        let mut runner =
            cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast", "--color", colour()]);
        // Each test brings up programs of its own; without nextest nobody else holds them back.
        runner.env("RUST_TEST_THREADS", "4");
        runner
    };
    runner.env("HOLDFAST_TEST_POSTGRES", postgres.superuser_url());
    steps.tests("tests", runner);
    let mut doc_tests = cargo(&["test", "--workspace", "--doc", "--quiet", "--color", colour()]);
    doc_tests.env("HOLDFAST_TEST_POSTGRES", postgres.superuser_url());
    steps.tests("tests in the documentation", doc_tests);
}

fn dependencies(steps: &mut Steps, fast: bool) {
    let name = "dependencies";
    if fast {
        steps.skip(name, "--fast");
    } else if !workspace().join("deny.toml").is_file() {
        steps.skip(name, "there is no deny.toml to judge them by");
    } else if !tools::is_there("cargo-deny") {
        steps.skip(name, "cargo-deny cannot be had here (`cargo install --locked cargo-deny`)");
    } else {
        steps.step(name, || run_to_the_end(&mut cargo(&["deny", "--all-features", "check"])));
    }
}
