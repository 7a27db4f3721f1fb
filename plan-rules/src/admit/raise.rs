//! Raising the epoch, after the database went back in time: one generation above all that were ever known.
//!
//! 1. The servers have 60. The database is restored to 50, and grows 51 to 60 anew.
//! 2. The servers refuse the fork, at 60 and below. They must not take 61 either, which no server can tell from their own.
//! 3. The raise makes 1,000,000,000, whose number nobody ever had, with serials above all that were ever answered.

use super::admission::{Admission, ChangeSum, Leaned, RecordSets};
use super::refusal::Refusal;
use crate::history::{Tip, ZoneHistory};
use std::collections::BTreeMap;
use zone_model::{Base, Content, Generation, Id, Key, Name, PlanKind, Version};

/// The generation that begins the next epoch of a group. `zones` are all of the group's, each with its apex, its serial and
/// the generation that touched it last; `reported` is the greatest generation that a server was ever heard to serve.
///
/// # Errors
/// When no number is left.
pub fn raise(
    tip: Tip,
    reported: Option<Generation>,
    zones: &BTreeMap<Name, ZoneHistory>,
) -> Result<Admission, Refusal> {
    let tip_number = tip.version.generation;
    let greatest = reported.map_or(tip_number, |reported| reported.max(tip_number));
    let generation = greatest.first_of_next_epoch().ok_or(Refusal::HistoryFull)?;
    let mut sum = ChangeSum::default();
    for (zone, of_zone) in zones.iter().filter(|(zone, of_zone)| of_zone.lives(zone)) {
        let (Some(serial), Some(touched)) = (of_zone.serial_at_tip(), of_zone.touched) else { continue };
        // A server that was ahead may have answered this zone as of any generation up to its own. Counted from where the
        // zone was touched, and not from the tip: a zone that rested in 41 to 50 goes on from 41's serial in 60 as well.
        let ahead = (greatest.get() - touched.get()) & i64::from(u32::MAX);
        let next = serial.plus(ahead as u32).plus(1);
        let before = of_zone.serial.map(|(serial, _)| Content::Serial(serial));
        sum.change(zone, Key::Serial, before.as_ref(), Some(Content::Serial(next)));
    }
    let digest = tip.digest.plus(sum.digest_delta);
    let unchanged = |zone: &Name| RecordSets { after: zones.get(zone).map(|of_zone| of_zone.record_sets), growth: 0 };
    let record_sets = sum.of_zones.keys().map(|zone| (zone.clone(), unchanged(zone)));
    Ok(Admission {
        version: Version { generation, id: Id::of(&tip.version.id, generation, &digest) },
        parent: tip.version.id,
        digest,
        digest_delta: sum.digest_delta,
        answers: tip.answers,
        answers_delta: sum.answers_delta,
        deletes_spent: tip.deletes_spent,
        kind: PlanKind::Raise,
        base: Base::from(tip_number),
        rebased: false,
        record_sets: record_sets.collect(),
        changes: sum.changes,
        counts: sum.counts,
        reads: Vec::new(),
        begins: Vec::new(),
        leaned: Leaned::default(),
        own_deletes_spent: 0,
    })
}
