//! Finds a name in a zone: RFC 1034 §4.3.2, step 3, with wildcards by RFC 4592 and DNAME by RFC 6672.
//!
//! The RFC walks down from the apex. Here the name itself is looked up first, since most often it is there; what hides it, a
//! cut or a DNAME above, is looked for at those numbers of labels only with which the zone has any.

use crate::snapshot::{EncodedSet, EncodedSets, Entry, HashedName, Zone};
use zone_model::RecordType;

/// What a zone says to a question.
#[derive(Debug)]
pub(super) enum Finding<'z> {
    /// The name has data of this type. More sets only for RRSIG, which has one for each type that is signed: those at the
    /// front of the rest that are of the same type.
    Answer(EncodedSet<'z>, EncodedSets<'z>),
    /// The name exists, but has no data of this type (RFC 2308 §2.2).
    NoData,
    /// The name does not exist (RFC 2308 §2.1).
    NoSuchName,
    /// The name is at or below a delegation: others know.
    Referral(Above<'z>),
    /// The name is another name for something else.
    Alias(EncodedSet<'z>),
    /// The name is below a DNAME, which puts another end in the place of its own (RFC 6672 §2.2).
    Dname(Above<'z>),
}

/// A set at the end of a name, or at the name itself, that decides about all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Above<'z> {
    /// How many labels of the name are the set's owner.
    pub(super) labels: usize,
    /// The set: NS as the parent knows them, or DNAME.
    pub(super) set: EncodedSet<'z>,
}

/// Looks `name` up in `zone`, which it is within. A wildcard's finding is that of the asterisk's own records; whoever
/// writes the answer puts `name` in the place of their owner.
///
/// With it comes how many labels of the name the finding is about: all of them where the name exists; otherwise those of the cut,
/// of the DNAME, of what the asterisk is right below, or of the zone. So names made up at random have one end in common.
#[inline]
pub(super) fn look_up<'z>(zone: &'z Zone, name: &HashedName, rtype: RecordType) -> (Finding<'z>, usize) {
    let (labels, apex) = (name.label_count(), zone.label_count());
    let exact = zone.entry(name, labels);
    // The closest encloser (RFC 4592 §3.3.1), which may be the apex; above the name itself, where that exists.
    let above = (apex..labels).rev();
    let encloser = match exact {
        Some(_) => labels.checked_sub(1),
        None => above.into_iter().find(|above| *above == apex || zone.entry(name, *above).is_some()),
    };
    // From the apex down, so that the topmost cut or DNAME hides all that is below it.
    for labels in encloser.into_iter().flat_map(|encloser| zone.stops(encloser)) {
        let Some(entry) = zone.entry(name, labels) else { continue };
        if labels > apex
            && let Some(set) = entry.set(RecordType::NS)
        {
            return (Finding::Referral(Above { labels, set }), labels);
        }
        if let Some(set) = entry.set(RecordType::DNAME) {
            return (Finding::Dname(Above { labels, set }), labels);
        }
    }
    match (exact, encloser) {
        (Some(entry), _) => {
            // The parent's side of a cut has but one thing to say with authority: DS (RFC 4035 §3.1.4.1).
            if entry.has_ns()
                && labels > apex
                && rtype != RecordType::DS
                && let Some(set) = entry.set(RecordType::NS)
            {
                return (Finding::Referral(Above { labels, set }), labels);
            }
            (in_entry(&entry, rtype), labels)
        }
        // Only the asterisk right below the closest encloser counts. NS and DNAME of an asterisk are data like any other here:
        // RFC 4592 §4.2 and RFC 6672 §3.3 leave open what else they could mean (Knot makes referrals and redirections of
        // them, NSD does as we do).
        (None, Some(encloser)) => {
            let of_asterisk = |entry| (in_entry(&entry, rtype), encloser);
            zone.wildcard(name, encloser).map_or((Finding::NoSuchName, apex), of_asterisk)
        }
        // A zone always has its apex.
        (None, None) => (Finding::NoSuchName, apex),
    }
}

/// What an entry says; an empty non-terminal (RFC 4592 §2.2.2), an asterisk among them (§4.9), has no data of any type.
#[inline]
fn in_entry<'z>(entry: &Entry<'z>, rtype: RecordType) -> Finding<'z> {
    let mut sets = entry.sets();
    if rtype == RecordType::ANY {
        // One set instead of all of them (RFC 8482 §4.1): the first, so that it is always the same.
        return sets.next().map_or(Finding::NoData, |set| Finding::Answer(set, EncodedSets::NONE));
    }
    let mut alias = None;
    while let Some(set) = sets.next() {
        match set.rtype() {
            found if found == rtype => return Finding::Answer(set, sets),
            // What may stand beside a CNAME (RFC 4034 §3 and §4) is asked of the alias itself.
            RecordType::CNAME if !matches!(rtype, RecordType::RRSIG | RecordType::NSEC) => alias = Some(set),
            _ => {}
        }
    }
    alias.map_or(Finding::NoData, Finding::Alias)
}
