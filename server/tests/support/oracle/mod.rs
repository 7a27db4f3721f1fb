//! The judge of answers: an ordered map, and RFC 1034 §4.3.2 read aloud, without a thought for speed. It shares nothing with
//! the server but the nouns: not the look-up, not the pages, not the encoder.

mod additional;
mod lookup;
mod message;
mod resolve;

use super::History;
use super::wire::Question;
use message::{Flags, Section, Writer};
use server::answer::EDNS_PAYLOAD_SIZE;
use server::snapshot::Directory;
use std::collections::BTreeMap;
use std::ops::Bound;
use zone_model::{Content, Key, Name, RecordSet, RecordType, Soa, with_serial};

/// A zone as its contents are.
pub struct Zone {
    name: Name,
    nodes: BTreeMap<Name, Vec<RecordSet>>,
    soa: RecordSet,
    negative_ttl: u32,
}

impl Zone {
    fn node(&self, name: &Name) -> Option<&[RecordSet]> {
        self.nodes.get(name).map(Vec::as_slice)
    }

    /// Whether the name exists: it has record sets, or a name below it has (an empty non-terminal, RFC 4592 §2.2.2).
    fn exists(&self, name: &Name) -> bool {
        // Canonical order puts all that is below a name right behind it.
        let mut from = self.nodes.range::<Name, _>((Bound::Included(name), Bound::Unbounded));
        from.next().is_some_and(|(next, _)| next.is_within(name))
    }
}

fn set_of(node: &[RecordSet], rtype: RecordType) -> Option<&RecordSet> {
    node.iter().find(|set| set.rtype() == rtype)
}

/// All zones.
#[derive(Default)]
pub struct Zones(BTreeMap<Name, Zone>);

impl Zones {
    /// What the newest generation of some histories says. Which serial that makes, the directory knows, for which there are
    /// other tests.
    pub fn of(histories: &[&History], directory: &Directory) -> Self {
        let mut nodes: BTreeMap<Name, BTreeMap<Name, Vec<RecordSet>>> = BTreeMap::new();
        for history in histories {
            // In the order of keys: by owner, type and covered type.
            for ((zone, _), content) in history.content().iter().filter(|((_, key), _)| matches!(key, Key::Records(_)))
            {
                let Content::Records(set) = content else { continue };
                let nodes = nodes.entry(history.zone_name(*zone).to_lowercase()).or_default();
                nodes.entry(set.owner().to_lowercase()).or_default().push(set.clone());
            }
        }
        let zones = nodes.into_iter().map(|(name, nodes)| {
            let stored = set_of(&nodes[&name], RecordType::SOA).unwrap();
            let (soa, _) = with_serial(stored, directory.zone(&name).unwrap().serial().unwrap()).unwrap();
            let minimum = Soa::from_data(&soa.records()[0]).unwrap().minimum;
            let negative_ttl = soa.ttl().min(minimum);
            (name.clone(), Zone { name, nodes, soa, negative_ttl })
        });
        Self(zones.collect())
    }

    /// The zone that `name` is in: the one of the longest matching name (RFC 1034 §4.3.2, step 2).
    fn closest(&self, name: &Name) -> Option<&Zone> {
        let mut above = Some(name.clone());
        while let Some(candidate) = above {
            if let Some(zone) = self.0.get(&candidate) {
                return Some(zone);
            }
            above = candidate.parent();
        }
        None
    }

    /// The reply to a question of class IN for a type of data, or ANY, to the last octet.
    pub fn answer(&self, question: &Question) -> Vec<u8> {
        let mut response = resolve::Response::default();
        resolve::resolve(self, &question.name, question.rtype, &mut response);
        let limit = if question.tcp { u16::MAX } else { question.size.unwrap_or(512).clamp(512, EDNS_PAYLOAD_SIZE) };
        let mut writer = Writer::new(question, usize::from(limit));
        // The first set that is needed and does not fit ends the answer: the client comes back over TCP for all of it.
        let mut put = |section, entries: &[resolve::Entry<'_>]| {
            entries.iter().all(|entry| writer.put(section, &entry.owner, &entry.set, entry.ttl) || !entry.is_required)
        };
        let is_whole = put(Section::Answer, &response.answer)
            && put(Section::Authority, &response.authority)
            && put(Section::Additional, &response.additional);
        let (rcode, authoritative) = (response.rcode, response.authoritative);
        writer.finish(Flags { rcode, authoritative, truncated: !is_whole })
    }
}
