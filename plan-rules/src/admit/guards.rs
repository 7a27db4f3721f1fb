//! Guards: rules that a plan's result must satisfy. They judge plans, never moves: what was admitted may always be enacted.

mod after;
mod apex;
mod budgets;
mod guarded_names;
mod other_groups;
mod references;

pub(super) use budgets::spent;

use super::admission::{ChangeSum, Leaned};
use super::refusal::{OBJECTIONS_LISTED_MAX, Objection, Refusal};
use crate::author::{Author, Role};
use crate::history::History;
use after::After;
use zone_model::{Guard, Name, Plan, Setting, SettingValue};

/// What guards look at.
struct Judged<'a> {
    plan: &'a Plan,
    author: &'a Author,
    history: &'a History,
    sum: &'a ChangeSum,
    begins: &'a [Name],
    after: After<'a>,
}

/// Asks every guard, and says what the decision leaned on.
///
/// # Errors
/// Their objections, those aside that the plan acknowledges.
pub(super) fn judge(
    plan: &Plan,
    author: &Author,
    history: &History,
    sum: &ChangeSum,
    begins: &[Name],
) -> Result<Leaned, Refusal> {
    let judged = Judged { plan, author, history, sum, begins, after: After::new(history, sum) };
    let mut objections = Vec::new();
    let mut leaned = Leaned::default();
    guarded_names::judge(&judged, &mut objections);
    other_groups::judge(&judged, &mut objections);
    // What was answered before was judged before. A rollback is for the hour in which all else is in its way.
    if !super::rolls_back(plan) {
        apex::judge(&judged, &mut objections);
        references::judge(&judged, &mut objections, &mut leaned);
        budgets::judge(&judged, &mut objections);
    }
    objections.retain(|one| !(one.guard.may_be_acknowledged() && plan.acknowledged.contains_key(&one.guard)));
    objections.truncate(OBJECTIONS_LISTED_MAX);
    if objections.is_empty() { Ok(leaned) } else { Err(Refusal::Guarded(objections)) }
}

/// A group that is closed takes plans of operators only.
///
/// # Errors
/// The objection.
pub(super) fn open_to(author: &Author, history: &History) -> Result<(), Refusal> {
    match history.settings.get(&Setting::Closed) {
        Some((Some(SettingValue::Closed(reason)), _)) if author.role < Role::Operator => {
            Err(Refusal::Guarded(vec![Objection {
                guard: Guard::Closed,
                limit: 0,
                actual: 1,
                zone: None,
                name: None,
                message: format!("the group is closed to planners until an operator reopens it: {reason}"),
            }]))
        }
        _ => Ok(()),
    }
}
