//! Follows a question through our zones, and writes what its answer holds on the way.

use super::lookup::{Finding, look_up};
use super::message::{Owner, Section, Writer};
use super::{Rcode, additional};
use crate::snapshot::{Directory, EncodedSet, HashedName, Held, Zone};
use zone_model::{NAME_LENGTH_MAX, RecordType};

/// How many aliases are followed for one question. Longer chains exist by mistake only; the client gets what there is so
/// far and goes on by itself.
pub const ALIAS_CHAIN_LENGTH_MAX: usize = 16;

/// A name that an alias led to.
#[derive(Debug)]
struct Link {
    spelled: [u8; NAME_LENGTH_MAX],
    name: HashedName,
}

impl Default for Link {
    fn default() -> Self {
        Self { spelled: [0; NAME_LENGTH_MAX], name: HashedName::default() }
    }
}

impl Link {
    fn spelled(&self) -> &[u8] {
        &self.spelled[..self.name.wire().len()]
    }

    /// Takes a name as spelled; none if it is none.
    fn read(&mut self, name: &[u8]) -> Option<()> {
        let length = self.name.read(name)?;
        self.spelled.get_mut(..length)?.copy_from_slice(name.get(..length)?);
        Some(())
    }
}

/// Room for the names that one question leads to.
#[derive(Debug)]
pub(super) struct Names {
    /// One more than are followed, for the last may be written although nobody goes there.
    links: Box<[Link]>,
    target: HashedName,
}

impl Default for Names {
    fn default() -> Self {
        let links = (0..=ALIAS_CHAIN_LENGTH_MAX).map(|_| Link::default()).collect();
        Self { links, target: HashedName::default() }
    }
}

/// What an answer is beside its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    /// The hash of the name that the first finding is about; 0 if there was none.
    pub(super) about: u64,
}

/// Answers the question for `rtype` at `question`, which the client spelled as `spelled`.
#[inline]
pub(super) fn resolve(
    directory: &Directory,
    question: &HashedName,
    spelled: &[u8],
    rtype: RecordType,
    names: &mut Names,
    writer: &mut Writer<'_>,
) -> Outcome {
    let Names { links, target } = names;
    let mut outcome = Outcome { rcode: Rcode::NO_ERROR, authoritative: false, about: 0 };
    let mut dnames = Dnames::default();
    for step in 0..=ALIAS_CHAIN_LENGTH_MAX {
        let (past, next) = links.split_at_mut(step);
        let (name, spelled, owner) = match past.last() {
            None => (question, spelled, Owner::Question),
            Some(link) => (&link.name, link.spelled(), Owner::Name(link.spelled())),
        };
        let Some(held) = zone_for(directory, name, rtype) else {
            // Where an alias leads out of our zones, the code is for others to find out (RFC 6604 §3).
            if step == 0 {
                outcome.rcode = Rcode::REFUSED;
            }
            break;
        };
        let zone = &*held.zone;
        let (finding, labels) = look_up(zone, name, rtype);
        // AA is about the first owner in the answer (RFC 1035 §4.1.1), so what comes later leaves it as it is.
        if step == 0 {
            outcome.authoritative = !matches!(finding, Finding::Referral(_));
            outcome.about = name.hash_of(labels);
        }
        let Some(next) = next.first_mut() else { break };
        let leads_on = match finding {
            Finding::Answer(first, rest) => {
                let is_soa = first.rtype() == RecordType::SOA && name.label_count() == zone.label_count();
                // With the serial in it.
                let first = if is_soa { zone.soa().unwrap_or(first) } else { first };
                let rest = rest.take_while(|set| set.rtype() == first.rtype());
                for set in std::iter::once(first).chain(rest) {
                    writer.put(Section::Answer, owner, set, None, true);
                }
                additional::for_answer(directory, first, target, writer);
                break;
            }
            Finding::NoData => {
                deny(zone, writer);
                break;
            }
            Finding::NoSuchName => {
                // The code of the last name in the chain (RFC 6604 §3).
                outcome.rcode = Rcode::NO_SUCH_NAME;
                deny(zone, writer);
                break;
            }
            Finding::Referral(cut) => {
                // The client is sent on to those who know (RFC 1034 §4.3.2, step 3b).
                let owner = Owner::Name(cut.set.owner(name.end(cut.labels)));
                writer.put(Section::Authority, owner, cut.set, None, true);
                additional::for_referral(directory, zone, (name, cut), target, writer);
                break;
            }
            Finding::Alias(set) => {
                writer.put(Section::Answer, owner, set, None, true);
                set.data().next().and_then(|data| next.read(data)).is_some()
            }
            Finding::Dname(dname) => {
                if dnames.is_new(dname.set) {
                    let owner = Owner::Name(dname.set.owner(name.end(dname.labels)));
                    writer.put(Section::Answer, owner, dname.set, None, true);
                }
                let end = dname.set.data().next().unwrap_or_default();
                let kept = spelled.get(..spelled.len() - name.end(dname.labels).len()).unwrap_or_default();
                if join(kept, end, next).is_none() {
                    outcome.rcode = Rcode::NAME_TOO_LONG;
                    break;
                }
                writer.put_alias(owner, dname.set.ttl(), next.spelled());
                // The alias that was made is what was asked for.
                rtype != RecordType::CNAME
            }
        };
        // Not in circles.
        let is_past = |wire: &[u8]| question.wire() == wire || past.iter().any(|link| link.name.wire() == wire);
        if !leads_on || is_past(next.name.wire()) {
            break;
        }
    }
    outcome
}

/// The zone to answer from: the closest; but what is at a cut for the parent to say is said by the parent, even where
/// the child is ours as well (RFC 4035 §3.1.4.1). Unless the parent knows no such name: to deny a name that we serve
/// would take everything below it away (RFC 8020).
#[inline]
pub(super) fn zone_for<'d>(directory: &'d Directory, name: &HashedName, rtype: RecordType) -> Option<&'d Held> {
    let labels = name.label_count();
    let closest = directory.closest(name, labels)?;
    if rtype == RecordType::DS && closest.zone.label_count() == labels {
        let parent = labels.checked_sub(1).and_then(|labels| directory.closest(name, labels));
        let parent = parent.filter(|parent| !matches!(look_up(&parent.zone, name, rtype).0, Finding::NoSuchName));
        return parent.or(Some(closest));
    }
    Some(closest)
}

/// Says that there is nothing, and for how long that may be believed (RFC 2308 §3).
fn deny(zone: &Zone, writer: &mut Writer<'_>) {
    if let Some(soa) = zone.soa() {
        let owner = Owner::Name(soa.owner(zone.name().as_wire()));
        writer.put(Section::Authority, owner, soa, Some(zone.negative_ttl()), true);
    }
}

/// Puts the name into `link` that a DNAME makes of what it keeps and its end; none if it is too long (RFC 6672 §2.2).
fn join(kept: &[u8], end: &[u8], link: &mut Link) -> Option<()> {
    let length = kept.len() + end.len();
    link.spelled.get_mut(..kept.len())?.copy_from_slice(kept);
    link.spelled.get_mut(kept.len()..length)?.copy_from_slice(end);
    link.name.read(link.spelled.get(..length)?)?;
    Some(())
}

/// The DNAMEs in an answer. A chain can come through the same several times.
#[derive(Default)]
struct Dnames<'d>([Option<&'d [u8]>; ALIAS_CHAIN_LENGTH_MAX + 1]);

impl<'d> Dnames<'d> {
    fn is_new(&mut self, set: EncodedSet<'d>) -> bool {
        for place in &mut self.0 {
            match place {
                // One set stands in one place.
                Some(there) if std::ptr::eq(*there, set.body()) => return false,
                Some(_) => {}
                None => {
                    *place = Some(set.body());
                    return true;
                }
            }
        }
        true
    }
}
