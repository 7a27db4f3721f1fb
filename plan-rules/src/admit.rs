//! Admission: the compare-and-swap that lets a plan into the history.
//!
//! Two numbers do two jobs. *Conflicts* are judged against the plan's own base, which its author had read; the *write*
//! is guarded by the tip that this decision was made on. Comparing a freshly read number in place of the plan's base
//! would let every stale plan through:
//!
//! 1. A and B read generation 5. A's author wishes x = 1, B's author wishes x = 2.
//! 2. A is admitted as 6.
//! 3. B's handler reads the tip, 6, and sees that nothing changed "since". B would overwrite A, unseen.
//!
//! Here, at move 3, x changed in 6 > 5 = B's base: refused, and B's author learns it at once.

mod admission;
mod base;
mod changes;
mod guards;
mod raise;
mod refusal;
mod rollback;

pub use admission::{Admission, Change, Counts, Decision, RecordSets};
pub use raise::raise;
pub use refusal::{CONFLICTS_LISTED_MAX, Conflict, OBJECTIONS_LISTED_MAX, Objection, Refusal};
pub use rollback::{Former, RollbackRequest, rollback};

use crate::author::{Author, Role};
use crate::history::{History, News, Tip, ZoneOwner};
use admission::ChangeSum;
use changes::changes_of_zone;
use zone_model::{
    Base, Content, Digest, Generation, Id, Key, Name, Plan, PlanKind, SettingValue, Version, Violation, ZoneChange,
};

/// Decides whether `plan` enters the history, as far as `history` shows it: the plan's footprint, and what
/// [`leans`](crate::leans) asks for.
///
/// # Errors
/// Why not.
pub fn admit(plan: &Plan, author: &Author, history: &History) -> Result<Decision, Refusal> {
    author.may_post(plan)?;
    guards::open_to(author, history)?;
    base::known_base(plan, history)?;
    rollback::readable(plan, history)?;
    base::insisted_tip(plan, history)?;
    let mut violations = Vec::new();
    let mut sum = ChangeSum::default();
    let begins = changes_of_zones(plan, author, history, &mut sum, &mut violations)?;
    changes_of_settings(plan, history, &mut sum);
    let conflicts = base::conflicts(plan, history);
    if let Some(tip) = history.tip {
        let reads_stand = conflicts.iter().all(|one| !plan.reads.contains(&(one.zone.clone(), one.name.clone())));
        if sum.changes.is_empty() && violations.is_empty() && reads_stand {
            return Ok(Decision::NoOp { tip, absent: sum.counts.absent });
        }
        base::refuse_stale(tip.version, conflicts)?;
    }
    if !violations.is_empty() {
        return Err(Refusal::Invalid(violations));
    }
    let mut leaned = guards::judge(plan, author, history, &sum, &begins)?;
    leaned.on_a_serial = sum.sets_serial_by_edit;
    let (version, digest) = follow(history.tip, sum.digest_delta)?;
    let (answers, deletes_spent) = history.tip.map_or((Digest::EMPTY, 0), |tip| (tip.answers, tip.deletes_spent));
    let own_deletes_spent = guards::spent(author, sum.counts);
    let reads = plan.reads.iter().map(|(zone, owner)| (zone.clone(), Some(owner.clone())));
    let whole = plan.zones.iter().filter(|(_, change)| !matches!(change, ZoneChange::Edit(_)));
    let record_sets = sum.of_zones.iter().map(|(zone, counts)| {
        let before = history.zones.get(zone).map_or(0, |of_zone| of_zone.record_sets);
        let growth = counts.growth();
        (zone.clone(), RecordSets { after: Some(before.saturating_add_signed(growth)), growth })
    });
    Ok(Decision::Admit(Box::new(Admission {
        version,
        parent: parent(history.tip),
        digest,
        digest_delta: sum.digest_delta,
        answers: answers.plus(sum.answers_delta),
        answers_delta: sum.answers_delta,
        deletes_spent: deletes_spent + own_deletes_spent,
        kind: kind(plan),
        base: plan.base,
        rebased: history.tip.is_some_and(|tip| Base::from(tip.version.generation) != plan.base),
        record_sets: record_sets.collect(),
        changes: sum.changes,
        counts: sum.counts,
        reads: reads.chain(whole.map(|(zone, _)| (zone.clone(), None))).collect(),
        begins,
        leaned,
        own_deletes_spent,
    })))
}

/// The number was taken by another plan: judges only what is new, and gives the same plan its place on the newer tip.
/// None when the whole decision has to be made anew; as for a rollback, which no guard has judged: on the tip that it was
/// made for it comes to what was answered before, on any other to a mixture that never was.
///
/// # Errors
/// [`Refusal::StaleBase`] when something new is in the plan's footprint.
pub fn admit_on_newer_tip(admission: Admission, news: &News) -> Result<Option<Admission>, Refusal> {
    let is_rollback = matches!(admission.kind, PlanKind::Rollback { .. });
    let is_of_another_history = news.decided_on != admission.parent;
    let begins_amid_news = admission.begins.iter().any(|zone| news.is_around(zone));
    if is_of_another_history || is_rollback || admission.leaned.on_a_serial || begins_amid_news || news.settings_changed
    {
        return Ok(None);
    }
    let conflicts = news.changed.iter().map(|(zone, name, changed_in)| Conflict {
        zone: zone.clone(),
        name: name.clone(),
        changed_in: *changed_in,
    });
    base::refuse_stale(news.tip.version, conflicts.collect())?;
    let (version, digest) = follow(Some(news.tip), admission.digest_delta)?;
    let deletes_spent = news.tip.deletes_spent + admission.own_deletes_spent;
    let others_deleted = admission.own_deletes_spent > 0 && deletes_spent != admission.deletes_spent;
    if others_deleted || !admission.leaned.stands(news) {
        return Ok(None);
    }
    let answers = news.tip.answers.plus(admission.answers_delta);
    let mut record_sets = admission.record_sets;
    record_sets.values_mut().for_each(|of_zone| of_zone.after = None);
    let parent = parent(Some(news.tip));
    Ok(Some(Admission { version, parent, digest, answers, deletes_spent, record_sets, rebased: true, ..admission }))
}

/// Gathers what the plan changes in its zones, and says which of them it begins.
fn changes_of_zones(
    plan: &Plan,
    author: &Author,
    history: &History,
    sum: &mut ChangeSum,
    violations: &mut Vec<Violation>,
) -> Result<Vec<Name>, Refusal> {
    let mut begins = Vec::new();
    let ends = plan.zones.values().filter(|change| matches!(change, ZoneChange::End)).count();
    for (zone, change) in &plan.zones {
        let Some(of_zone) = history.zones.get(zone) else {
            violations.push(zone_violation(zone, "the zone was not read".to_owned()));
            continue;
        };
        match (&of_zone.owner, change) {
            (ZoneOwner::Another(group), _) => {
                let message = format!("the zone belongs to the group {group}; a zone is in one group, for ever");
                violations.push(zone_violation(zone, message));
            }
            (ZoneOwner::Nobody, ZoneChange::Edit(_) | ZoneChange::End) => {
                let message = "the zone does not exist; begin it with `replace`, SOA and NS included".to_owned();
                violations.push(zone_violation(zone, message));
            }
            (ZoneOwner::ThisGroup, ZoneChange::Edit(_)) if of_zone.record_sets == 0 && !rolls_back(plan) => {
                let message = "the zone has ended; begin it again with `replace`, SOA and NS included".to_owned();
                violations.push(zone_violation(zone, message));
            }
            (ZoneOwner::ThisGroup, ZoneChange::End) if ends < plan.zones.len() || !plan.settings.is_empty() => {
                let message = "a plan that ends zones does nothing else; post the rest as a plan of its own".to_owned();
                violations.push(zone_violation(zone, message));
            }
            (_, change) => {
                if let ZoneChange::Replace(_) = change
                    && !of_zone.lives(zone)
                {
                    author.needs(Role::Operator, &format!("beginning the zone {zone}"))?;
                    begins.push(zone.clone());
                }
                changes_of_zone(plan, zone, change, of_zone, sum, violations);
            }
        }
    }
    for (zone, _) in &plan.reads {
        if history.zones.get(zone).is_none_or(|of_zone| of_zone.owner != ZoneOwner::ThisGroup) {
            violations.push(zone_violation(zone, "`reads` names a zone that the group does not have".to_owned()));
        }
    }
    Ok(begins)
}

fn changes_of_settings(plan: &Plan, history: &History, sum: &mut ChangeSum) {
    for (setting, wished) in &plan.settings {
        let standing = history.settings.get(setting).and_then(|(value, _)| value.as_ref());
        if standing != wished.as_ref() {
            let content = |value: &SettingValue| Content::Setting(value.clone());
            sum.change(
                &Name::root(),
                Key::Setting(*setting),
                standing.map(content).as_ref(),
                wished.as_ref().map(content),
            );
        }
    }
}

/// A rollback may bring back a zone that has ended since.
fn rolls_back(plan: &Plan) -> bool {
    matches!(plan.kind, PlanKind::Rollback { .. })
}

/// A plan that ends zones does nothing else, and is of a kind of its own.
fn kind(plan: &Plan) -> PlanKind {
    match plan.zones.values().next() {
        Some(ZoneChange::End) => PlanKind::EndZone,
        _ => plan.kind,
    }
}

fn follow(tip: Option<Tip>, digest_delta: Digest) -> Result<(Version, Digest), Refusal> {
    let generation = tip.map_or(Some(Generation::FIRST), |tip| tip.version.generation.next());
    let generation = generation.ok_or(Refusal::HistoryFull)?;
    let digest = tip.map_or(Digest::EMPTY, |tip| tip.digest).plus(digest_delta);
    Ok((Version { generation, id: Id::of(&parent(tip), generation, &digest) }, digest))
}

fn parent(tip: Option<Tip>) -> Id {
    tip.map_or(Id::GENESIS, |tip| tip.version.id)
}

fn zone_violation(zone: &Name, message: String) -> Violation {
    Violation { zone: zone.clone(), name: None, rtype: None, place: format!("zones[\"{zone}\"]"), message }
}
