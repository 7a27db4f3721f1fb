//! What earlier runs have shown, so that a hunt that was interrupted goes on where it was. Whatever could change a verdict is in the key: the
//! mutant with those who must object, and the sources that it is put into. Of survivors nothing is kept: they are tried again.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::mutants::list::{Mutant, Test};
use crate::mutants::scratch::Scratch;

/// What was shown on these sources, one line each, beside what was shown on others.
pub(crate) struct Shown {
    path: PathBuf,
    /// The digest of the sources.
    tree: String,
    lines: BTreeSet<String>,
}

impl Shown {
    /// Of a copy in which there is no mutant now. `afresh`: nothing was shown.
    pub(crate) fn of(scratch: &Scratch, afresh: bool) -> Result<Self, Failure> {
        let files = scratch.files();
        let sources = files.iter().filter(|file| decides(file)).map(|file| (file, fs::read(scratch.tree().join(file))));
        let mut digest = DefaultHasher::new();
        for (file, content) in sources {
            let content = content.map_err(|why| format!("could not read {}: {why}", file.display()))?;
            (file, content).hash(&mut digest);
        }
        let path = scratch.shown();
        if afresh && path.exists() {
            fs::remove_file(&path).map_err(|why| format!("could not forget {}: {why}", path.display()))?;
        }
        // There is none before the first run. A line that was cut off is like none.
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().map(ToOwned::to_owned).collect();
        Ok(Self { path, tree: format!("{:016x}", digest.finish()), lines })
    }

    /// Whether this very mutant was killed in these sources.
    pub(crate) fn is_killed(&self, mutant: &Mutant) -> bool {
        self.lines.contains(&self.killed(mutant))
    }

    /// Whether the test was green in these sources, without any mutant.
    pub(crate) fn is_green(&self, test: &Test) -> bool {
        self.lines.contains(&self.green(test))
    }

    /// Keeps that a mutant was killed.
    pub(crate) fn keep_killed(&mut self, mutant: &Mutant) -> Result<(), Failure> {
        self.keep(vec![self.killed(mutant)])
    }

    /// Keeps that tests were green without any mutant.
    pub(crate) fn keep_green<'a>(&mut self, tests: impl Iterator<Item = &'a Test>) -> Result<(), Failure> {
        let lines = tests.map(|test| self.green(test)).collect();
        self.keep(lines)
    }

    fn keep(&mut self, lines: Vec<String>) -> Result<(), Failure> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.lines.extend(lines);
        let kept = fs::OpenOptions::new().create(true).append(true).open(&self.path);
        kept.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|why| format!("could not write {}: {why}", self.path.display()))
    }

    fn killed(&self, mutant: &Mutant) -> String {
        let mut digest = DefaultHasher::new();
        mutant.hash(&mut digest);
        format!("{} killed {:016x} {}", self.tree, digest.finish(), mutant.name)
    }

    fn green(&self, test: &Test) -> String {
        format!("{} green {} {}", self.tree, test.binary, test.name)
    }
}

/// Whether a verdict may depend on this file: not on words, nor on what lists, tries and judges mutants.
fn decides(file: &Path) -> bool {
    let is_aside = ["docs", "tests/mutants", "xtask"].iter().any(|folder| file.starts_with(folder));
    !is_aside && file.extension().is_none_or(|kind| kind != "md")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::cargo;

    fn shown(home: &Path) -> Shown {
        Shown::of(&Scratch::in_folder(home).unwrap(), false).unwrap()
    }

    #[test]
    fn what_was_shown_is_known_until_the_sources_or_the_mutant_change() {
        let home = cargo::target_directory().unwrap().join("tmp").join(format!("shown-{}", std::process::id()));
        let tree = home.join("tree");
        let write = |file: &str, text: &str| {
            fs::create_dir_all(tree.join(file).parent().unwrap()).unwrap();
            fs::write(tree.join(file), text).unwrap();
        };
        write("server/src/lib.rs", "one");
        let test = Test { binary: "server".to_owned(), name: "t".to_owned() };
        let mutant = Mutant { name: "m".to_owned(), by: vec![test.clone()], ..Mutant::default() };
        let mut first = shown(&home);
        assert!(!first.is_killed(&mutant) && !first.is_green(&test));
        first.keep_killed(&mutant).unwrap();
        first.keep_green([&test].into_iter()).unwrap();
        assert!(first.is_killed(&mutant));
        drop(first);

        let other = Mutant { by: vec![], ..mutant.clone() };
        for aside in ["docs/a.txt", "tests/mutants/a.txt", "xtask/src/main.rs", "server/README.md"] {
            write(aside, "words");
        }
        let again = shown(&home);
        assert!(again.is_killed(&mutant) && again.is_green(&test) && !again.is_killed(&other));
        drop(again);

        write("server/src/lib.rs", "two");
        let changed = shown(&home);
        assert!(!changed.is_killed(&mutant) && !changed.is_green(&test));
        drop(changed);
        write("server/src/lib.rs", "one");
        assert!(shown(&home).is_killed(&mutant), "as before");
        // A file by another name is another source.
        fs::rename(tree.join("server/src/lib.rs"), tree.join("server/src/main.rs")).unwrap();
        assert!(!shown(&home).is_killed(&mutant));
        fs::rename(tree.join("server/src/main.rs"), tree.join("server/src/lib.rs")).unwrap();
        let scratch = Scratch::in_folder(&home).unwrap();
        assert!(!Shown::of(&scratch, true).unwrap().is_killed(&mutant), "forgotten");
        drop(scratch);
        assert!(!shown(&home).is_killed(&mutant), "and for good");
        fs::remove_dir_all(&home).unwrap();
    }
}
