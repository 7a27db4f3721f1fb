//! Counts disagreements, and says when one has been met often enough. Pure.
//!
//! One look proves little: a row may be read while something breaks off, or a machine may be in the middle of dying. So a
//! group is frozen when the same disagreement was met in three rounds, at the same server. Silence is no round: it neither
//! adds nor takes away.

use std::collections::{BTreeMap, HashMap};

/// In so many rounds the same disagreement must be met.
pub(super) const ROUNDS: u32 = 3;

/// What a server and the history disagree about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A record set: its zone, its owner column and its type.
    Records { zone: i64, owner: String, rtype: u16 },
    /// The generation that the server serves, while it goes on reporting this one.
    Report { generation: i64, id: [u8; 32] },
}

/// Whose disagreement: a server's name and a group.
pub(super) type Whose = (String, i64);

/// All disagreements that are not settled.
#[derive(Debug, Default)]
pub(super) struct Suspicions(HashMap<Whose, BTreeMap<Subject, u32>>);

impl Suspicions {
    /// They agree about it, now.
    pub(super) fn agrees(&mut self, whose: &Whose, subject: &Subject) {
        if let Some(of_them) = self.0.get_mut(whose) {
            of_them.remove(subject);
            if of_them.is_empty() {
                self.0.remove(whose);
            }
        }
    }

    /// They do not. In how many rounds they did not by now.
    pub(super) fn differs(&mut self, whose: &Whose, subject: Subject) -> u32 {
        let rounds = self.0.entry(whose.clone()).or_default().entry(subject).or_default();
        *rounds += 1;
        *rounds
    }

    /// Whatever the server was said to report, it reports something else now.
    pub(super) fn reports(&mut self, whose: &Whose, now: &Subject) {
        if let Some(of_them) = self.0.get_mut(whose) {
            of_them.retain(|subject, _| matches!(subject, Subject::Records { .. }) || subject == now);
        }
    }

    /// The group is frozen: what was met until now has led to something. When somebody has thawed it, all is counted anew.
    pub(super) fn group_is_frozen(&mut self, group: i64) {
        for (_, of_them) in self.0.iter_mut().filter(|((_, of), _)| *of == group) {
            of_them.values_mut().for_each(|rounds| *rounds = 0);
        }
    }

    /// Record sets of a group that are to be asked about again, at whichever server.
    pub(super) fn to_ask_again(&self, group: i64) -> Vec<(i64, String, u16)> {
        let of_group = self.0.iter().filter(|((_, of), _)| *of == group).flat_map(|(_, of_them)| of_them.keys());
        let records = of_group.filter_map(|subject| match subject {
            Subject::Records { zone, owner, rtype } => Some((*zone, owner.clone(), *rtype)),
            Subject::Report { .. } => None,
        });
        let mut asked: Vec<_> = records.collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// Groups with a server that something is to be asked again.
    pub(super) fn groups(&self) -> Vec<i64> {
        let mut groups: Vec<i64> = self.0.keys().map(|(_, group)| *group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(owner: &str) -> Subject {
        Subject::Records { zone: 1, owner: owner.to_owned(), rtype: 1 }
    }

    #[test]
    fn only_the_same_disagreement_at_the_same_server_adds_up() {
        let (mut all, a, b) = (Suspicions::default(), ("a".to_owned(), 1), ("b".to_owned(), 1));
        assert_eq!(all.differs(&a, records("www")), 1);
        assert_eq!(all.differs(&b, records("www")), 1);
        assert_eq!(all.differs(&a, records("mail")), 1);
        assert_eq!(all.differs(&a, records("www")), 2);
        assert_eq!(all.differs(&a, records("www")), ROUNDS);
        assert_eq!(all.groups(), [1]);
        assert_eq!(all.to_ask_again(1), [(1, "mail".to_owned(), 1), (1, "www".to_owned(), 1)]);
    }

    #[test]
    fn an_agreement_in_between_ends_it() {
        let (mut all, a) = (Suspicions::default(), ("a".to_owned(), 1));
        all.differs(&a, records("www"));
        all.differs(&a, records("www"));
        all.agrees(&a, &records("www"));
        assert_eq!(all.count(), 0);
        assert_eq!(all.differs(&a, records("www")), 1);
    }

    #[test]
    fn a_report_that_moves_on_is_another_disagreement() {
        let (mut all, a) = (Suspicions::default(), ("a".to_owned(), 1));
        let report = |generation| Subject::Report { generation, id: [0; 32] };
        all.differs(&a, report(1));
        all.differs(&a, report(1));
        all.reports(&a, &report(2));
        assert_eq!(all.differs(&a, report(1)), 1);
        all.differs(&a, records("www"));
        all.reports(&a, &report(2));
        assert_eq!(all.count(), 1);
    }

    #[test]
    fn after_a_thaw_it_is_counted_anew() {
        let (mut all, a) = (Suspicions::default(), ("a".to_owned(), 1));
        for _ in 0..5 {
            all.differs(&a, records("www"));
        }
        all.group_is_frozen(1);
        assert_eq!(all.to_ask_again(1).len(), 1);
        assert_eq!(all.differs(&a, records("www")), 1);
    }
}
