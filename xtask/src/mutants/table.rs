//! The table of mutants in `docs/track-record.md`.

use std::fs;

use crate::mutants::list::Mutant;
use crate::{Failure, cargo};

const BEGIN: &str = "<!-- mutants: written by `cargo xtask mutants --write` -->";
const END: &str = "<!-- end of mutants -->";

/// Writes it between its marks.
pub(crate) fn write(mutants: &[Mutant]) -> Result<(), Failure> {
    let path = cargo::workspace().join("docs/track-record.md");
    let text = fs::read_to_string(&path).map_err(|why| format!("could not read {}: {why}", path.display()))?;
    let written = put(&text, mutants)
        .ok_or_else(|| format!("{} has no line `{BEGIN}` with a `{END}` after it", path.display()))?;
    fs::write(&path, written).map_err(|why| format!("could not write {}: {why}", path.display()))
}

fn put(text: &str, mutants: &[Mutant]) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let rows: String = mutants.iter().map(row).collect();
    let count = mutants.len();
    Some(format!(
        "{before}{BEGIN}\n{count} mutants, each killed by the tests that stand beside it.\n\n| mutant | kind | in | killed by |\n| --- | --- | --- | --- |\n{rows}{END}{after}"
    ))
}

fn row(mutant: &Mutant) -> String {
    let names =
        |many: usize| mutant.by.iter().take(many).map(|test| format!("`{}`", test.name)).collect::<Vec<_>>().join(", ");
    let by = match mutant.by.len() {
        many if many > 4 => format!("{} and {} more", names(3), many - 3),
        many => names(many),
    };
    let name = mutant.name.replace('_', " ");
    format!("| {name} | {} | `{}` | {by} |\n", mutant.kind, mutant.place())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_table_stands_between_its_marks_and_nothing_else_changes() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let mutant = Mutant { name: "no_guard".to_owned(), kind: "dropped".to_owned(), ..Mutant::default() };
        let written = put(&text, &[mutant]).unwrap();
        assert!(written.starts_with(&format!("a\n{BEGIN}\n")) && written.ends_with(&format!("{END}\nb\n")));
        assert!(written.contains("| no guard | dropped |") && !written.contains("old"));
        assert_eq!(put("without marks", &[]), None);
    }
}
