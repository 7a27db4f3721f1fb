//! `cargo xtask fuzz`: makes up input for every door, for so long, and keeps what does harm.
//!
//! libFuzzer on the stable compiler: what cargo-fuzz does with nightly options needs none of them but for the sanitizers, which
//! safe code has little use for (decision 22). It is built in a workspace of its own, with coverage in everything.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use clap::{Args, ValueEnum};

use crate::cargo::{cargo, run as run_to_the_end, target_directory, workspace};
use crate::{Failure, tools};

/// Coverage as libFuzzer reads it: a counter for each edge, where it is in the program, and what is compared with what.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// One input that takes longer than this is a finding. Machines can be busy; an input that is none of harm takes microseconds.
const TIMEOUT_SECONDS: u32 = 30;
/// So is one that takes more memory. Each target has a limit of its own, by the length of its input.
const MEMORY_MB: u32 = 2_048;
/// How often it is told how far a target is, where nobody looks at a terminal.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How much of what libFuzzer says is shown when it has found something.
const LAST_LINES: usize = 40;

/// A door that input comes in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Target {
    /// A packet, answered by both doors of the server; and by the oracle of its tests, where that knows the answer.
    Answer,
    /// A snapshot on the server's disk.
    SnapshotFile,
    /// A zone file.
    ZoneText,
    /// Record data, as octets and as text.
    RecordWire,
    /// The body of a plan.
    PlanBody,
}

/// What is asked for.
#[derive(Args)]
pub(crate) struct Options {
    /// One of them; all, one after the other, if none is named.
    #[arg(value_enum)]
    target: Option<Target>,
    /// For how long each target is given input.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Afterwards, put what reaches more than the corpus in fuzz/corpus into that.
    #[arg(long)]
    keep: bool,
}

impl Target {
    const ALL: [Self; 5] = [Self::Answer, Self::SnapshotFile, Self::ZoneText, Self::RecordWire, Self::PlanBody];

    /// As its program, its folders and its file in `tests/fuzz-targets` are called.
    const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::SnapshotFile => "snapshot_file",
            Self::ZoneText => "zone_text",
            Self::RecordWire => "record_wire",
            Self::PlanBody => "plan_body",
        }
    }
}

/// Builds, and runs what is asked for; fails when something was found.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    tools::need_cxx()?;
    let targets = options.target.map_or(Target::ALL.to_vec(), |target| vec![target]);
    println!("building with coverage, apart from everything else; the first time this takes some minutes");
    let programs = build(&targets)?;
    let mut found = Vec::new();
    for target in targets {
        let fuzzer = Fuzzer::of(target, &programs)?;
        found.extend(fuzzer.run(options.seconds)?);
        if options.keep {
            fuzzer.keep()?;
        }
    }
    if found.is_empty() { Ok(()) } else { Err(format!("\n{}", found.join("\n\n"))) }
}

/// Builds the programs; the folder that they are in.
fn build(targets: &[Target]) -> Result<PathBuf, Failure> {
    let (folder, host) = (target_directory()?.join("fuzz"), host()?);
    let mut build = cargo(&["build", "--manifest-path", "fuzz/Cargo.toml"]);
    // With a target named, what runs while building is built without coverage.
    build.args(["--target", &host]);
    build.args(targets.iter().flat_map(|target| ["--bin", target.name()]));
    build.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", COVERAGE.join(" ")).env_remove("CARGO_ENCODED_RUSTFLAGS");
    run_to_the_end(&mut build)?;
    Ok(folder.join(host).join("debug"))
}

/// The system that the compiler builds for, as it says itself.
fn host() -> Result<String, Failure> {
    let said = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output();
    let said = said.map_err(|why| format!("`rustc -vV` could not be started: {why}"))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("`rustc -vV` does not say what it builds for:\n{said}"))
}

/// A target's program, and its folders.
struct Fuzzer {
    name: &'static str,
    program: PathBuf,
    /// What it made up and found worth keeping on this machine.
    grown: PathBuf,
    /// What everybody begins with.
    corpus: PathBuf,
    /// What did harm, once.
    found: PathBuf,
}

impl Fuzzer {
    fn of(target: Target, programs: &Path) -> Result<Self, Failure> {
        let (name, fuzz) = (target.name(), workspace().join("fuzz"));
        let grown = target_directory()?.join("fuzz").join("corpus").join(name);
        let (corpus, found) = (fuzz.join("corpus").join(name), fuzz.join("found").join(name));
        for folder in [&grown, &corpus, &found] {
            fs::create_dir_all(folder).map_err(|why| format!("{} cannot be made: {why}", folder.display()))?;
        }
        Ok(Self { name, program: programs.join(name), grown, corpus, found })
    }

    /// Gives it input for so long; what is to be said about a finding, if there is one.
    fn run(&self, seconds: u64) -> Result<Option<String>, Failure> {
        let mut command = Command::new(&self.program);
        command.args([
            format!("-max_total_time={seconds}"),
            format!("-timeout={TIMEOUT_SECONDS}"),
            format!("-rss_limit_mb={MEMORY_MB}"),
            format!("-artifact_prefix={}/", self.found.display()),
        ]);
        command.args([&self.grown, &self.corpus, &self.found]).current_dir(workspace());
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| format!("{} could not be started: {why}", self.program.display()))?;
        let mut told = Told::of(self.name, seconds);
        if let Some(stderr) = child.stderr.take() {
            BufReader::new(stderr).split(b'\n').map_while(Result::ok).for_each(|line| told.hear(&line));
        }
        let ended = child.wait().map_err(|why| format!("{}: {why}", self.name))?;
        told.end();
        if ended.success() {
            return Ok(None);
        }
        let last = told.last.make_contiguous().join("\n");
        let Some(path) = told.found else { return Err(format!("{last}\n{} failed ({ended})", self.name)) };
        let path = path.strip_prefix(&format!("{}/", workspace().display())).unwrap_or(&path).to_owned();
        let (name, program) = (self.name, self.program.display());
        Ok(Some(format!(
            "{last}\n\n{name}: found {path}\n  again:   cargo run -p fuzz-targets -- {name} {path}\n  smaller: {program} -minimize_crash=1 \
             -max_total_time=60 {path}\n  and `cargo xtask test` is red until it does no harm: it is replayed there with all that was ever found"
        )))
    }

    /// Puts inputs that reach something new among those that everybody begins with: as few as reach all of it.
    fn keep(&self) -> Result<(), Failure> {
        let mut merge = Command::new(&self.program);
        merge.args(["-merge=1", "-rss_limit_mb=0"]).args([&self.corpus, &self.grown]).stderr(Stdio::null());
        let before = count(&self.corpus);
        run_to_the_end(&mut merge)?;
        println!("{}: {} inputs more in {}", self.name, count(&self.corpus) - before, self.corpus.display());
        Ok(())
    }
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// How far it is, as a person wants to know it.
struct Told {
    name: &'static str,
    seconds: u64,
    began: Instant,
    next: Instant,
    is_terminal: bool,
    /// The last state that was heard.
    state: String,
    last: VecDeque<String>,
    found: Option<String>,
}

impl Told {
    fn of(name: &'static str, seconds: u64) -> Self {
        let (now, is_terminal) = (Instant::now(), std::io::stdout().is_terminal());
        let (state, last) = (String::new(), VecDeque::new());
        Self { name, seconds, began: now, next: now + TELL_EVERY, is_terminal, state, last, found: None }
    }

    /// A line of libFuzzer's: how far it is (`#8192 pulse cov: 100 ft: 200 corp: 10/1Kb … exec/s: 500 …`), or what it has found.
    fn hear(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).into_owned();
        if let Some(path) = line.split_once("Test unit written to ").map(|(_, path)| path) {
            self.found = Some(path.trim().to_owned());
        }
        if line.starts_with('#') && line.contains(" cov: ") {
            let words: Vec<&str> = line.split_whitespace().collect();
            let after = |key| words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1)).copied();
            let (tried, reached) = (words[0].trim_start_matches('#'), after("cov:").unwrap_or("?"));
            let kept = after("corp:").and_then(|kept| kept.split('/').next()).unwrap_or("?");
            self.state = format!("{tried} inputs, {reached} edges reached, {kept} kept");
            let now = Instant::now();
            if self.is_terminal || now >= self.next {
                self.next = now + TELL_EVERY;
                self.show(if self.is_terminal { "\r" } else { "\n" });
            }
            return;
        }
        self.last.push_back(line);
        if self.last.len() > LAST_LINES {
            self.last.pop_front();
        }
    }

    fn show(&self, end: &str) {
        let clear = if self.is_terminal { "\x1b[K" } else { "" };
        print!(
            "{:<14} {:>4} of {} s: {}{clear}{end}",
            self.name,
            self.began.elapsed().as_secs(),
            self.seconds,
            self.state
        );
        let _not_shown = std::io::stdout().flush();
    }

    fn end(&self) {
        self.show("\n");
    }
}
