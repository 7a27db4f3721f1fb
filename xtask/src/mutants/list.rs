//! Mutants as data: what is changed where, and who must object. One file of `tests/mutants/` holds many:
//!
//!     ## the name
//!     kind: what kind of mistake it is
//!     in: the/file.rs
//!     - text that stands there exactly once
//!     + what stands there instead
//!     by: package::test_file name_of_the_test
//!
//! A hunk is some `-` lines and then some `+` lines, the first `-` line as it is from any place in it on; several hunks may follow, each
//! with `in:` where it is another file. `by:` names a test as nextest does (`plan-rules` alone: the unit tests), or `schema NAME`: a case
//! or race of `migrations/tests/`, or `property`, `property_retirement`. `sqlstate: HFnnn` in place of hunks takes a refusal out of the whole schema.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// A guard taken out, or turned into something else.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) hunks: Vec<Hunk>,
    /// The refusal that is taken out of the whole schema, where it is that.
    pub(crate) sqlstate: Option<String>,
    /// Who must object, each of them.
    pub(crate) by: Vec<Test>,
}

/// One exact piece of text, and what stands there instead.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Hunk {
    pub(crate) file: PathBuf,
    pub(crate) find: String,
    pub(crate) replace: String,
}

/// A test: where it is, and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Test {
    /// As nextest names it: `package`, `package::test_file`; or `schema`.
    pub(crate) binary: String,
    pub(crate) name: String,
}

/// The binary of cases and races that `migrations/tests/run.sh` runs.
pub(crate) const SCHEMA: &str = "schema";
/// Those of them that are neither, but try what comes.
const PROPERTIES: [&str; 2] = ["property", "property_retirement"];

impl Mutant {
    /// Whether only the schema is changed, so that nothing needs to be compiled anew.
    pub(crate) fn is_of_the_schema(&self) -> bool {
        self.hunks.iter().all(|hunk| hunk.file.starts_with("migrations"))
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        match self.hunks.first() {
            Some(hunk) => hunk.file.display().to_string(),
            None => "migrations/".to_owned(),
        }
    }
}

/// All mutants, in the order of files and lines; and one for every SQLSTATE of the schema.
pub(crate) fn all(workspace: &Path) -> Result<Vec<Mutant>, Failure> {
    let folder = workspace.join("tests/mutants");
    let entries = fs::read_dir(&folder).map_err(|why| format!("could not read {}: {why}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "txt"));
    files.sort();
    let mut mutants = Vec::new();
    for file in files {
        mutants.extend(parse(&read(&file)?).map_err(|why| format!("{}: {why}", file.display()))?);
    }
    mutants.extend(sqlstates(&read(&workspace.join("migrations/0002_history.sql"))?, &cases(workspace)?));
    let mut names: Vec<&str> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two mutants are called {}", pair[0])),
        None => Ok(mutants),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|why| format!("could not read {}: {why}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Mutant>, Failure> {
    let mut mutants: Vec<Mutant> = Vec::new();
    let mut file = PathBuf::new();
    // Whether the last line was one of a hunk's `+` lines, or none of a hunk at all.
    let mut hunk_is_over = true;
    for (number, line) in text.lines().enumerate() {
        let place = |what: &str| format!("line {}: {what}", number + 1);
        if let Some(name) = line.strip_prefix("## ") {
            mutants.push(Mutant { name: name.trim().to_owned(), ..Mutant::default() });
            file = PathBuf::new();
            hunk_is_over = true;
            continue;
        }
        let Some(mutant) = mutants.last_mut() else { continue };
        let body = |line: &str| line.get(2..).unwrap_or_default().to_owned();
        match line.split_once(": ").unwrap_or((line, "")) {
            _ if line.starts_with('-') => {
                if hunk_is_over {
                    mutant.hunks.push(Hunk { file: file.clone(), find: body(line), replace: String::new() });
                    hunk_is_over = false;
                } else if let Some(hunk) = mutant.hunks.last_mut().filter(|hunk| hunk.replace.is_empty()) {
                    hunk.find = format!("{}\n{}", hunk.find, body(line));
                }
            }
            _ if line.starts_with('+') => {
                let hunk = mutant.hunks.last_mut().ok_or_else(|| place("`+` without a `-` before"))?;
                if hunk_is_over {
                    hunk.replace.push('\n');
                }
                hunk.replace.push_str(&body(line));
                hunk_is_over = true;
            }
            ("kind", kind) => mutant.kind = kind.to_owned(),
            ("in", name) => (file, hunk_is_over) = (PathBuf::from(name), true),
            ("sqlstate", code) => mutant.sqlstate = Some(code.to_owned()),
            ("by", test) => {
                let (binary, name) = test.split_once(' ').ok_or_else(|| place("`by:` says where, and who"))?;
                mutant.by.push(Test { binary: binary.to_owned(), name: name.to_owned() });
                hunk_is_over = true;
            }
            ("", _) => hunk_is_over = true,
            _ => return Err(place("neither `kind:`, `in:`, `by:`, `sqlstate:`, `-` nor `+`")),
        }
    }
    Ok(mutants)
}

/// A mutant for each refusal that the schema lists, killed by whichever of its cases goes otherwise.
fn sqlstates(history: &str, cases: &[Case]) -> Vec<Mutant> {
    let codes = history.lines().filter_map(|line| line.strip_prefix("--   HF")?.split_whitespace().next());
    let mutant = |number: &str| {
        let code = format!("HF{number}");
        let expecting = cases.iter().filter(|case| case.expects == code);
        Mutant {
            name: format!("sqlstate_{code}"),
            kind: "refusal taken out".to_owned(),
            by: expecting.map(|case| Test { binary: SCHEMA.to_owned(), name: case.name.clone() }).collect(),
            sqlstate: Some(code),
            hunks: Vec::new(),
        }
    };
    codes.map(mutant).collect()
}

/// A case or race of the schema's tests.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The SQLSTATE that it expects; nothing for a race.
    expects: String,
}

/// The cases and races of the schema's tests.
pub(crate) fn cases(workspace: &Path) -> Result<Vec<Case>, Failure> {
    let folder = workspace.join("migrations/tests");
    let mut cases: Vec<Case> =
        PROPERTIES.iter().map(|name| Case { name: (*name).to_owned(), expects: String::new() }).collect();
    let entries = fs::read_dir(&folder).map_err(|why| format!("could not read {}: {why}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files.iter().filter(|path| path.extension().is_some_and(|kind| kind == "sql")) {
        for line in read(file)?.lines() {
            if let Some(name) = line.strip_prefix("--! case ").or_else(|| line.strip_prefix("--! race ")) {
                cases.push(Case { name: name.trim().to_owned(), expects: String::new() });
            } else if let (Some(code), Some(case)) = (line.strip_prefix("--! expect "), cases.last_mut()) {
                code.trim().clone_into(&mut case.expects);
            }
        }
    }
    Ok(cases)
}

/// Applies a hunk to the text of its file.
pub(crate) fn applied(hunk: &Hunk, text: &str) -> Result<String, Failure> {
    let place = hunk.file.display();
    match text.matches(&hunk.find).count() {
        1 => Ok(text.replacen(&hunk.find, &hunk.replace, 1)),
        0 => Err(format!("in {place} there is no\n{}", hunk.find)),
        many => Err(format!("in {place} there are {many} of\n{}", hunk.find)),
    }
}

/// Every reason why the list cannot be right: a hunk that does not apply exactly once, a test that is not there.
pub(crate) fn faults(mutants: &[Mutant], workspace: &Path) -> Result<Vec<Failure>, Failure> {
    let cases = cases(workspace)?;
    let mut faults = Vec::new();
    for mutant in mutants {
        let mut fault = |why: String| faults.push(format!("{}: {why}", mutant.name));
        if mutant.kind.is_empty() {
            fault("it has no kind".to_owned());
        }
        if mutant.hunks.is_empty() == mutant.sqlstate.is_none() {
            fault("it has either hunks or a SQLSTATE".to_owned());
        }
        for hunk in &mutant.hunks {
            match read(&workspace.join(&hunk.file)).and_then(|text| applied(hunk, &text)) {
                Ok(_) if hunk.find == hunk.replace => fault("it changes nothing".to_owned()),
                Ok(_) => {}
                Err(why) => fault(why),
            }
        }
        if mutant.by.is_empty() {
            fault("nobody is named who must object".to_owned());
        }
        for test in &mutant.by {
            if !exists(test, &cases, workspace) {
                fault(format!("there is no test {} {}", test.binary, test.name));
            }
        }
    }
    Ok(faults)
}

fn exists(test: &Test, cases: &[Case], workspace: &Path) -> bool {
    if test.binary == SCHEMA {
        return cases.iter().any(|case| case.name == test.name);
    }
    let (package, file) = test.binary.split_once("::").unwrap_or((&test.binary, ""));
    // The command line's package is called like its program.
    let folder = if package == "holdfast" { "cli" } else { package };
    let folder = ["", "tests"].iter().map(|above| workspace.join(above).join(folder)).find(|path| path.is_dir());
    let Some(folder) = folder else { return false };
    let function = format!("fn {}(", test.name.rsplit("::").next().unwrap_or_default());
    if file.is_empty() {
        // A unit test stands in the file that its modules name, or in one of those above it.
        return said_below(&folder.join("src"), &function);
    }
    read(&folder.join("tests").join(format!("{file}.rs"))).is_ok_and(|text| text.contains(&function))
        || said_below(&folder.join("tests").join(file), &function)
}

fn said_below(path: &Path, what: &str) -> bool {
    if path.is_dir() {
        return fs::read_dir(path).into_iter().flatten().flatten().any(|entry| said_below(&entry.path(), what));
    }
    path.extension().is_some_and(|kind| kind == "rs") && read(path).is_ok_and(|text| text.contains(what))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::cargo::workspace;

    #[test]
    fn a_mutant_is_read_with_all_its_lines() {
        let text = "Words before.\n\n## one\nkind: wrong number\nin: a.rs\n- x\n-     y\n+ z\n+ w\nby: a::b c\n\n## two\nkind: k\nin: b.sql\n- 1\n+\n\n- 2\n+ 3\nby: schema d\n";
        let mutants = parse(text).unwrap();
        assert_eq!(mutants.len(), 2);
        assert_eq!((mutants[0].hunks[0].find.as_str(), mutants[0].hunks[0].replace.as_str()), ("x\n    y", "z\nw"));
        assert_eq!(mutants[0].by, [Test { binary: "a::b".to_owned(), name: "c".to_owned() }]);
        assert_eq!((mutants[1].hunks.len(), mutants[1].hunks[1].replace.as_str()), (2, "3"));
        assert_eq!(mutants[1].hunks[0].replace, "");
    }

    #[test]
    fn a_hunk_applies_exactly_once() {
        let hunk = Hunk { file: "f".into(), find: "a".to_owned(), replace: "b".to_owned() };
        assert_eq!(applied(&hunk, "cac").unwrap(), "cbc");
        assert!(applied(&hunk, "c").is_err() && applied(&hunk, "aa").is_err());
    }

    #[test]
    fn every_mutant_still_applies_and_its_tests_are_there() {
        let faults = faults(&all(&workspace()).unwrap(), &workspace()).unwrap();
        assert!(faults.is_empty(), "change tests/mutants/ with what it speaks of:\n{}", faults.join("\n"));
    }

    #[test]
    fn the_schema_has_a_mutant_for_every_refusal_and_each_has_cases() {
        let mutants = all(&workspace()).unwrap();
        let of_codes: Vec<&Mutant> = mutants.iter().filter(|mutant| mutant.sqlstate.is_some()).collect();
        assert!(of_codes.len() >= 31, "{} refusals", of_codes.len());
    }
}
