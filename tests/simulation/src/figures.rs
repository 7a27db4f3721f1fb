//! What happened in some schedules, counted: a simulation in which nothing is refused proves nothing.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by what was counted.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    counts: BTreeMap<&'static str, u64>,
}

impl Figures {
    /// One more of these.
    pub fn count(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    /// So many more.
    pub fn add(&mut self, what: &'static str, many: u64) {
        *self.counts.entry(what).or_default() += many;
    }

    /// How many there were.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// Takes in others.
    pub fn take_in(&mut self, others: &Self) {
        for (what, many) in &others.counts {
            self.add(what, *many);
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.counts.keys().map(|what| what.len()).max().unwrap_or(0);
        for (what, many) in &self.counts {
            writeln!(f, "  {what:<width$}  {many:>12}")?;
        }
        Ok(())
    }
}
