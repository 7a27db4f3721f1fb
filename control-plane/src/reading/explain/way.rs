//! What a zone says to a question, found in what stands on the way to the name (RFC 1034 §4.3.2).
//!
//! The servers find their answers themselves, and share no code with this: a test asks both.

use std::collections::BTreeMap;
use zone_model::{Name, RecordSet, RecordType};

/// A record set that stands, and the generation that made it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The set.
    pub set: RecordSet,
    /// The generation.
    pub generation: i64,
}

/// What was found at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Data of the type.
    Answer,
    /// The name exists, and has no data of the type.
    NoData,
    /// There is no such name.
    NoSuchName,
    /// The name is at or below a delegation: others know.
    Referral,
    /// The name is another name for something else.
    Alias,
    /// The name is below a DNAME, which puts another end in the place of its own.
    Redirection,
    /// The name is in no zone that is in force here.
    Elsewhere,
    /// The name is in a zone of another group.
    AnotherGroup,
    /// More aliases than a server follows, or one that comes back to where it was.
    Endless,
}

/// All that stands on the way from a zone's apex down to a name, wildcards included.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) zone: Name,
    /// By owner in lower case; at least one set at each.
    pub(super) sets: BTreeMap<Name, Vec<Standing>>,
    /// Whether anything stands below a name that has no record sets of its own, as far as that was asked.
    pub(super) below: BTreeMap<Name, bool>,
}

/// Whether anything stands below this name has to be known first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask(pub(super) Name);

/// What the zone says.
#[derive(Debug)]
pub(super) struct Found<'w> {
    pub(super) finding: Finding,
    /// Whose record sets they are: another name than was asked for at a wildcard, a cut or a DNAME.
    pub(super) owner: Option<Name>,
    pub(super) sets: Vec<&'w Standing>,
    /// The closest name above that exists, where the name itself does not.
    pub(super) encloser: Option<Name>,
}

impl<'w> Found<'w> {
    fn at(owner: &Name, finding: Finding, sets: Vec<&'w Standing>) -> Self {
        Self { finding, owner: Some(owner.clone()), sets, encloser: None }
    }
}

impl Way {
    /// Looks `name` up, which is within the zone.
    pub(super) fn look_up(&self, name: &Name, rtype: RecordType) -> Result<Found<'_>, Ask> {
        // From the apex down: the topmost cut or DNAME hides all that is below it.
        let path = path_down(&self.zone, name);
        let mut encloser = &self.zone;
        for (depth, step) in path.iter().enumerate() {
            let is_last = depth + 1 == path.len();
            let Some(sets) = self.sets.get(step) else {
                if !self.exists(step)? {
                    return self.by_wildcard(encloser, rtype);
                }
                if is_last {
                    return Ok(Found::at(step, Finding::NoData, Vec::new()));
                }
                encloser = step;
                continue;
            };
            let servers = of_type(sets, RecordType::NS);
            // The parent's side of a cut has one thing to say itself: DS.
            if depth > 0 && !servers.is_empty() && !(is_last && rtype == RecordType::DS) {
                return Ok(Found::at(step, Finding::Referral, servers));
            }
            if is_last {
                return Ok(in_node(step, sets, rtype));
            }
            let dname = of_type(sets, RecordType::DNAME);
            if !dname.is_empty() {
                return Ok(Found::at(step, Finding::Redirection, dname));
            }
            encloser = step;
        }
        Ok(absent(encloser))
    }

    fn by_wildcard(&self, encloser: &Name, rtype: RecordType) -> Result<Found<'_>, Ask> {
        let Ok(wildcard) = encloser.child(b"*") else { return Ok(absent(encloser)) };
        let found = match self.sets.get(&wildcard) {
            Some(sets) => in_node(&wildcard, sets, rtype),
            // An asterisk can be an empty non-terminal, too (RFC 4592 §4.9).
            None if self.exists(&wildcard)? => Found::at(&wildcard, Finding::NoData, Vec::new()),
            None => absent(encloser),
        };
        Ok(Found { encloser: Some(encloser.clone()), ..found })
    }

    /// Whether the name has record sets, or a name below it has (an empty non-terminal, RFC 4592 §2.2.2).
    fn exists(&self, name: &Name) -> Result<bool, Ask> {
        if self.sets.keys().any(|owner| owner.is_within(name)) {
            return Ok(true);
        }
        self.below.get(name).copied().ok_or_else(|| Ask(name.clone()))
    }
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

fn absent(encloser: &Name) -> Found<'static> {
    Found { finding: Finding::NoSuchName, owner: None, sets: Vec::new(), encloser: Some(encloser.clone()) }
}

fn of_type(sets: &[Standing], rtype: RecordType) -> Vec<&Standing> {
    sets.iter().filter(|standing| standing.set.rtype() == rtype).collect()
}

fn in_node<'w>(owner: &Name, sets: &'w [Standing], rtype: RecordType) -> Found<'w> {
    let data = of_type(sets, rtype);
    if !data.is_empty() {
        return Found::at(owner, Finding::Answer, data);
    }
    // What may stand beside a CNAME (RFC 4034 §3 and §4) is asked of the alias itself.
    let alias = of_type(sets, RecordType::CNAME);
    let is_of_alias = matches!(rtype, RecordType::RRSIG | RecordType::NSEC);
    let finding = if alias.is_empty() || is_of_alias { Finding::NoData } else { Finding::Alias };
    Found::at(owner, finding, if finding == Finding::Alias { alias } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zone_model::RecordData;

    fn name(text: &str) -> Name {
        Name::parse_relative(text, &Name::parse("example.").unwrap()).unwrap()
    }

    fn way(below: &[(&str, bool)]) -> Way {
        let mut sets: BTreeMap<Name, Vec<Standing>> = BTreeMap::new();
        for (owner, rtype, data) in [
            ("@", "SOA", "ns1 hostmaster 1 3600 900 604800 300"),
            ("@", "NS", "ns1"),
            ("ns1", "A", "192.0.2.53"),
            ("www", "CNAME", "ns1"),
            ("*.wild", "TXT", "x"),
            ("cut", "NS", "ns.elsewhere."),
            ("cut", "DS", "1 8 2 ab"),
            ("other", "DNAME", "elsewhere."),
        ] {
            let rtype: RecordType = rtype.parse().unwrap();
            let data = RecordData::parse(rtype, data, &name("@")).unwrap();
            let set = RecordSet::new(name(owner), rtype, 60, vec![data]).unwrap();
            sets.entry(name(owner)).or_default().push(Standing { set, generation: 1 });
        }
        Way { zone: name("@"), sets, below: below.iter().map(|(text, is)| (name(text), *is)).collect() }
    }

    #[test]
    fn each_way_of_finding_is_found() {
        let way = way(&[
            ("no", false),
            ("*", false),
            ("a.wild", false),
            ("hollow", true),
            ("b.hollow", false),
            ("*.hollow", false),
        ]);
        for (asked, rtype, finding, owner, encloser) in [
            ("ns1", RecordType::A, Finding::Answer, Some("ns1"), None),
            ("NS1", RecordType::A, Finding::Answer, Some("ns1"), None),
            ("ns1", RecordType::AAAA, Finding::NoData, Some("ns1"), None),
            ("www", RecordType::A, Finding::Alias, Some("www"), None),
            ("www", RecordType::CNAME, Finding::Answer, Some("www"), None),
            ("www", RecordType::NSEC, Finding::NoData, Some("www"), None),
            ("no", RecordType::A, Finding::NoSuchName, None, Some("@")),
            ("wild", RecordType::TXT, Finding::NoData, Some("wild"), None),
            ("a.wild", RecordType::TXT, Finding::Answer, Some("*.wild"), Some("wild")),
            ("a.wild", RecordType::A, Finding::NoData, Some("*.wild"), Some("wild")),
            ("hollow", RecordType::A, Finding::NoData, Some("hollow"), None),
            ("b.hollow", RecordType::A, Finding::NoSuchName, None, Some("hollow")),
            ("cut", RecordType::A, Finding::Referral, Some("cut"), None),
            ("cut", RecordType::DS, Finding::Answer, Some("cut"), None),
            ("a.cut", RecordType::DS, Finding::Referral, Some("cut"), None),
            ("other", RecordType::A, Finding::NoData, Some("other"), None),
            ("a.b.other", RecordType::A, Finding::Redirection, Some("other"), None),
        ] {
            let found = way.look_up(&name(asked), rtype).unwrap();
            assert_eq!(
                (found.finding, found.owner, found.encloser),
                (finding, owner.map(name), encloser.map(name)),
                "{asked} {rtype}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_asked() {
        assert_eq!(way(&[]).look_up(&name("a.b"), RecordType::A).unwrap_err(), Ask(name("b")));
        assert_eq!(way(&[("b", true)]).look_up(&name("a.b"), RecordType::A).unwrap_err(), Ask(name("a.b")));
        assert_eq!(way(&[("b", false)]).look_up(&name("a.b"), RecordType::A).unwrap_err(), Ask(name("*")));
    }
}
