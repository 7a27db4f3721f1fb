//! `cargo xtask sqlx-prepare`: what Postgres says about every query, written down so that builds need no database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch_postgres::ScratchPostgres;
use crate::{Failure, cargo, tools};

/// The macros that ask.
const MACROS: [&str; 6] =
    ["query!(", "query_as!(", "query_scalar!(", "query_file!(", "query_file_as!(", "query_file_scalar!("];

/// Asks about every query; writes the answers down, or compares them with what is written.
pub(crate) fn run(check: bool) -> Result<(), Failure> {
    tools::need_postgres()?;
    let kept = cargo::workspace().join(".sqlx");
    let packages = packages_that_ask()?;
    let fresh = if packages.is_empty() { BTreeMap::new() } else { ask(&packages)? };
    let old = answers(&kept)?;
    if check {
        return compare(&old, &fresh);
    }
    let failed = |path: &Path, why: std::io::Error| format!("could not write {}: {why}", path.display());
    fs::create_dir_all(&kept).map_err(|why| failed(&kept, why))?;
    for name in old.keys().filter(|name| !fresh.contains_key(*name)) {
        fs::remove_file(kept.join(name)).map_err(|why| failed(&kept.join(name), why))?;
    }
    for (name, text) in fresh.iter().filter(|(name, text)| old.get(*name) != Some(*text)) {
        fs::write(kept.join(name), text).map_err(|why| failed(&kept.join(name), why))?;
    }
    println!("{} queries of {} are described in .sqlx", fresh.len(), packages.join(", "));
    Ok(())
}

fn compare(old: &BTreeMap<String, Vec<u8>>, fresh: &BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    let names: BTreeSet<&String> = old.keys().chain(fresh.keys()).collect();
    let stale: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (old.get(name), fresh.get(name)) {
            (Some(before), Some(now)) if before == now => None,
            (Some(_), Some(_)) => Some(format!("  {name} says something else than Postgres does now")),
            (Some(_), None) => Some(format!("  {name} is of no query")),
            (None, _) => Some(format!("  {name} is missing")),
        })
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(".sqlx is stale:\n{}\nType `cargo xtask sqlx-prepare`, and commit .sqlx.", stale.join("\n")))
}

/// Compiles the packages (not their tests, which ask without macros) against a private Postgres, apart from all other builds: their queries must be looked at again
/// even if nothing in their source changed, because the migrations may have.
fn ask(packages: &[String]) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let postgres = ScratchPostgres::start()?;
    postgres.migrate()?;
    let home = cargo::target_directory()?.join("sqlx-prepare");
    let queries = home.join("queries");
    if queries.exists() {
        fs::remove_dir_all(&queries).map_err(|why| format!("could not empty {}: {why}", queries.display()))?;
    }
    fs::create_dir_all(&queries).map_err(|why| format!("could not make {}: {why}", queries.display()))?;
    let chosen: Vec<&str> = packages.iter().flat_map(|package| ["-p", package.as_str()]).collect();
    let built = home.join("target");
    cargo::run(cargo::cargo(&["clean", "--quiet"]).args(&chosen).env("CARGO_TARGET_DIR", &built))?;
    cargo::run(
        cargo::cargo(&["check", "--quiet", "--lib", "--bins"])
            .args(&chosen)
            .env("CARGO_TARGET_DIR", &built)
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &queries)
            .env("DATABASE_URL", postgres.owner_url()),
    )?;
    answers(&queries)
}

fn answers(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("query-") {
            let text = fs::read(entry.path()).map_err(|why| format!("could not read {name}: {why}"))?;
            found.insert(name, text);
        }
    }
    Ok(found)
}

fn packages_that_ask() -> Result<Vec<String>, Failure> {
    let root = cargo::workspace();
    let folders = fs::read_dir(&root).map_err(|why| format!("could not read {}: {why}", root.display()))?;
    let nested = fs::read_dir(root.join("tests")).into_iter().flatten();
    let mut packages: Vec<String> = folders
        .chain(nested)
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| !folder.ends_with("xtask") && asks(&folder.join("src")))
        .filter_map(|folder| name_in(&folder.join("Cargo.toml")))
        .collect();
    packages.sort();
    Ok(packages)
}

fn asks(path: &Path) -> bool {
    if path.is_dir() {
        return fs::read_dir(path).into_iter().flatten().flatten().any(|entry| asks(&entry.path()));
    }
    path.extension().is_some_and(|kind| kind == "rs")
        && fs::read_to_string(path).is_ok_and(|text| MACROS.iter().any(|one| text.contains(one)))
}

fn name_in(manifest: &PathBuf) -> Option<String> {
    let text = fs::read_to_string(manifest).ok()?;
    let line = text.lines().find(|line| line.starts_with("name"))?;
    line.split('"').nth(1).map(str::to_owned)
}
