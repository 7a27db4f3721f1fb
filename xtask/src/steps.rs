//! Steps with a headline and a time, and the sum at the end.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Failure, cargo};

/// How a step ended.
enum End {
    Green,
    Red(Failure),
    Skipped(String),
}

/// What was done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, End)>,
    tests_passed: u64,
    tests_failed: u64,
}

impl Steps {
    /// Whether nothing is red so far.
    pub(crate) fn all_green(&self) -> bool {
        !self.done.iter().any(|(_, _, end)| matches!(end, End::Red(_)))
    }

    /// Does a step, unless one was red before.
    pub(crate) fn step(&mut self, name: &str, act: impl FnOnce() -> Result<(), Failure>) {
        if self.all_green() {
            headline(name);
            let start = Instant::now();
            let end = act().map_or_else(End::Red, |()| End::Green);
            self.ended(name, start, end);
        }
    }

    /// A step that runs tests: their numbers are added up.
    pub(crate) fn tests(&mut self, name: &str, mut command: Command) {
        if self.all_green() {
            headline(name);
            let start = Instant::now();
            let outcome = run_and_count(&mut command);
            let end = match outcome {
                Ok((passed, failed)) => {
                    self.tests_passed += passed;
                    self.tests_failed += failed;
                    End::Green
                }
                Err((passed, failed, why)) => {
                    self.tests_passed += passed;
                    self.tests_failed += failed;
                    End::Red(why)
                }
            };
            self.ended(name, start, end);
        }
    }

    /// Says what is not done, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        if self.all_green() {
            headline(name);
            println!("SKIPPED: {why}");
            self.done.push((name.to_owned(), Duration::ZERO, End::Skipped(why.to_owned())));
        }
    }

    /// The table of all steps; its last line says `N passed, N failed`.
    pub(crate) fn sum(&self) {
        headline("in sum");
        let mut red_steps_without_tests = 0;
        for (name, took, end) in &self.done {
            match end {
                End::Green => println!("  green    {:>7.1} s  {name}", took.as_secs_f64()),
                End::Skipped(why) => println!("  SKIPPED            {name}: {why}"),
                End::Red(why) => {
                    red_steps_without_tests += u64::from(self.tests_failed == 0);
                    println!("  RED      {:>7.1} s  {name}: {why}", took.as_secs_f64());
                }
            }
        }
        println!("{} passed, {} failed", self.tests_passed, self.tests_failed + red_steps_without_tests);
    }

    fn ended(&mut self, name: &str, start: Instant, end: End) {
        if let End::Red(why) = &end {
            println!("\nRED: {name}: {why}");
        }
        self.done.push((name.to_owned(), start.elapsed(), end));
    }
}

fn headline(name: &str) {
    println!("\n=== {name} ===");
}

/// Runs a command with its words passed on, and adds up what it says about tests.
fn run_and_count(command: &mut Command) -> Result<(u64, u64), (u64, u64, Failure)> {
    let failed = |why: String| (0, 0, why);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| failed(format!("`{}` could not be started: {why}", cargo::shown(command))))?;
    let errors = child.stderr.take().map(|words| thread::spawn(move || pass_on(words, std::io::stderr())));
    let (mut passed, mut red) = child.stdout.take().map_or((0, 0), |words| pass_on(words, std::io::stdout()));
    if let Some(Ok((more_passed, more_red))) = errors.map(thread::JoinHandle::join) {
        (passed, red) = (passed + more_passed, red + more_red);
    }
    match child.wait() {
        Ok(status) if status.success() => Ok((passed, red)),
        Ok(status) => Err((passed, red, format!("`{}` failed ({status})", cargo::shown(command)))),
        Err(why) => Err((passed, red, why.to_string())),
    }
}

fn pass_on(words: impl Read, mut out: impl Write) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    let mut words = BufReader::new(words);
    let mut line = Vec::new();
    while words.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let _nobody_listens = out.write_all(&line);
        let (more_passed, more_failed) = counted(&String::from_utf8_lossy(&line));
        (passed, failed) = (passed + more_passed, failed + more_failed);
        line.clear();
    }
    (passed, failed)
}

/// Whether to ask programs whose words are passed on for colours.
pub(crate) fn colour() -> &'static str {
    if std::io::stderr().is_terminal() { "always" } else { "never" }
}

/// "Summary [1.2s] 45 tests run: 44 passed, 1 failed, 0 skipped" or "test result: ok. 3 passed; 0 failed; …".
fn counted(line: &str) -> (u64, u64) {
    let plain = without_colours(line);
    let Some(numbers) = plain.split_once("tests run:").or_else(|| plain.split_once("test run:")).map_or_else(
        // At the start of a line: nextest shows what a failed test's own process said further in.
        || plain.strip_prefix("test result:"),
        |(before, rest)| before.contains("Summary").then_some(rest),
    ) else {
        return (0, 0);
    };
    let words: Vec<&str> = numbers.split_whitespace().collect();
    let before = |what: &str| {
        let place = words.iter().position(|word| word.trim_end_matches([',', ';']) == what);
        place.and_then(|place| words.get(place.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
    };
    (before("passed"), before("failed") + before("timed"))
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut in_code = false;
    for letter in line.chars() {
        match letter {
            '\u{1b}' => in_code = true,
            letter if in_code => in_code = !letter.is_ascii_alphabetic(),
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn both_runners_are_understood() {
        for (line, expected) in [
            ("     Summary [   0.012s] 45 tests run: 44 passed (1 slow), 1 failed, 3 skipped", (44, 1)),
            (
                "\u{1b}[32m     Summary\u{1b}[0m [ 0.012s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \u{1b}[32mpassed\u{1b}[0m, 0 skipped",
                (1, 0),
            ),
            ("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s", (3, 0)),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured", (3, 2)),
            ("     Summary [  10.0s] 5 tests run: 3 passed, 1 failed, 1 timed out, 0 skipped", (3, 2)),
            ("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured", (0, 0)),
            ("a test says: 3 passed", (0, 0)),
        ] {
            assert_eq!(counted(line), expected, "{line}");
        }
    }
}
