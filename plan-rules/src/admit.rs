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

mod changes;

use crate::author::{Author, Forbidden, Role};
use crate::history::{Footprint, History, News, Tip, ZoneOwner, footprint};
use changes::changes_of_zone;
use std::collections::BTreeMap;
use zone_model::{Base, Content, Digest, Generation, Id, Key, Name, Plan, Version, Violation, ZoneChange};

/// How many conflicts a refusal lists; a stale replacement of a large zone could have a million.
pub const CONFLICTS_LISTED_MAX: usize = 100;

/// What becomes of a plan that is not refused.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It makes a generation, if nobody took the number meanwhile.
    Admit(Box<Admission>),
    /// All is already as wished at the tip: no generation.
    NoOp {
        /// The tip.
        tip: Tip,
        /// Deletes of what was not there.
        absent: u32,
    },
}

/// A plan that may be written as the generation after the tip it was judged on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The generation that it makes, and its id.
    pub version: Version,
    /// The digest of all that stands then.
    pub digest: Digest,
    /// What the plan adds to the digest, on whatever tip it lands.
    pub digest_delta: Digest,
    /// The base, from the plan.
    pub base: Base,
    /// Whether it lands on a tip above its base.
    pub rebased: bool,
    /// What changes, in order of zone and key; at least one.
    pub changes: Vec<Change>,
    /// How many record sets change in which way.
    pub counts: Counts,
    /// What the decision leaned on besides the names it changes.
    pub reads: Vec<(Name, Option<Name>)>,
    /// Zones that this plan begins.
    pub begins: Vec<Name>,
    /// Whether the decision must be made anew on another tip, because a serial that it sets was compared with this one.
    sets_serial_by_edit: bool,
}

/// One row of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The zone.
    pub zone: Name,
    /// What changes.
    pub key: Key,
    /// What stands from now on; none for gone.
    pub content: Option<Content>,
}

/// How many record sets a plan changes in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Were not there.
    pub added: u32,
    /// Were otherwise.
    pub replaced: u32,
    /// Are gone.
    pub deleted: u32,
    /// Deletes of what was not there.
    pub absent: u32,
}

/// A name in the plan's footprint that changed after its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The zone.
    pub zone: Name,
    /// The owner.
    pub name: Name,
    /// The newest generation that changed it.
    pub changed_in: Generation,
}

/// Why a plan is not admitted. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The author may not do this.
    Forbidden(Forbidden),
    /// The base is above the tip, of another line of history, or of an older epoch without an id to prove it.
    UnknownBase {
        /// The tip; none for a group that does not exist.
        tip: Option<Version>,
        /// What is wrong with the base.
        why: String,
    },
    /// Something in the footprint changed after the base; or the plan insists on a tip that is no longer.
    StaleBase {
        /// The tip.
        tip: Version,
        /// What changed, at most [`CONFLICTS_LISTED_MAX`]; empty when the plan insisted on its base or tip.
        conflicts: Vec<Conflict>,
        /// How many there are in all.
        conflict_count: usize,
    },
    /// The result would not be valid.
    Invalid(Vec<Violation>),
    /// No generation number is left.
    HistoryFull,
}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(forbidden)
    }
}

/// Decides whether `plan` enters the history, as far as `history` shows it.
///
/// # Errors
/// Why not.
pub fn admit(plan: &Plan, author: &Author, history: &History) -> Result<Decision, Refusal> {
    author.may_post(plan)?;
    known_base(plan, history)?;
    insisted_tip(plan, history)?;
    let mut violations = Vec::new();
    let mut admission = ChangeSum::default();
    let mut begins = Vec::new();
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
            (owner, _) => {
                if *owner == ZoneOwner::Nobody {
                    author.needs(Role::Operator, &format!("beginning the zone {zone}"))?;
                    begins.push(zone.clone());
                }
                changes_of_zone(plan, zone, change, of_zone, &mut admission, &mut violations);
            }
        }
    }
    for (zone, _) in &plan.reads {
        if history.zones.get(zone).is_none_or(|of_zone| of_zone.owner != ZoneOwner::ThisGroup) {
            violations.push(zone_violation(zone, "`reads` names a zone that the group does not have".to_owned()));
        }
    }
    let conflicts = conflicts(plan, history);
    if let Some(tip) = history.tip {
        let reads_stand = conflicts.iter().all(|one| !plan.reads.contains(&(one.zone.clone(), one.name.clone())));
        if admission.changes.is_empty() && violations.is_empty() && reads_stand {
            return Ok(Decision::NoOp { tip, absent: admission.counts.absent });
        }
        refuse_stale(tip.version, conflicts)?;
    }
    if !violations.is_empty() {
        return Err(Refusal::Invalid(violations));
    }
    let reads = plan.reads.iter().map(|(zone, owner)| (zone.clone(), Some(owner.clone())));
    let replaced = plan.zones.iter().filter(|(_, change)| matches!(change, ZoneChange::Replace(_)));
    let (version, digest) = follow(history.tip, admission.digest_delta)?;
    Ok(Decision::Admit(Box::new(Admission {
        version,
        digest,
        digest_delta: admission.digest_delta,
        base: plan.base,
        rebased: history.tip.is_some_and(|tip| Base::from(tip.version.generation) != plan.base),
        changes: admission.changes,
        counts: admission.counts,
        reads: reads.chain(replaced.map(|(zone, _)| (zone.clone(), None))).collect(),
        begins,
        sets_serial_by_edit: admission.sets_serial_by_edit,
    })))
}

/// The number was taken by another plan: judges only what is new, and gives the same plan its place on the newer tip.
/// None when the whole decision has to be made anew.
///
/// # Errors
/// [`Refusal::StaleBase`] when something new is in the plan's footprint.
pub fn admit_on_newer_tip(admission: Admission, news: &News) -> Result<Option<Admission>, Refusal> {
    if admission.sets_serial_by_edit || !admission.begins.is_empty() {
        return Ok(None);
    }
    let conflicts = news.changed.iter().map(|(zone, name, changed_in)| Conflict {
        zone: zone.clone(),
        name: name.clone(),
        changed_in: *changed_in,
    });
    refuse_stale(news.tip.version, conflicts.collect())?;
    let (version, digest) = follow(Some(news.tip), admission.digest_delta)?;
    Ok(Some(Admission { version, digest, rebased: true, ..admission }))
}

/// Changes while they are gathered.
#[derive(Default)]
struct ChangeSum {
    changes: Vec<Change>,
    counts: Counts,
    digest_delta: Digest,
    sets_serial_by_edit: bool,
}

fn follow(tip: Option<Tip>, digest_delta: Digest) -> Result<(Version, Digest), Refusal> {
    let (parent, digest) = tip.map_or((Id::GENESIS, Digest::EMPTY), |tip| (tip.version.id, tip.digest));
    let generation = tip.map_or(Some(Generation::FIRST), |tip| tip.version.generation.next());
    let generation = generation.ok_or(Refusal::HistoryFull)?;
    let digest = digest.plus(digest_delta);
    Ok((Version { generation, id: Id::of(&parent, generation, &digest) }, digest))
}

fn known_base(plan: &Plan, history: &History) -> Result<(), Refusal> {
    let tip = history.tip.map(|tip| tip.version);
    let unknown = |why: String| Err(Refusal::UnknownBase { tip, why });
    let tip_number = tip.map_or(Base::NOTHING, |tip| Base::from(tip.generation));
    if plan.base > tip_number {
        return unknown(format!("the base {} is above the tip {tip_number}", plan.base));
    }
    if plan.base.generation().is_some() && history.base_id.is_none() {
        return unknown(format!("no generation of this group has the number {}", plan.base));
    }
    match plan.base_id {
        Some(claimed) if history.base_id != Some(claimed) => {
            unknown(format!("generation {} of this group has another id than the plan's base", plan.base))
        }
        // Before its epoch was raised, this history may have had another generation of that number.
        None if plan
            .base
            .generation()
            .is_some_and(|base| tip.is_some_and(|tip| base.epoch() < tip.generation.epoch())) =>
        {
            unknown(format!("the base {} is of an older epoch; give its `base_id`", plan.base))
        }
        _ => Ok(()),
    }
}

fn insisted_tip(plan: &Plan, history: &History) -> Result<(), Refusal> {
    let Some(tip) = history.tip else {
        return match plan.if_match {
            Some(_) => Err(Refusal::UnknownBase { tip: None, why: "the group does not exist".to_owned() }),
            None => Ok(()),
        };
    };
    let other_tip = plan.if_match.is_some_and(|id| id != tip.version.id);
    let other_base = (!plan.rebase || plan.if_match.is_some()) && plan.base != Base::from(tip.version.generation);
    if other_tip || other_base {
        return Err(Refusal::StaleBase { tip: tip.version, conflicts: Vec::new(), conflict_count: 0 });
    }
    Ok(())
}

/// What in the footprint changed after the plan's own base.
fn conflicts(plan: &Plan, history: &History) -> Vec<Conflict> {
    let mut newest: BTreeMap<(&Name, &Name), Generation> = BTreeMap::new();
    let footprint = footprint(plan);
    for (zone, of_zone) in &history.zones {
        let Some(names) = footprint.get(zone) else { continue };
        for (key, standing) in &of_zone.sets {
            let within = match names {
                Footprint::WholeZone => true,
                Footprint::Names(names) => names.contains(key.owner()),
            };
            if within && Base::from(standing.generation) > plan.base {
                let changed_in = newest.entry((zone, key.owner())).or_insert(standing.generation);
                *changed_in = standing.generation.max(*changed_in);
            }
        }
        // A replacement compares serials as well, and a generation may have set nothing else.
        if let (Footprint::WholeZone, Some(touched)) = (names, of_zone.touched)
            && Base::from(touched) > plan.base
        {
            newest.entry((zone, zone)).or_insert(touched);
        }
    }
    let conflict = |((zone, name), changed_in): ((&Name, &Name), _)| Conflict {
        zone: zone.clone(),
        name: name.clone(),
        changed_in,
    };
    newest.into_iter().map(conflict).collect()
}

fn refuse_stale(tip: Version, mut conflicts: Vec<Conflict>) -> Result<(), Refusal> {
    let conflict_count = conflicts.len();
    if conflict_count == 0 {
        return Ok(());
    }
    conflicts.truncate(CONFLICTS_LISTED_MAX);
    Err(Refusal::StaleBase { tip, conflicts, conflict_count })
}

fn zone_violation(zone: &Name, message: String) -> Violation {
    Violation { zone: zone.clone(), name: None, rtype: None, place: format!("zones[\"{zone}\"]"), message }
}
