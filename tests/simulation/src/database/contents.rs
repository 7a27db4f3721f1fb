//! What stands at a generation, read out of the rows: what a person sees who asks for it.

use super::{Group, Row};
use crate::intent::State;
use crate::words::{APEX, GroupWords, KEYS, PLACES, Place, Stamp, as_set, key_number};
use zone_model::{Content, Generation, Key, Setting};

/// What was read of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What stands at each place; none for what no plan has wished.
    pub state: [Option<Stamp>; PLACES],
    /// How many records each place keeps at least.
    pub minimum: [u8; PLACES],
    /// Whether the group is closed to planners.
    pub is_closed: bool,
}

impl Group {
    /// What stands at a generation.
    #[must_use]
    pub fn contents(&self, words: &GroupWords, at: Generation) -> Contents {
        let mut newest: [Option<&Row>; KEYS] = [None; KEYS];
        let upto = self.generations.iter().take_while(|one| one.version.generation <= at);
        for row in upto.flat_map(|one| &one.rows) {
            newest[row.key] = Some(row);
        }
        let content = |key: usize| newest[key].and_then(|row| row.change.content.as_ref());
        let mut contents = Contents { state: [Some(0); PLACES], minimum: [0; PLACES], is_closed: false };
        for place in Place::all() {
            let (number, first) = (usize::from(place.0), usize::from(place.0) * 4);
            if let Some(set) = content(first).and_then(as_set) {
                contents.state[number] = words.zones[place.zone()].stamp(place.nth(), set);
            }
            // SOA and NS, or nothing at all.
            if place.nth() == APEX && content(first).is_some() != content(first + 1).is_some() {
                contents.state[number] = None;
            }
            if let Some(Content::Minimum(minimum)) = content(first + 3) {
                contents.minimum[number] = u8::try_from(*minimum).unwrap_or(u8::MAX);
            }
        }
        contents.is_closed = content(key_number(None, &Key::Setting(Setting::Closed))).is_some();
        contents
    }
}

impl Contents {
    /// Takes over the half of a read that is of one zone.
    pub fn take_zone(&mut self, zone: usize, read: &Self) {
        for place in Place::all().filter(|place| place.zone() == zone) {
            let number = usize::from(place.0);
            (self.state[number], self.minimum[number]) = (read.state[number], read.minimum[number]);
        }
    }

    /// As what a state says.
    #[must_use]
    pub fn is_of(&self, state: &State) -> bool {
        self.state.iter().zip(state).all(|(read, wished)| *read == Some(*wished))
    }
}
