//! Finds a name in a zone: RFC 1034 §4.3.2, step 3, read aloud, with wildcards by RFC 4592 and DNAME by RFC 6672.

use super::{Zone, set_of};
use zone_model::{Name, RecordSet, RecordType};

/// What a zone says to a question.
pub enum Finding<'z> {
    /// The name has data of this type. Several sets only for RRSIG, which has one for each type that is signed.
    Answer(Vec<&'z RecordSet>),
    /// The name exists, but has no data of this type (RFC 2308 §2.2).
    NoData,
    /// The name does not exist (RFC 2308 §2.1).
    NoSuchName,
    /// The name is at or below a delegation: others know.
    Referral(Cut<'z>),
    /// The name is another name for something else.
    Alias(&'z RecordSet),
    /// The name is below a DNAME, which puts another end in the place of its own (RFC 6672 §2.2).
    Dname(&'z RecordSet),
}

/// A delegation.
pub struct Cut<'z> {
    /// The zone that is delegated.
    pub name: Name,
    /// Its name servers, as the parent knows them.
    pub servers: &'z RecordSet,
}

/// Looks `name` up in `zone`, which it is within. A wildcard's finding is that of the asterisk's own records; whoever
/// writes the answer puts `name` in the place of their owner.
pub fn look_up<'z>(zone: &'z Zone, name: &Name, rtype: RecordType) -> Finding<'z> {
    // From the apex down, so that the topmost cut or DNAME hides all that is below it.
    let path = path_down(&zone.name, name);
    let mut encloser = &zone.name;
    for (depth, step) in path.iter().enumerate() {
        let is_last = depth + 1 == path.len();
        let Some(node) = zone.node(step) else {
            if zone.exists(step) {
                // An empty non-terminal (RFC 4592 §2.2.2).
                if is_last {
                    return Finding::NoData;
                }
                encloser = step;
                continue;
            }
            // `encloser` is the closest one (RFC 4592 §3.3.1). Only the asterisk right below it counts.
            return from_wildcard(zone, encloser, rtype);
        };
        let is_apex = depth == 0;
        if !is_apex && let Some(servers) = set_of(node, RecordType::NS) {
            // The parent's side of a cut has but one thing to say with authority: DS (RFC 4035 §3.1.4.1).
            let is_ours = is_last && rtype == RecordType::DS;
            if !is_ours {
                return Finding::Referral(Cut { name: step.clone(), servers });
            }
        }
        if is_last {
            return in_node(node, rtype);
        }
        if let Some(dname) = set_of(node, RecordType::DNAME) {
            return Finding::Dname(dname);
        }
        encloser = step;
    }
    // The path has at least the apex, which a zone always has.
    Finding::NoSuchName
}

/// The names from `apex` down to `name`, both included.
fn path_down(apex: &Name, name: &Name) -> Vec<Name> {
    let mut path = vec![name.clone()];
    while let Some(parent) = path.last().filter(|last| *last != apex).and_then(Name::parent) {
        path.push(parent);
    }
    path.reverse();
    path
}

/// NS and DNAME of an asterisk are data like any other here: RFC 4592 §4.2 and RFC 6672 §3.3 leave open what else they
/// could mean (Knot makes referrals and redirections of them, NSD does as we do).
fn from_wildcard<'z>(zone: &'z Zone, encloser: &Name, rtype: RecordType) -> Finding<'z> {
    let Ok(source) = encloser.child(b"*") else { return Finding::NoSuchName };
    match zone.node(&source) {
        Some(node) => in_node(node, rtype),
        // An asterisk can be an empty non-terminal, too (RFC 4592 §4.9).
        None if zone.exists(&source) => Finding::NoData,
        None => Finding::NoSuchName,
    }
}

fn in_node(node: &[RecordSet], rtype: RecordType) -> Finding<'_> {
    if rtype == RecordType::ANY {
        // One set instead of all of them (RFC 8482 §4.1): the first, so that it is always the same.
        return Finding::Answer(node.first().into_iter().collect());
    }
    let sets: Vec<_> = node.iter().filter(|set| set.rtype() == rtype).collect();
    if !sets.is_empty() {
        return Finding::Answer(sets);
    }
    // What may stand beside a CNAME (RFC 4034 §3 and §4) is asked of the alias itself.
    let is_of_alias = matches!(rtype, RecordType::RRSIG | RecordType::NSEC);
    match set_of(node, RecordType::CNAME).filter(|_| !is_of_alias) {
        Some(alias) => Finding::Alias(alias),
        None => Finding::NoData,
    }
}
