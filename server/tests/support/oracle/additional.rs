//! What helps in using the rest of an answer: addresses, of which a referral needs some.

use super::lookup::Cut;
use super::resolve::{Entry, Response};
use super::{Zone, Zones, set_of};
use std::borrow::Cow;
use zone_model::{Name, RecordSet, RecordType};

/// Addresses that may be left out are looked up for at most this many names, so that a large set costs no more than it
/// helps.
const TARGETS_MAX: usize = 64;

/// Addresses of what an answer points to, as far as they are in our zones (RFC 1034 §4.3.2, step 6; RFC 2782). They may
/// be left out.
pub(super) fn for_answer<'d>(zones: &'d Zones, set: &RecordSet, response: &mut Response<'d>) {
    if matches!(set.rtype(), RecordType::NS | RecordType::MX | RecordType::SRV) {
        for target in targets(set).take(TARGETS_MAX) {
            let Some(zone) = zones.closest(&target) else { continue };
            put_addresses(zone, &target, false, response);
        }
    }
}

/// Addresses of the name servers of a cut. Those below the cut can be learned from nobody else, so an answer without
/// them is truncated (RFC 9471 §3.1). The rest may be left out.
pub(super) fn for_referral<'d>(zones: &'d Zones, zone: &'d Zone, cut: &Cut<'d>, response: &mut Response<'d>) {
    let (in_domain, others): (Vec<Name>, Vec<Name>) =
        targets(cut.servers).partition(|target| target.is_within(&cut.name));
    for target in in_domain {
        put_addresses(zone, &target, true, response);
    }
    for target in others.into_iter().take(TARGETS_MAX) {
        let own = if target.is_within(&zone.name) { Some(zone) } else { None };
        // A zone of ours that the name is closer to knows better than the glue in this one.
        let closest = zones.closest(&target);
        let holder = closest.filter(|closest| closest.node(&target).is_some()).or(own);
        if let Some(zone) = holder {
            put_addresses(zone, &target, false, response);
        }
    }
}

fn targets(set: &RecordSet) -> impl Iterator<Item = Name> {
    set.records().iter().filter_map(|data| data.target(set.rtype()))
}

/// Adds the addresses of exactly this name, be it hidden below a cut: glue is.
fn put_addresses<'d>(zone: &'d Zone, name: &Name, is_required: bool, response: &mut Response<'d>) {
    let Some(node) = zone.node(name) else { return };
    for rtype in [RecordType::A, RecordType::AAAA] {
        let Some(set) = set_of(node, rtype) else { continue };
        let is_there = |entry: &Entry<'_>| entry.set.rtype() == rtype && *entry.owner == *name;
        if response.additional.iter().any(is_there) || response.answer.iter().any(is_there) {
            continue;
        }
        let (owner, ttl) = (Cow::Borrowed(set.owner()), set.ttl());
        response.additional.push(Entry { owner, set: Cow::Borrowed(set), ttl, is_required });
    }
}
