//! Follows a question through our zones, and gathers what its answer holds.

use super::lookup::{Cut, Finding, look_up};
use super::{Zone, Zones, additional};
use server::answer::{ALIAS_CHAIN_LENGTH_MAX, Rcode};
use std::borrow::Cow;
use zone_model::{Name, RecordData, RecordSet, RecordType};

/// A record set in an answer.
pub(super) struct Entry<'d> {
    /// Whose it is said to be: the set's own owner, or the name that matched a wildcard.
    pub(super) owner: Cow<'d, Name>,
    pub(super) set: Cow<'d, RecordSet>,
    pub(super) ttl: u32,
    /// Whether the answer is truncated where this does not fit.
    pub(super) is_required: bool,
}

/// An answer before it is written.
pub(super) struct Response<'d> {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    pub(super) answer: Vec<Entry<'d>>,
    pub(super) authority: Vec<Entry<'d>>,
    pub(super) additional: Vec<Entry<'d>>,
}

impl Default for Response<'_> {
    fn default() -> Self {
        let (answer, authority, additional) = (Vec::new(), Vec::new(), Vec::new());
        Self { rcode: Rcode::NO_ERROR, authoritative: false, answer, authority, additional }
    }
}

/// Answers the question for `rtype` at `name`.
pub(super) fn resolve<'d>(zones: &'d Zones, name: &Name, rtype: RecordType, response: &mut Response<'d>) {
    let mut name = name.clone();
    let mut seen: Vec<Name> = Vec::new();
    loop {
        let Some(zone) = zone_for(zones, &name, rtype) else {
            // Where an alias leads out of our zones, the code is for others to find out (RFC 6604 §3).
            if response.answer.is_empty() {
                response.rcode = Rcode::REFUSED;
            }
            return;
        };
        let finding = look_up(zone, &name, rtype);
        // AA is about the first owner in the answer (RFC 1035 §4.1.1), so what comes later leaves it as it is.
        if response.answer.is_empty() {
            response.authoritative = !matches!(finding, Finding::Referral(_));
        }
        let target = match finding {
            Finding::Answer(sets) => {
                for set in sets {
                    additional::for_answer(zones, set, response);
                    let (owner, ttl) = (Cow::Owned(name.clone()), set.ttl());
                    let set = if rtype_is_soa_of(zone, set) { &zone.soa } else { set };
                    response.answer.push(Entry { owner, set: Cow::Borrowed(set), ttl, is_required: true });
                }
                return;
            }
            Finding::NoData => return deny(zone, response),
            Finding::NoSuchName => {
                // The code of the last name in the chain (RFC 6604 §3).
                response.rcode = Rcode::NO_SUCH_NAME;
                return deny(zone, response);
            }
            Finding::Referral(cut) => return refer(zones, zone, &cut, response),
            Finding::Alias(set) => {
                let (owner, set, ttl) = (Cow::Owned(name.clone()), Cow::Borrowed(set), set.ttl());
                let target = set.records().first().and_then(|data| data.target(RecordType::CNAME));
                response.answer.push(Entry { owner, set, ttl, is_required: true });
                target
            }
            Finding::Dname(set) => match follow_dname(&name, set, response) {
                // The alias that was made is what was asked for.
                Some(_) if rtype == RecordType::CNAME => return,
                Some(target) => Some(target),
                None => return,
            },
        };
        seen.push(name);
        match target {
            Some(target) if seen.len() <= ALIAS_CHAIN_LENGTH_MAX && !seen.contains(&target) => name = target,
            _ => return,
        }
    }
}

fn rtype_is_soa_of(zone: &Zone, set: &RecordSet) -> bool {
    set.rtype() == RecordType::SOA && *set.owner() == zone.name
}

/// The zone to answer from: the closest; but what is at a cut for the parent to say is said by the parent, even where
/// the child is ours as well (RFC 4035 §3.1.4.1). Unless the parent knows no such name: to deny a name that we serve
/// would take everything below it away (RFC 8020).
fn zone_for<'d>(zones: &'d Zones, name: &Name, rtype: RecordType) -> Option<&'d Zone> {
    let closest = zones.closest(name)?;
    if rtype == RecordType::DS && closest.name == *name {
        let parent = name.parent().and_then(|parent| zones.closest(&parent));
        let parent = parent.filter(|parent| !matches!(look_up(parent, name, rtype), Finding::NoSuchName));
        return parent.or(Some(closest));
    }
    Some(closest)
}

/// Says that there is nothing, and for how long that may be believed (RFC 2308 §3).
fn deny<'d>(zone: &'d Zone, response: &mut Response<'d>) {
    let (owner, set) = (Cow::Borrowed(zone.soa.owner()), Cow::Borrowed(&zone.soa));
    response.authority.push(Entry { owner, set, ttl: zone.negative_ttl, is_required: true });
}

/// Sends the client on to those who know (RFC 1034 §4.3.2, step 3b).
fn refer<'d>(zones: &'d Zones, zone: &'d Zone, cut: &Cut<'d>, response: &mut Response<'d>) {
    let (owner, set, ttl) = (Cow::Borrowed(cut.servers.owner()), Cow::Borrowed(cut.servers), cut.servers.ttl());
    response.authority.push(Entry { owner, set, ttl, is_required: true });
    additional::for_referral(zones, zone, cut, response);
}

/// Adds the DNAME and the CNAME that it makes of `name`; none when there is nowhere to go on to (RFC 6672 §3.1).
fn follow_dname<'d>(name: &Name, set: &'d RecordSet, response: &mut Response<'d>) -> Option<Name> {
    // A chain can come through the same DNAME several times.
    if !response.answer.iter().any(|entry| entry.set.rtype() == RecordType::DNAME && *entry.owner == *set.owner()) {
        let (owner, ttl) = (Cow::Borrowed(set.owner()), set.ttl());
        response.answer.push(Entry { owner, set: Cow::Borrowed(set), ttl, is_required: true });
    }
    let end = set.records().first().and_then(|data| data.target(RecordType::DNAME))?;
    let kept = name.label_count().saturating_sub(set.owner().label_count());
    let Ok(target) = Name::from_labels(name.labels().take(kept).chain(end.labels())) else {
        response.rcode = Rcode::NAME_TOO_LONG;
        return None;
    };
    let data = RecordData::from_wire(RecordType::CNAME, target.as_wire()).ok()?;
    let alias = RecordSet::new(name.clone(), RecordType::CNAME, set.ttl(), vec![data]).ok()?;
    let (owner, ttl) = (Cow::Owned(name.clone()), set.ttl());
    response.answer.push(Entry { owner, set: Cow::Owned(alias), ttl, is_required: true });
    Some(target)
}
