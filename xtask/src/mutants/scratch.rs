//! A copy of the tree to be spoilt, in the target directory. What does not change keeps its time, so that a build after a mutant compiles what the mutant changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mutants::list::{Mutant, applied};
use crate::{Failure, cargo};

/// The copy, and where it is built.
pub(crate) struct Scratch {
    home: PathBuf,
    /// Held for as long as the copy is used: two runs at once would put their mutants together.
    _lock: fs::File,
}

impl Scratch {
    /// Makes the copy, or brings the one of the last run up to date.
    pub(crate) fn of_the_tree() -> Result<Self, Failure> {
        let scratch = Self::in_folder(&cargo::target_directory()?.join("mutants"))?;
        let (from, to) = (cargo::workspace(), scratch.tree());
        let files = files_of(&from)?;
        for file in &files {
            write_if_other(&to.join(file), &read(&from.join(file))?)?;
        }
        // What went from the tree goes from the copy: a file that is left over may be compiled.
        for file in scratch.files() {
            if !files.contains(&file) {
                fs::remove_file(to.join(&file)).map_err(|why| failed(&to.join(&file), &why))?;
            }
        }
        Ok(scratch)
    }

    /// What is there, in a folder that is its own from now on.
    pub(crate) fn in_folder(home: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(home).map_err(|why| failed(home, &why))?;
        let lock = fs::File::create(home.join("lock")).map_err(|why| failed(&home.join("lock"), &why))?;
        lock.try_lock().map_err(|_| format!("another run hunts mutants in {}", home.display()))?;
        Ok(Self { home: home.to_owned(), _lock: lock })
    }

    /// The files of the copy.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        files_below(&self.tree(), Path::new("")).into_iter().collect()
    }

    /// The copy of the tree.
    pub(crate) fn tree(&self) -> PathBuf {
        self.home.join("tree")
    }

    /// A copy of the migrations alone: for mutants of the schema, which nothing is compiled for.
    pub(crate) fn migrations(&self) -> PathBuf {
        self.home.join("migrations")
    }

    /// Where the copy is built.
    pub(crate) fn target(&self) -> PathBuf {
        self.home.join("target")
    }

    /// Where it is kept what earlier runs have shown.
    pub(crate) fn shown(&self) -> PathBuf {
        self.home.join("shown")
    }

    /// Puts a mutant into the copy of the tree, until the value is dropped.
    pub(crate) fn with(&self, mutant: &Mutant) -> Result<Spoilt, Failure> {
        let mut spoilt = Spoilt { originals: Vec::new() };
        for hunk in &mutant.hunks {
            let path = self.tree().join(&hunk.file);
            let text = String::from_utf8_lossy(&read(&path)?).into_owned();
            let mutated = applied(hunk, &text)?;
            spoilt.originals.push((path.clone(), text));
            fs::write(&path, mutated).map_err(|why| failed(&path, &why))?;
        }
        Ok(spoilt)
    }

    /// Makes the copy of the migrations anew, with a mutant in it.
    pub(crate) fn migrations_with(&self, mutant: Option<&Mutant>) -> Result<(), Failure> {
        let (from, to) = (self.tree().join("migrations"), self.migrations());
        let _first_time = fs::remove_dir_all(&to);
        for file in files_below(&from, Path::new("")) {
            let mut content = read(&from.join(&file))?;
            if let Some(mutant) = mutant {
                let mut text = String::from_utf8_lossy(&content).into_owned();
                for hunk in mutant.hunks.iter().filter(|hunk| hunk.file == Path::new("migrations").join(&file)) {
                    text = applied(hunk, &text)?;
                }
                if let (Some(code), true) = (
                    &mutant.sqlstate,
                    file.extension().is_some_and(|kind| kind == "sql") && file.parent() == Some(Path::new("")),
                ) {
                    text = without(code, &text);
                }
                content = text.into_bytes();
            }
            write_if_other(&to.join(&file), &content)?;
        }
        Ok(())
    }
}

/// The schema's text with one refusal taken out: what would raise it says a word instead, and goes on.
fn without(code: &str, text: &str) -> String {
    text.replace(&format!("then '{code}'"), "then null")
        .replace(&format!("raise exception using errcode = '{code}'"), "raise notice using errcode = '00000'")
}

/// A mutant in the copy; dropped, the copy is whole again.
pub(crate) struct Spoilt {
    originals: Vec<(PathBuf, String)>,
}

impl Drop for Spoilt {
    fn drop(&mut self) {
        // The last first: several hunks may be of one file.
        for (path, text) in self.originals.iter().rev() {
            if let Err(why) = fs::write(path, text) {
                eprintln!("{}; the next run puts it right", failed(path, &why));
            }
        }
    }
}

/// What git has or would have.
fn files_of(workspace: &Path) -> Result<Vec<PathBuf>, Failure> {
    let answer = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(workspace)
        .output()
        .map_err(|why| format!("`git ls-files` could not be started: {why}"))?;
    let names = String::from_utf8_lossy(&answer.stdout).into_owned();
    let files: Vec<PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    let files: Vec<PathBuf> = files.into_iter().filter(|file| workspace.join(file).is_file()).collect();
    if files.is_empty() { Err("git knows no file of this tree".to_owned()) } else { Ok(files) }
}

fn files_below(folder: &Path, below: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder.join(below)).into_iter().flatten().flatten() {
        let name = below.join(entry.file_name());
        if entry.path().is_dir() {
            files.extend(files_below(folder, &name));
        } else {
            files.push(name);
        }
    }
    files
}

fn write_if_other(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|why| failed(folder, &why))?;
    }
    fs::write(path, content).map_err(|why| failed(path, &why))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|why| format!("could not read {}: {why}", path.display()))
}

fn failed(path: &Path, why: &std::io::Error) -> Failure {
    format!("could not write {}: {why}", path.display())
}
