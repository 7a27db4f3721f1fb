//! The checkers' own book: what authors wished, what became visible, and who serves what. It knows nothing of the rules,
//! and judges every visible event by the promises alone.

use crate::database::Contents;
use crate::intent::{Intent, State, Wish};
use crate::words::{ALIAS, APEX, Mask, PAIR, PLACES, Place, Stamp, ZONES, records};
use std::fmt;
use zone_model::{Generation, Serial, Version};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// How.
    pub how: String,
}

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// What a server serves of a group never falls.
    NeverBackwards,
    /// A generation is one thing, for ever; and what is served of it is what its plans wished.
    SameNumberSameContent,
    /// Servers follow one line of history, unless an epoch was raised.
    OneLine,
    /// An admitted change stands until a newer one of its name, whose author had seen it.
    NoLostUpdate,
    /// Guarded names keep their records.
    NeverEmpty,
    /// What is pointed to stands, unless somebody said that it need not.
    NeverDangling,
    /// All zones of a group are of one generation.
    NeverTorn,
    /// Nothing moves between a freeze and its thaw.
    FrozenMeansFrozen,
    /// What failed, or would fail, comes to the first ring only.
    FailedStaysBehind,
    /// Serials go on, by RFC 1982.
    SerialsGoOn,
    /// A retry gets the first result.
    RetriesAreOne,
    /// What is needed can be read.
    NothingNeededIsGone,
    /// When the faults are over, the newest plan is served everywhere.
    NewestWins,
    /// And what nobody needs any more is not kept for ever.
    HistoryStaysBounded,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.how)
    }
}

/// What a verdict of the ledger is.
pub type Verdict = Result<(), Broken>;

pub(crate) fn ensure(holds: bool, promise: Promise, how: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Broken { promise, how: how() }) }
}

/// What is known of a generation by those who only look.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number and id.
    pub version: Version,
    /// The generation before, by its place in the book.
    parent: Option<usize>,
    /// What its author wished.
    pub tag: u32,
    state: State,
    minimum: [u8; PLACES],
    changed: Mask,
    may_dangle: bool,
    is_closed: bool,
    /// Of a raise: the greatest generation that servers were known to serve when it was made.
    raised_above: Option<Option<Generation>>,
    /// Which plan began each zone, as a zone that ended and began again has serials of its own.
    born: [u32; ZONES],
}

/// One group's book.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

/// What a server was seen to serve of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// What it says it is.
    pub version: Version,
    /// What stands; none at a place whose content nobody has wished.
    pub state: [Option<Stamp>; PLACES],
    /// The serials of its zones.
    pub serials: [Option<Serial>; ZONES],
}

impl Entry {
    /// Whether what it comes to may be served at all.
    fn judge(&self) -> Verdict {
        let generation = self.version.generation;
        for at in Place::all() {
            let (least, standing) = (self.minimum[at.0 as usize], records(at, self.state[at.0 as usize]));
            ensure(standing >= least, Promise::NeverEmpty, || {
                format!("generation {generation} leaves {standing} records at place {}, which keeps {least}", at.0)
            })?;
        }
        for zone in 0..ZONES {
            let target = self.state[Place::of(zone, ALIAS).0 as usize];
            let stands = target == 0 || self.state[Place::of(zone, usize::from(target)).0 as usize] != 0;
            ensure(stands || self.may_dangle, Promise::NeverDangling, || {
                format!("generation {generation} leaves the alias of zone {zone} without what it points to")
            })?;
        }
        Ok(())
    }
}

impl Ledger {
    /// The entry of a generation.
    #[must_use]
    pub fn entry(&self, version: Version) -> Option<&Entry> {
        self.place(version).map(|place| &self.entries[place])
    }

    fn place(&self, version: Version) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.version == version)
    }

    /// Whether the history that ends with `tip` has a plan of this tag.
    #[must_use]
    pub fn has_on_its_line(&self, tip: Version, tag: u32) -> bool {
        self.place(tip).is_some_and(|tip| self.line(tip).any(|place| self.entries[place].tag == tag))
    }

    /// What stands at a generation.
    #[must_use]
    pub fn state(&self, version: Version) -> Option<&State> {
        self.entry(version).map(|entry| &entry.state)
    }

    /// The last so many generations of the history that ends with `tip`.
    #[must_use]
    pub fn last(&self, tip: Version, many: usize) -> Vec<Version> {
        let line = self.place(tip).into_iter().flat_map(|tip| self.line(tip));
        line.take(many).map(|place| self.entries[place].version).collect()
    }

    /// Somebody read a generation.
    ///
    /// # Errors
    /// When it is not what it was when it was admitted.
    pub fn read(&self, version: Version, contents: &Contents) -> Verdict {
        let entry = self.entry(version);
        let is_as_wished = entry.is_some_and(|entry| {
            contents.is_of(&entry.state) && contents.minimum == entry.minimum && contents.is_closed == entry.is_closed
        });
        ensure(is_as_wished, Promise::NothingNeededIsGone, || {
            let wished = entry.map(|entry| (&entry.state, &entry.minimum, entry.is_closed));
            format!("generation {} is read as {contents:?}, and its plans wished {wished:?}", version.generation)
        })
    }

    fn line(&self, from: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(from), |place| self.entries[*place].parent)
    }

    /// A generation became visible, after `parent` in the history that is read now. `reported` is the greatest that
    /// servers were known to serve when its author looked.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub fn admitted(
        &mut self,
        parent: Option<Version>,
        version: Version,
        intent: &Intent,
        reported: Option<Generation>,
    ) -> Verdict {
        let parent = parent.and_then(|parent| self.place(parent));
        let nothing = [0; PLACES];
        let before = parent.map_or(nothing, |parent| self.entries[parent].state);
        let once = parent.is_none_or(|parent| self.line(parent).all(|place| self.entries[place].tag != intent.tag));
        ensure(once, Promise::RetriesAreOne, || format!("generation {} is a plan's second", version.generation))?;
        let restored = match (&intent.wish, parent) {
            (Wish::Rollback(to, _), Some(parent)) => {
                self.line(parent).find(|place| self.entries[*place].version.generation == *to)
            }
            _ => None,
        };
        let state = intent.after(&before, restored.map(|place| &self.entries[place].state));
        let mut minimum = parent.map_or([0; PLACES], |parent| self.entries[parent].minimum);
        if let Wish::Guard(place, least) = intent.wish {
            minimum[place.0 as usize] = least;
        }
        let differs = |place: &Place| state[place.0 as usize] != before[place.0 as usize];
        let mut changed = Place::all().filter(differs).fold(Mask::default(), |mask, place| mask.with(place.bit()));
        let was_closed = parent.is_some_and(|parent| self.entries[parent].is_closed);
        let is_closed = match intent.wish {
            Wish::Close(closed) => closed,
            Wish::Rollback(_, through_freeze) => was_closed || through_freeze,
            _ => was_closed,
        };
        if is_closed != was_closed || intent.wish == Wish::Loosen {
            changed = changed.with(Mask::SETTINGS);
        }
        // Who raises an epoch repairs what is there, whatever it was when they looked, and changes no record.
        if intent.wish != Wish::Raise {
            self.judge_base(parent, version, intent, changed)?;
        }
        let may_dangle = intent.may_dangle || parent.is_some_and(|parent| self.entries[parent].may_dangle);
        let mut born = parent.map_or([0; ZONES], |parent| self.entries[parent].born);
        for (zone, born) in born.iter_mut().enumerate() {
            let apex = Place::apex(zone).0 as usize;
            if before[apex] == 0 && state[apex] != 0 {
                *born = intent.tag;
            }
        }
        let tag = intent.tag;
        let raised_above = (intent.wish == Wish::Raise).then_some(reported);
        let entry = Entry { version, parent, tag, state, minimum, changed, may_dangle, is_closed, raised_above, born };
        let judged = entry.judge();
        // After a restore, the same plan on the same generation makes the same thing again.
        let same = self.place(version).map(|place| &self.entries[place]);
        // Its parent too, which then stands twice in this book.
        let of = |place: Option<usize>| place.map(|place| self.entries[place].version);
        let is_same =
            same.is_none_or(|same| of(same.parent) == of(parent) && same.state == state && same.minimum == minimum);
        ensure(is_same, Promise::SameNumberSameContent, || {
            format!("generation {} was something else before", version.generation)
        })?;
        self.entries.push(entry);
        judged
    }

    /// Nothing in the footprint changed after what its author had read.
    fn judge_base(&self, parent: Option<usize>, version: Version, intent: &Intent, changed: Mask) -> Verdict {
        let footprint = intent.footprint().with(changed);
        let Some(base) = intent.base else {
            // Who begins a group has read that there is none.
            return ensure(parent.is_none(), Promise::NoLostUpdate, || {
                format!("generation {} begins a group that was there", version.generation)
            });
        };
        let Some(parent) = parent else { return Ok(()) };
        let (mut seen, mut lost) = (false, None);
        for place in self.line(parent) {
            let entry = &self.entries[place];
            // Who leaves the id out means the number, on whatever line.
            seen = entry.version == base || (!intent.says_id && entry.version.generation == base.generation);
            if seen {
                break;
            }
            if !entry.changed.common(footprint).is_empty() {
                lost = Some(entry.version.generation);
            }
        }
        ensure(seen, Promise::NoLostUpdate, || {
            format!(
                "generation {} is of an author who had read {}, which is of another line",
                version.generation, base.generation
            )
        })?;
        ensure(lost.is_none(), Promise::NoLostUpdate, || {
            format!(
                "generation {} overwrites or leans on what generation {:?} changed, and its author had read {}",
                version.generation,
                lost.map(Generation::get),
                base.generation
            )
        })
    }

    /// A server serves something of this group, after something else, or for the first time.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub fn served(&self, before: Option<&Served>, now: &Served) -> Verdict {
        let generation = now.version.generation;
        if let Some(before) = before {
            ensure(generation >= before.version.generation, Promise::NeverBackwards, || {
                format!("generation {generation} is served after {}", before.version.generation)
            })?;
        }
        let place = self.place(now.version).ok_or_else(|| Broken {
            promise: Promise::SameNumberSameContent,
            how: format!("generation {generation} with id {:?} was never admitted", now.version.id),
        })?;
        self.is_of_one_generation(now, place)?;
        let entry = &self.entries[place];
        let differs = Place::all().find(|at| now.state[at.0 as usize] != Some(entry.state[at.0 as usize]));
        ensure(differs.is_none(), Promise::NoLostUpdate, || {
            let at = differs.map_or(0, |at| at.0 as usize);
            format!(
                "generation {generation} is served with {:?} at place {at}, and its plans wished {}",
                now.state[at], entry.state[at]
            )
        })?;
        if let Some(before) = before.filter(|before| before.version != now.version) {
            let raised_above = self.is_of_one_line(before.version, place)?;
            let born = self.entry(before.version).map(|entry| entry.born);
            for (zone, (was, is)) in before.serials.iter().zip(&now.serials).enumerate() {
                // Nor does anybody go on above what nobody had told them of.
                let was_known = raised_above.is_none_or(|known| known >= Some(before.version.generation));
                if let (Some(was), Some(is), true) = (was, is, was_known)
                    && born.is_some_and(|born| born[zone] == entry.born[zone])
                {
                    ensure(was == is || is.is_after(*was), Promise::SerialsGoOn, || {
                        format!("the serial of zone {zone} went from {was} to {is} with generation {generation}")
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Pairs are alike, where both zones live.
    fn is_of_one_generation(&self, now: &Served, place: usize) -> Verdict {
        let at = |zone, nth| now.state[Place::of(zone, nth).0 as usize];
        let both_live = (0..ZONES).all(|zone| at(zone, APEX) == Some(1));
        let alike = at(0, PAIR) == at(1, PAIR);
        let were_alike = self.entries[place].state[Place::of(0, PAIR).0 as usize]
            == self.entries[place].state[Place::of(1, PAIR).0 as usize];
        ensure(!both_live || alike || !were_alike, Promise::NeverTorn, || {
            format!("the pair is {:?} and {:?}", at(0, PAIR), at(1, PAIR))
        })
    }

    /// What comes now comes of what was before, or of a raise since: then, above what that was made.
    fn is_of_one_line(&self, before: Version, now: usize) -> Result<Option<Option<Generation>>, Broken> {
        let mut raised = None;
        for place in self.line(now) {
            let entry = &self.entries[place];
            if entry.version == before {
                return Ok(None);
            }
            if entry.version.generation.epoch() > before.generation.epoch() {
                raised = entry.raised_above.or(raised);
            }
        }
        ensure(raised.is_some(), Promise::OneLine, || {
            let now = self.entries[now].version.generation;
            format!("generation {now} is served after {}, of which it does not come", before.generation)
        })?;
        Ok(raised)
    }

    /// Whether serving this makes servers die, or speak of a fault.
    #[must_use]
    pub fn is_poison(&self, version: Version) -> bool {
        let poison = crate::words::DEADLY | crate::words::FAULTY;
        let is_poison = |state: &State| {
            Place::all().any(|place| !matches!(place.nth(), APEX | ALIAS) && state[place.0 as usize] & poison != 0)
        };
        self.state(version).is_some_and(is_poison)
    }
}
