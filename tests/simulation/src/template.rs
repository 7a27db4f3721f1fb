//! What every schedule begins with: groups of two zones with a guarded name, made once, by the real rules.

use crate::database::{Admit, Answer, Begun, Database, Group, Tables, Work};
use crate::intent::{Intent, Wish};
use crate::layout::Layout;
use crate::ledger::Ledger;
use crate::time::Time;
use crate::words::{GROUPS_MAX, Mask, Place, WWW, Words};
use plan_rules::{Author, Decision, Role, Scope, admit};
use std::rc::Rc;
use zone_model::Version;

/// The history that all schedules have in common.
#[derive(Debug)]
pub struct Template {
    /// The words.
    pub words: Rc<Words>,
    tables: Tables,
    ledgers: Vec<Ledger>,
}

/// The stamps at the places of a zone when it begins.
const BEGINNING: [u16; 7] = [1, 3, 5, 7, 9, 2, 11];

impl Default for Template {
    fn default() -> Self {
        let words = Rc::new(Words::default());
        let mut tables = Tables::default();
        tables.groups.resize(GROUPS_MAX, Group::new(0, 0));
        let mut database = Database::new(words.clone(), tables, None);
        let mut ledgers = vec![Ledger::default(); GROUPS_MAX];
        let guarded = Wish::Guard(Place::of(0, WWW), 2);
        let wishes = [Wish::Replace(0, BEGINNING), Wish::Replace(1, BEGINNING), guarded, Wish::Loosen];
        for (group, ledger) in ledgers.iter_mut().enumerate() {
            for (tag, wish) in wishes.iter().enumerate() {
                let base = database.tables.groups[group].tip().map(|tip| tip.version);
                let intent = Intent {
                    tag: tag as u32,
                    group,
                    base,
                    says_id: true,
                    wish: wish.clone(),
                    reads: Mask::default(),
                    by_operator: true,
                    may_dangle: false,
                    keyed: false,
                };
                begin_with(&mut database, ledger, &intent, base);
            }
        }
        Self { words, tables: database.tables, ledgers }
    }
}

fn begin_with(database: &mut Database, ledger: &mut Ledger, intent: &Intent, base: Option<Version>) {
    let words = database.words.clone();
    let words = &words.groups[intent.group];
    let operator = Author { role: Role::Operator, scope: Scope::default() };
    let Some(plan) = intent.plan(words) else { unreachable!("these are plans") };
    let mut history = database.footprint_of(intent.group, &plan);
    database.lean(intent.group, &plan, &mut history);
    let admission = match admit(&plan, &operator, &history) {
        Ok(Decision::Admit(admission)) => *admission,
        other => unreachable!("{:?}: {other:?}", intent.wish),
    };
    let work = Work::Admit(Rc::new(Admit::new(words, intent.group, admission, None, None)));
    let Begun::Open(number) = database.begin(&work, 0, Time(0)) else { unreachable!("nothing is in the way") };
    let Answer::Admitted(version) = database.commit(number, Time(0)) else { unreachable!("nothing is in the way") };
    if let Err(broken) = ledger.admitted(base, version, intent, None) {
        unreachable!("{broken}");
    }
}

impl Template {
    /// The tables of a schedule.
    #[must_use]
    pub fn tables(&self, layout: &Layout) -> Tables {
        let mut tables = self.tables.clone();
        tables.groups.truncate(layout.groups);
        for group in &mut tables.groups {
            group.moves = vec![Vec::new(); layout.rings.len()];
            group.reports = vec![None; layout.servers.len()];
        }
        tables.rings = layout.rings.clone();
        tables.servers = vec![None; layout.servers.len()];
        tables
    }

    /// What the checkers know at its beginning.
    #[must_use]
    pub fn ledgers(&self, layout: &Layout) -> Vec<Ledger> {
        self.ledgers[..layout.groups].to_vec()
    }
}
