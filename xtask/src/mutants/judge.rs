//! Runs tests, and says which of them went red, and whether for a reason that counts: a test's own assertion. What does not compile, does not start or hangs has
//! shown nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use private_postgres::PORT;

use crate::mutants::list::{SCHEMA, Test};
use crate::mutants::scratch::Scratch;
use crate::scratch_postgres::ScratchPostgres;
use crate::{Failure, cargo};

/// How one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Green,
    /// Its own assertion.
    Red,
    /// Anything else.
    Broken(String),
}

/// Runs tests in the copy of the tree.
pub(crate) struct Judge<'a> {
    pub(crate) scratch: &'a Scratch,
    pub(crate) postgres: &'a ScratchPostgres,
}

impl Judge<'_> {
    /// How each of the tests ends now. `schema_only`: nothing but the migrations beside the tree is changed.
    pub(crate) fn ends(&self, tests: &BTreeSet<Test>, schema_only: bool) -> Result<BTreeMap<Test, End>, Failure> {
        let (of_schema, compiled): (BTreeSet<&Test>, BTreeSet<&Test>) =
            tests.iter().partition(|test| test.binary == SCHEMA);
        let mut ends = BTreeMap::new();
        if !of_schema.is_empty() {
            let names: Vec<&str> = of_schema.iter().map(|test| test.name.as_str()).collect();
            ends.extend(self.schema(&names)?);
        }
        if !compiled.is_empty() {
            ends.extend(self.compiled(&compiled, schema_only)?);
        }
        for test in tests {
            ends.entry(test.clone()).or_insert_with(|| End::Broken("it did not run".to_owned()));
        }
        Ok(ends)
    }

    /// All tests of some package (or all cases of the schema) that go red now: for a mutant of which it is not known who objects.
    pub(crate) fn who_objects(&self, package: &str, schema_only: bool) -> Result<Vec<Test>, Failure> {
        let ends = if package == SCHEMA {
            self.schema(&["all"])?
        } else {
            let mut command = self.nextest(schema_only);
            command.args(["-p", package]);
            read_nextest(&said(&mut command)?)?
        };
        Ok(ends.into_iter().filter(|(_, end)| *end == End::Red).map(|(test, _)| test).collect())
    }

    fn schema(&self, names: &[&str]) -> Result<BTreeMap<Test, End>, Failure> {
        let mut command = Command::new("bash");
        command.arg(self.scratch.migrations().join("tests/run.sh")).arg("only").args(names);
        command.env("PGHOST", self.postgres.sockets()).env("PGPORT", PORT.to_string());
        let said = said(&mut command)?;
        let ends: BTreeMap<Test, End> = said.lines().filter_map(read_case).collect();
        if ends.is_empty() { Err(last_lines(&said)) } else { Ok(ends) }
    }

    fn compiled(&self, tests: &BTreeSet<&Test>, schema_only: bool) -> Result<BTreeMap<Test, End>, Failure> {
        if tests.iter().any(|test| ["end-to-end", "holdfast"].contains(&package_of(&test.binary))) {
            // They start the programs that they find beside them; the model, which is also one, takes longer than these.
            let programs = ["-p", "holdfast", "-p", "control-plane", "-p", "server", "--bins", "--quiet"];
            cargo::run(self.cargo("build").args(programs))?;
        }
        let mut command = self.nextest(schema_only);
        let binaries: BTreeSet<&str> = tests.iter().map(|test| test.binary.as_str()).collect();
        let packages: BTreeSet<&str> = binaries.iter().map(|binary| package_of(binary)).collect();
        for package in packages {
            command.args(["-p", package]);
        }
        // Cargo takes `--lib` once, for all packages.
        if binaries.iter().any(|binary| !binary.contains("::")) {
            command.arg("--lib");
        }
        let files: BTreeSet<&str> = binaries.iter().filter_map(|binary| Some(binary.split_once("::")?.1)).collect();
        for file in files {
            command.args(["--test", file]);
        }
        let chosen = tests.iter().map(|test| format!("(binary_id(={}) & test(={}))", test.binary, test.name));
        command.arg("-E").arg(chosen.collect::<Vec<_>>().join(" | "));
        read_nextest(&said(&mut command)?)
    }

    fn nextest(&self, schema_only: bool) -> Command {
        let mut command = self.cargo("nextest");
        command.args(["run", "--profile", "mutants", "--no-fail-fast", "--color", "never"]);
        command.args(["--status-level", "all", "--final-status-level", "none", "--failure-output", "immediate"]);
        command.env("HOLDFAST_TEST_POSTGRES", self.postgres.superuser_url());
        if schema_only {
            command.env("HOLDFAST_TEST_MIGRATIONS", self.scratch.migrations());
        }
        command
    }

    /// Cargo, in the copy. A mutant may leave something unused, which is no reason to go red.
    fn cargo(&self, act: &str) -> Command {
        let mut command = cargo::cargo(&[act]);
        command.current_dir(self.scratch.tree()).env("CARGO_TARGET_DIR", self.scratch.target());
        command.env("RUSTFLAGS", "-A warnings").env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "1");
        // What cargo and nextest told this program of this tree is not true of the copy.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().into_owned();
            let says_where =
                text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST") || text.starts_with("NEXTEST");
            if says_where {
                command.env_remove(name);
            }
        }
        command
    }
}

/// The package of a binary.
pub(crate) fn package_of(binary: &str) -> &str {
    binary.split_once("::").map_or(binary, |(package, _)| package)
}

/// Both streams of a command, however it ended.
fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|why| format!("`{}` could not be started: {why}", cargo::shown(command)))?;
    Ok(format!("{}\n{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout)))
}

/// "ok    HF004  name", "FAIL  name: HF005 instead of HF004", "FAIL  race name: …"; with "race" or "property.sql" in between.
fn read_case(line: &str) -> Option<(Test, End)> {
    let of = |name: &str| Test { binary: SCHEMA.to_owned(), name: name.trim_end_matches(".sql").to_owned() };
    if let Some(rest) = line.strip_prefix("ok    ") {
        return Some((of(rest.split_whitespace().last()?), End::Green));
    }
    let (name, why) = line.strip_prefix("FAIL  ")?.split_once(": ")?;
    let end = if why.starts_with("SETUP") { End::Broken(format!("its setup fails: {why}")) } else { End::Red };
    Some((of(name.trim_start_matches("race ").trim()), end))
}

/// Lines such as "        FAIL [   0.012s] (1/2) plan-rules::admission f05_…".
fn read_nextest(said: &str) -> Result<BTreeMap<Test, End>, Failure> {
    let mut ends = BTreeMap::new();
    let panicked = said.contains("panicked at");
    for line in said.lines() {
        let Some((word, rest)) = line.trim_start().split_once(" [") else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [.., binary, name] = words.as_slice() else { continue };
        let end = match word {
            "PASS" => End::Green,
            "FAIL" if panicked => End::Red,
            "FAIL" => End::Broken("it failed without an assertion".to_owned()),
            "TIMEOUT" => End::Broken("it hangs".to_owned()),
            word if word.starts_with("SIG") || word == "ABORT" => End::Broken(format!("it died ({word})")),
            _ => continue,
        };
        ends.insert(Test { binary: (*binary).to_owned(), name: (*name).to_owned() }, end);
    }
    if ends.is_empty() { Err(last_lines(said)) } else { Ok(ends) }
}

/// What a compiler or a shell said last, the errors first of all.
fn last_lines(said: &str) -> Failure {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let start = lines.iter().position(|line| line.starts_with("error")).unwrap_or(lines.len().saturating_sub(8));
    lines.iter().skip(start).take(12).copied().collect::<Vec<_>>().join("\n")
}

/// Where the tests of a mutant may be looked for: the package that it changes, or the schema.
pub(crate) fn package_of_file(file: &Path) -> String {
    let first = file.iter().next().unwrap_or_default().to_string_lossy();
    if first == "migrations" { SCHEMA.to_owned() } else { first.into_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_the_runners_say_is_understood() {
        let test = |binary: &str, name: &str| Test { binary: binary.to_owned(), name: name.to_owned() };
        assert_eq!(read_case("ok    HF004  f05_x"), Some((test(SCHEMA, "f05_x"), End::Green)));
        assert_eq!(read_case("ok    property.sql"), Some((test(SCHEMA, "property"), End::Green)));
        assert_eq!(read_case("FAIL  f05_x: none instead of HF004"), Some((test(SCHEMA, "f05_x"), End::Red)));
        assert_eq!(read_case("FAIL  race f48_x: B does not wait"), Some((test(SCHEMA, "f48_x"), End::Red)));
        assert!(matches!(read_case("FAIL  f05_x: SETUP ERROR: 1").unwrap().1, End::Broken(_)));
        assert_eq!(read_case("3 cases, 1 races, 1 failed"), None);

        let said = "    Starting 2 tests across 1 binary\n        PASS [   0.004s] (1/2) plan-rules::admission one\n        FAIL [   0.005s] (2/2) plan-rules rings::two\nthread 'two' panicked at x.rs:1:1:\n";
        let ends = read_nextest(said).unwrap();
        assert_eq!(ends[&test("plan-rules::admission", "one")], End::Green);
        assert_eq!(ends[&test("plan-rules", "rings::two")], End::Red);
        assert!(read_nextest("error[E0425]: cannot find value").unwrap_err().starts_with("error"));
    }
}
