//! What is called: plans as the real rules decide them, and the same plans bent into what no rule would let through.

use plan_rules::{Admission, Author, Decision, Role, RollbackRequest, Scope, admit, raise, rollback};
use simulation::database::{Database, tip_of};
use simulation::intent::{Intent, Wish};
use simulation::words::{GROUPS_MAX, Mask, Place, WWW};
use zone_model::{Base, Generation, Id, PlanKind};

/// The stamps at the places of a zone when it begins.
const BEGINNING: [u16; 7] = [1, 3, 5, 7, 9, 2, 11];

/// How the groups begin: two zones, a guarded name, and planners who may delete.
pub(crate) fn beginning() -> impl Iterator<Item = (usize, Wish)> {
    let guarded = Wish::Guard(Place::of(0, WWW), 2);
    let wishes = [Wish::Replace(0, BEGINNING), Wish::Replace(1, BEGINNING), guarded, Wish::Loosen];
    (0..GROUPS_MAX).flat_map(move |group| wishes.clone().into_iter().map(move |wish| (group, wish)))
}

/// Somebody wishes so who has read the tip.
#[must_use]
pub fn on_the_tip(database: &Database, group: usize, wish: Wish) -> Intent {
    let base = database.tables.groups[group].tip().map(|tip| tip.version);
    let reads = Mask::default();
    Intent { tag: 0, group, base, says_id: false, wish, reads, by_operator: true, may_dangle: true, keyed: false }
}

/// What the rules make of a wish; none for what they refuse, and where nothing is to be done.
#[must_use]
pub fn decide(database: &Database, intent: &Intent) -> Option<Admission> {
    decide_with(database, intent, true)
}

/// The same, by rules that look at no guarded name.
#[must_use]
pub fn decide_unguarded(database: &Database, intent: &Intent) -> Option<Admission> {
    decide_with(database, intent, false)
}

fn decide_with(database: &Database, intent: &Intent, looks_at_guards: bool) -> Option<Admission> {
    let group = intent.group;
    let words = &database.words.groups[group];
    let tip = database.tables.groups[group].tip().map(|tip| tip_of(tip));
    let plan = match &intent.wish {
        Wish::Raise => return raise(tip?, database.greatest_reported(group), &database.zones_of(group)).ok(),
        Wish::Rollback(to, through_freeze) => {
            let request = RollbackRequest {
                group: words.name.clone(),
                to: *to,
                base: intent.base.map_or(Base::NOTHING, |base| Base::from(base.generation)),
                base_id: None,
                reason: "tried".to_owned(),
                through_freeze: *through_freeze,
            };
            rollback(&request, tip?, database.formers(group, *to)).ok()?
        }
        _ => intent.plan(words)?,
    };
    let mut history = database.footprint_of(group, &plan);
    database.lean(group, &plan, &mut history);
    if !looks_at_guards {
        history.zones.values_mut().for_each(|of_zone| of_zone.guarded.clear());
    }
    let role = if intent.by_operator { Role::Operator } else { Role::Planner };
    match admit(&plan, &Author { role, scope: Scope::default() }, &history) {
        Ok(Decision::Admit(admission)) => Some(*admission),
        _ => None,
    }
}

/// What somebody does to a decided plan who keeps to no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// Another number.
    Number(i64),
    /// After something else.
    Parent,
    /// Onto what is the tip now, whatever it was decided on.
    OntoTheTip,
    /// As if its author had read the tip.
    FromTheTip,
    /// From another base.
    Base(i64),
    /// No deletes were spent.
    Unspent,
    /// Without any change.
    Empty,
    /// Without its last change.
    WithoutTheLast,
    /// As the end of a zone.
    AsTheEnd,
    /// As a new epoch.
    AsARaise,
    /// As what goes back to a generation.
    AsARollback(Generation),
    /// Leaning on nothing.
    WithoutReads,
}

impl Bend {
    /// Bends. What the sums come to is not looked at by any door.
    #[must_use]
    pub fn bend(self, database: &Database, group: usize, mut admission: Admission) -> Admission {
        let moved = |number: i64, by: i64| number.saturating_add(by).max(0);
        match self {
            Self::Number(by) => {
                let number = moved(admission.version.generation.get(), by);
                admission.version.generation = Generation::new(number).unwrap_or(Generation::FIRST);
            }
            Self::Parent => {
                admission.parent = Id::of(&admission.version.id, admission.version.generation, &admission.digest);
            }
            Self::OntoTheTip => {
                let tip = database.tables.groups[group].tip().map(|tip| tip.version);
                admission.parent = tip.map_or(Id::GENESIS, |tip| tip.id);
                let next = tip.map_or(Some(Generation::FIRST), |tip| tip.generation.next());
                admission.version.generation = next.unwrap_or(Generation::FIRST);
                admission.version.id = Id::of(&admission.parent, admission.version.generation, &admission.digest);
                admission.record_sets.values_mut().for_each(|of_zone| of_zone.after = None);
            }
            Self::FromTheTip => {
                let tip = database.tables.groups[group].tip();
                admission.base = tip.map_or(Base::NOTHING, |tip| Base::from(tip.version.generation));
                // How many record sets there are then cannot be told from what was decided elsewhere.
                admission.record_sets.values_mut().for_each(|of_zone| of_zone.growth = 0);
            }
            Self::Base(by) => admission.base = Base::new(moved(admission.base.get(), by)).unwrap_or(Base::NOTHING),
            Self::Unspent => admission.deletes_spent = 0,
            Self::Empty => {
                admission.changes.clear();
                admission.record_sets.clear();
            }
            Self::WithoutTheLast => drop(admission.changes.pop()),
            Self::AsTheEnd => admission.kind = PlanKind::EndZone,
            Self::AsARaise => admission.kind = PlanKind::Raise,
            Self::AsARollback(to) => admission.kind = PlanKind::Rollback { to, through_freeze: false },
            Self::WithoutReads => admission.reads.clear(),
        }
        admission
    }
}
