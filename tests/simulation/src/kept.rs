//! What retirement must leave alone, and that it leaves nothing else: judged by heads, pins and the last generations of
//! the book, and by what can be read of them.

use crate::ledger::{Promise, Verdict, ensure};
use crate::words::{Place, ZONES};
use crate::world::World;
use std::collections::BTreeSet;
use zone_model::{Generation, Version};

impl World {
    /// Whatever heads, pins and the last generations need can be read, and is what it was when it was admitted.
    pub(crate) fn everything_needed_stands(&self, group: usize) -> Verdict {
        let rows = &self.database.tables.groups[group];
        let needed = self.needed(group);
        for number in &needed {
            ensure(*number >= rows.floor, Promise::NothingNeededIsGone, || {
                format!("the floor of group {group} is {}, and generation {number} is needed", rows.floor)
            })?;
            ensure(rows.generation(*number).is_some(), Promise::NothingNeededIsGone, || {
                format!("generation {number} of group {group} is needed, and forgotten")
            })?;
        }
        let readable = rows.generations.iter().map(|one| one.version).filter(|one| one.generation >= rows.floor);
        for version in readable {
            let contents = rows.contents(&self.words.groups[group], version.generation);
            self.ledgers[group].read(version, &contents)?;
        }
        Ok(())
    }

    /// The generations that somebody may yet ask for.
    fn needed(&self, group: usize) -> BTreeSet<Generation> {
        let rows = &self.database.tables.groups[group];
        let heads = (0..self.layout.rings.len()).filter_map(|ring| Some(self.database.head(group, ring)?.generation));
        let last = rows.tip().map(|tip| self.ledgers[group].last(tip.version, self.layout.keep));
        let last = last.into_iter().flatten().map(|one: Version| one.generation);
        heads.chain(rows.pins.iter().map(|pin| pin.generation)).chain(last).collect()
    }

    /// In the calm: what is kept of what nobody needs. A row of each key at most, and the last generations' plans. (Moves and
    /// verdicts may be overlooked when one retirement is killed and the other sweeps; they go when the floor rises again.)
    pub(crate) fn kept_for_nothing(&self, group: usize) -> Option<String> {
        let rows = &self.database.tables.groups[group];
        let oldest = self.needed(group).into_iter().next()?;
        let below = || rows.generations.iter().filter(|one| one.version.generation < oldest);
        let contents = rows.contents(&self.words.groups[group], oldest);
        let standing = Place::all().filter(|place| contents.state[usize::from(place.0)] != Some(0)).count();
        let guards = contents.minimum.iter().filter(|minimum| **minimum > 0).count();
        // At an apex stand two record sets and a serial, or a SOA that is gone; and there may be limits and a closing.
        let rows_max = standing + guards + 2 * ZONES + 2;
        let many = below().map(|one| one.rows.len()).sum::<usize>();
        if many > rows_max {
            return Some(format!("{many} rows below generation {oldest} of group {group}, for what needs {rows_max}"));
        }
        let idle = below().filter(|one| one.rows.is_empty() && one.touches == [false; ZONES]).count();
        if idle > crate::database::REMEMBERED + 1 {
            return Some(format!("{idle} empty generations below generation {oldest} of group {group}"));
        }
        None
    }
}
