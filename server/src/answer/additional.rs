//! What helps in using the rest of an answer: addresses, of which a referral needs some. They are looked up when somebody
//! asks, and not kept with those who point at them, so an address that changes changes nothing else.

use super::lookup::Above;
use super::message::{Owner, Section, Writer};
use crate::snapshot::{Directory, EncodedSet, HashedName, Zone};
use zone_model::RecordType;

/// Addresses that may be left out are looked up for at most this many names, so that a large set costs no more than it
/// helps.
const TARGETS_MAX: usize = 64;

/// Addresses of what an answer points to, as far as they are in our zones (RFC 1034 §4.3.2, step 6; RFC 2782). They may
/// be left out.
#[inline]
pub(super) fn for_answer(directory: &Directory, set: EncodedSet<'_>, target: &mut HashedName, writer: &mut Writer<'_>) {
    if !matches!(set.rtype(), RecordType::NS | RecordType::MX | RecordType::SRV) {
        return;
    }
    for (nth, name) in targets(set).take(TARGETS_MAX).enumerate() {
        // A host can be there several times, with other preferences or ports.
        if targets(set).take(nth).any(|other| other.eq_ignore_ascii_case(name)) {
            continue;
        }
        if target.read(name).is_none() {
            continue;
        }
        if let Some(held) = directory.closest(target, target.label_count()) {
            put_addresses(&held.zone, target, false, writer);
        }
    }
}

/// Addresses of the name servers of a cut, whose name is `cut`. Those below the cut can be learned from nobody else, so an
/// answer without them is truncated (RFC 9471 §3.1). The rest may be left out.
pub(super) fn for_referral(
    directory: &Directory,
    zone: &Zone,
    (name, cut): (&HashedName, Above<'_>),
    target: &mut HashedName,
    writer: &mut Writer<'_>,
) {
    let cut_name = name.end(cut.labels);
    let is_below = |target: &HashedName| target.label_count() >= cut.labels && target.end(cut.labels) == cut_name;
    // No server is there twice, for it is all that its record says.
    for server in targets(cut.set) {
        if target.read(server).is_some() && is_below(target) {
            put_addresses(zone, target, true, writer);
        }
    }
    let mut left = TARGETS_MAX;
    for server in targets(cut.set) {
        if left == 0 || !writer.is_whole() {
            return;
        }
        if target.read(server).is_none() || is_below(target) {
            continue;
        }
        left -= 1;
        // A zone of ours that the name is closer to knows better than the glue in this one.
        let has_sets =
            |zone: &Zone| zone.entry(target, target.label_count()).is_some_and(|entry| entry.sets().next().is_some());
        let closest = directory.closest(target, target.label_count()).map(|held| &*held.zone);
        let (apex, labels) = (zone.name().as_wire(), zone.label_count());
        let is_own = target.label_count() >= labels && target.end(labels) == apex;
        if let Some(zone) = closest.filter(|closest| has_sets(closest)).or(is_own.then_some(zone)) {
            put_addresses(zone, target, false, writer);
        }
    }
}

/// The names that records of type NS, MX or SRV point to; each ends its record.
fn targets<'z>(set: EncodedSet<'z>) -> impl Iterator<Item = &'z [u8]> {
    let before = match set.rtype() {
        RecordType::MX => 2,
        RecordType::SRV => 6,
        _ => 0,
    };
    set.data().filter_map(move |data| data.get(before..))
}

/// Adds the addresses of exactly this name, be it hidden below a cut: glue is.
fn put_addresses(zone: &Zone, name: &HashedName, is_required: bool, writer: &mut Writer<'_>) {
    let Some(entry) = zone.entry(name, name.label_count()) else { return };
    for set in entry.sets().filter(|set| matches!(set.rtype(), RecordType::A | RecordType::AAAA)) {
        writer.put(Section::Additional, Owner::Name(set.owner(name.wire())), set, None, is_required);
    }
}
