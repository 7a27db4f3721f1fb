//! What a Holdfast's programs said last, shown when a test fails.

use std::fs;
use std::path::PathBuf;

use crate::Holdfast;

/// Lines shown of each log.
const LAST_WORDS: usize = 25;

impl Holdfast {
    pub(crate) fn show_last_words(&self) {
        eprintln!("--- holdfast up said:\n{}", self.said());
        let mut logs: Vec<PathBuf> =
            fs::read_dir(self.data().join("log")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        logs.sort();
        for log in logs {
            let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("--- the end of {}:", log.file_name().unwrap_or_default().display());
            eprintln!("{}", lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n"));
        }
    }
}
