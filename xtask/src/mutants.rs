//! `cargo xtask mutants`: takes out guards, one at a time, and sees that the tests object.

mod judge;
mod list;
mod scratch;
mod shown;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::Args;

use crate::scratch_postgres::ScratchPostgres;
use crate::{Failure, cargo, tools};
use judge::{End, Judge, package_of_file};
use list::{Mutant, Test};
use scratch::Scratch;
use shown::Shown;

/// What is asked for.
#[derive(Args)]
pub(crate) struct Options {
    /// Only mutants whose name or file contains this; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Name the mutants, and do nothing.
    #[arg(long)]
    list: bool,
    /// See that every mutant still applies and that its tests are there, and do nothing.
    #[arg(long, conflicts_with = "list")]
    check: bool,
    /// Write the table into docs/track-record.md; it takes all mutants, and all of them killed.
    #[arg(long, conflicts_with_all = ["only", "list", "check"])]
    write: bool,
    /// For each mutant, run all tests of its package (or of the schema), and say who objects.
    #[arg(long, conflicts_with_all = ["write", "list", "check"])]
    who: bool,
    /// Forget what earlier runs have shown: without this, what was killed in the same sources is not tried again.
    #[arg(long, conflicts_with_all = ["list", "check", "who"])]
    afresh: bool,
}

/// Runs what is asked for; fails when a mutant survives, or shows nothing.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut mutants = list::all(&cargo::workspace())?;
    mutants.retain(|mutant| {
        let is_meant = |pattern: &String| mutant.name.contains(pattern) || mutant.place().contains(pattern);
        options.only.is_empty() || options.only.iter().any(is_meant)
    });
    if mutants.is_empty() {
        return Err("no mutant is called so".to_owned());
    }
    if options.list {
        mutants.iter().for_each(|mutant| println!("{:<60} {:<28} {}", mutant.name, mutant.kind, mutant.place()));
        return Ok(());
    }
    let faults = list::faults(&mutants, &cargo::workspace())?;
    if !faults.is_empty() && !options.who {
        return Err(faults.join("\n"));
    }
    if options.check {
        println!("{} mutants apply, and their tests are there", mutants.len());
        return Ok(());
    }
    tools::need_postgres()?;
    let (scratch, postgres) = (Scratch::of_the_tree()?, ScratchPostgres::start()?);
    scratch.migrations_with(None)?;
    let judge = Judge { scratch: &scratch, postgres: &postgres };
    if options.who {
        return mutants.iter().try_for_each(|mutant| say_who_objects(&judge, mutant));
    }
    let start = Instant::now();
    let mut shown = Shown::of(&scratch, options.afresh)?;
    let before = mutants.iter().filter(|mutant| shown.is_killed(mutant)).count();
    let survivors = hunt(&judge, &mutants, &mut shown)?;
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!(
        "{} mutants, {} killed ({before} of them before), {} not, in {minutes:.1} minutes",
        mutants.len(),
        mutants.len() - survivors.len(),
        survivors.len()
    );
    if !survivors.is_empty() {
        return Err(format!("not killed, or not for a reason that counts:\n  {}", survivors.join("\n  ")));
    }
    if options.write { table::write(&mutants) } else { Ok(()) }
}

/// Kills one mutant after another, and names those that live.
fn hunt(judge: &Judge<'_>, mutants: &[Mutant], shown: &mut Shown) -> Result<Vec<String>, Failure> {
    run_without_any(judge, mutants.iter().filter(|mutant| !shown.is_killed(mutant)).collect(), shown)?;
    let mut survivors = Vec::new();
    for (place, mutant) in mutants.iter().enumerate() {
        print!("[{}/{}] {:<60} ", place + 1, mutants.len(), mutant.name);
        if shown.is_killed(mutant) {
            println!("killed before");
            continue;
        }
        let _not_shown = std::io::stdout().flush();
        let start = Instant::now();
        let verdict = spoil(judge, mutant)
            .and_then(|_spoilt| judge.ends(&mutant.by.iter().cloned().collect(), mutant.is_of_the_schema()));
        let verdict = verdict.and_then(|ends| killed(mutant, &ends));
        match verdict {
            Ok(words) => {
                println!("killed   {} {words}", seconds(start.elapsed()));
                shown.keep_killed(mutant)?;
            }
            Err(why) => {
                println!("NOT KILLED {}\n{why}", seconds(start.elapsed()));
                survivors.push(mutant.name.clone());
            }
        }
    }
    Ok(survivors)
}

/// Sees that the tests are green where there is no mutant: one that is red anyway would kill every mutant.
fn run_without_any(judge: &Judge<'_>, mutants: Vec<&Mutant>, shown: &mut Shown) -> Result<(), Failure> {
    let named: BTreeSet<Test> = mutants.into_iter().flat_map(|mutant| mutant.by.iter().cloned()).collect();
    let unknown: BTreeSet<Test> = named.iter().filter(|test| !shown.is_green(test)).cloned().collect();
    println!("{} tests without any mutant, {} of them green before …", named.len(), named.len() - unknown.len());
    if unknown.is_empty() {
        return Ok(());
    }
    let mut ends = judge.ends(&unknown, true)?;
    // Some wait only so long for what others do: on a busy machine they may need a second try.
    let again: BTreeSet<Test> =
        ends.iter().filter(|(_, end)| **end != End::Green).map(|(test, _)| test.clone()).collect();
    if !again.is_empty() {
        ends.extend(judge.ends(&again, true)?);
    }
    shown.keep_green(ends.iter().filter(|(_, end)| **end == End::Green).map(|(test, _)| test))?;
    let red = ends.iter().filter(|(_, end)| **end != End::Green);
    let red: Vec<String> = red.map(|(test, end)| format!("{} {}: {end:?}", test.binary, test.name)).collect();
    if red.is_empty() { Ok(()) } else { Err(format!("red without any mutant:\n  {}", red.join("\n  "))) }
}

/// Puts a mutant in its place, until what is returned is dropped.
fn spoil(judge: &Judge<'_>, mutant: &Mutant) -> Result<Option<scratch::Spoilt>, Failure> {
    judge.scratch.migrations_with(mutant.is_of_the_schema().then_some(mutant))?;
    if mutant.is_of_the_schema() { Ok(None) } else { judge.scratch.with(mutant).map(Some) }
}

/// Every test that is named has to object; of a refusal's cases, one, because others may meet a second refusal behind it.
fn killed(mutant: &Mutant, ends: &BTreeMap<Test, End>) -> Result<String, Failure> {
    let red = ends.values().filter(|end| **end == End::Red).count();
    let needed = if mutant.sqlstate.is_some() { 1 } else { mutant.by.len() };
    if red >= needed && red > 0 {
        return Ok(format!("by {red} of {}", ends.len()));
    }
    let others = ends.iter().filter(|(_, end)| **end != End::Red);
    Err(others.map(|(test, end)| format!("    {} {}: {end:?}", test.binary, test.name)).collect::<Vec<_>>().join("\n"))
}

fn say_who_objects(judge: &Judge<'_>, mutant: &Mutant) -> Result<(), Failure> {
    println!("{}", mutant.name);
    let _spoilt = spoil(judge, mutant)?;
    let mut packages: BTreeSet<String> =
        mutant.by.iter().map(|test| judge::package_of(&test.binary).to_owned()).collect();
    packages.extend(mutant.hunks.iter().map(|hunk| package_of_file(&hunk.file)));
    for package in packages {
        match judge.who_objects(&package, mutant.is_of_the_schema()) {
            Ok(tests) if tests.is_empty() => println!("    nobody in {package}"),
            Ok(tests) => tests.iter().for_each(|test| println!("    by: {} {}", test.binary, test.name)),
            Err(why) => println!("    {package}: {why}"),
        }
    }
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:>5.1} s", time.as_secs_f64())
}
