//! The tables.

use crate::time::Time;
use crate::words::{Mask, Place};
use plan_rules::{Admission, Change, Ring, RingName, StopKind};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use zone_model::{Base, Digest, Generation, Id, PlanKind, Version};

/// All tables. Cloning them is a backup, and cheap: what never changes is shared.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// `zone_group` with all that belongs to it, by number.
    pub groups: Vec<Group>,
    /// `ring`, the earlier ones first.
    pub rings: Vec<(RingName, Ring)>,
    /// `server`, by number: its newest instance.
    pub servers: Vec<Option<ServerRow>>,
    /// `stop`.
    pub stops: Vec<StopRow>,
    /// The last number of a plan.
    pub plan_number: u64,
    /// The last number of a stop.
    pub stop_number: u64,
    /// The last number of a pin.
    pub pin_number: u64,
    /// Plans that no generation names yet.
    pub staged: BTreeMap<u64, Staged>,
}

/// A plan's row, as far as the door compares it: what it changes is in the difference that it makes to the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Its group.
    pub group: usize,
    /// Its base.
    pub base: Base,
    /// Its kind.
    pub kind: PlanKind,
    /// What it adds to the digest.
    pub digest_delta: Digest,
}

impl Staged {
    /// The row of a plan that was decided so.
    #[must_use]
    pub const fn of(group: usize, admission: &Admission) -> Self {
        let Admission { base, kind, digest_delta, .. } = admission;
        Self { group, base: *base, kind: *kind, digest_delta: *digest_delta }
    }
}

/// A group and its history.
#[derive(Clone, Debug)]
pub struct Group {
    /// The oldest generation that can be read.
    pub floor: Generation,
    /// `generation`, the first one first.
    pub generations: Vec<Rc<GenerationRow>>,
    /// `head_move` of each ring, in the order of their writing.
    pub moves: Vec<Vec<HeadMove>>,
    /// `verdict`.
    pub verdicts: Vec<VerdictRow>,
    /// `report`, by server: instance, what it serves, since when.
    pub reports: Vec<Option<(u32, Version, Time)>>,
    /// `idempotency_key`, and what was admitted under it.
    pub keys: Vec<(u32, Version)>,
    /// How many record sets stand in each zone.
    pub record_sets: [u64; 2],
    /// `pin`.
    pub pins: Vec<PinRow>,
    /// `retirement`.
    pub sweep: Sweep,
}

/// A pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinRow {
    /// Its number.
    pub number: u64,
    /// The generation that it holds.
    pub generation: Generation,
}

/// How far retirement has got.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sweep {
    /// What generations up to here made obsolete is gone.
    pub swept: Option<Generation>,
    /// Of the next one, if it is large, up to this key.
    pub middle: Option<usize>,
    /// Generations up to here were looked at, and forgotten where nothing was left of them.
    pub forgotten: Option<Generation>,
}

/// A generation with its plan.
#[derive(Clone, Debug)]
pub struct GenerationRow {
    /// Its number and id.
    pub version: Version,
    /// The plan's number.
    pub plan: u64,
    /// The plan's base.
    pub base: Base,
    /// The plan's kind.
    pub kind: PlanKind,
    /// The sum over all that stands.
    pub digest: Digest,
    /// The sum over all that is answered.
    pub answers: Digest,
    /// Deletes of planners so far.
    pub deletes_spent: u64,
    /// When it was written.
    pub at: Time,
    /// `change`.
    pub rows: Vec<Row>,
    /// The places that it changes.
    pub changes: Mask,
    /// The zones that it touches.
    pub touches: [bool; 2],
}

/// A row of content.
#[derive(Clone, Debug)]
pub struct Row {
    /// The place; none for a setting.
    pub place: Option<Place>,
    /// See [`key_number`](crate::words::key_number).
    pub key: usize,
    /// What the rules decided.
    pub change: Change,
}

/// A ring's move.
#[derive(Clone, Debug)]
pub struct HeadMove {
    /// Where to.
    pub generation: Generation,
    /// When.
    pub at: Time,
    /// Who is to prove it.
    pub expected: Option<BTreeSet<String>>,
}

/// A verdict.
#[derive(Clone, Copy, Debug)]
pub struct VerdictRow {
    /// On which generation.
    pub generation: Generation,
    /// Passed or failed.
    pub passed: bool,
    /// When.
    pub at: Time,
}

/// A stop.
#[derive(Clone, Copy, Debug)]
pub struct StopRow {
    /// Its number.
    pub number: u64,
    /// Why.
    pub kind: StopKind,
    /// The group; none for all.
    pub group: Option<usize>,
    /// The ring; none for all.
    pub ring: Option<usize>,
}

/// A server, as the database knows it. Its heartbeats come once a second while it and the database live, and are not
/// written one by one here.
#[derive(Clone, Debug)]
pub struct ServerRow {
    /// Which start of it.
    pub instance: u32,
    /// Its ring.
    pub ring: usize,
    /// When this instance first spoke.
    pub started: Time,
    /// What it says is wrong, and with which group.
    pub fault: Option<(usize, String)>,
    /// When it began to speak without a gap, while it does.
    beats_since: Option<Time>,
    seen: Time,
}

/// How many milliseconds lie between heartbeats.
const HEARTBEAT_MS: u64 = 1_000;

impl ServerRow {
    /// A server that has just said that it lives.
    #[must_use]
    pub const fn speaks(instance: u32, ring: usize, now: Time) -> Self {
        Self { instance, ring, started: now, fault: None, beats_since: Some(now), seen: now }
    }

    /// When its last heartbeat was.
    #[must_use]
    pub fn seen(&self, now: Time) -> Time {
        match self.beats_since {
            Some(since) => Time(now.0 - (now.0 - since.0) % HEARTBEAT_MS),
            None => self.seen,
        }
    }

    /// There are no more heartbeats.
    pub fn falls_silent(&mut self, now: Time) {
        self.seen = self.seen(now);
        self.beats_since = None;
    }

    /// There are heartbeats again, of the same instance.
    pub const fn speaks_again(&mut self, now: Time) {
        self.beats_since = Some(now);
    }
}

impl Group {
    /// A group without a history.
    #[must_use]
    pub fn new(rings: usize, servers: usize) -> Self {
        Self {
            floor: Generation::FIRST,
            generations: Vec::new(),
            moves: vec![Vec::new(); rings],
            verdicts: Vec::new(),
            reports: vec![None; servers],
            keys: Vec::new(),
            record_sets: [0; 2],
            pins: Vec::new(),
            sweep: Sweep::default(),
        }
    }

    /// The newest generation.
    #[must_use]
    pub fn tip(&self) -> Option<&Rc<GenerationRow>> {
        self.generations.last()
    }

    /// The generation of this number.
    #[must_use]
    pub fn generation(&self, number: Generation) -> Option<&Rc<GenerationRow>> {
        self.generations.iter().rev().find(|one| one.version.generation == number)
    }

    /// The id of the generation before.
    #[must_use]
    pub fn parent(&self, number: Generation) -> Id {
        let before = self.generations.iter().rev().find(|one| one.version.generation < number);
        before.map_or(Id::GENESIS, |one| one.version.id)
    }

    /// Whether a generation has failed.
    #[must_use]
    pub fn failed(&self, number: Generation) -> bool {
        self.verdicts.iter().any(|verdict| verdict.generation == number && !verdict.passed)
    }

    /// How long ago a generation passed.
    #[must_use]
    pub fn passed(&self, number: Generation, now: Time) -> Option<Duration> {
        let passed = self.verdicts.iter().find(|verdict| verdict.generation == number && verdict.passed);
        passed.map(|verdict| now.since(verdict.at))
    }

    /// Whether a newer generation rolls back to one before this.
    #[must_use]
    pub fn is_rolled_back(&self, number: Generation) -> bool {
        let newer = self.generations.iter().rev().take_while(|one| one.version.generation > number);
        newer.into_iter().any(|one| matches!(one.kind, PlanKind::Rollback { to, .. } if to < number))
    }

    /// Whether what a generation answers is what another one answers that passed, and is not out since.
    #[must_use]
    pub fn answers_have_passed(&self, generation: &GenerationRow) -> bool {
        self.verdicts.iter().filter(|verdict| verdict.passed).any(|verdict| {
            let number = verdict.generation;
            number != generation.version.generation
                && self.generation(number).is_some_and(|one| one.answers == generation.answers)
                && !self.failed(number)
                && !self.is_rolled_back(number)
        })
    }

    /// The newest row of a key at or below a generation.
    #[must_use]
    pub fn newest(&self, key: usize, upto: Generation) -> Option<&Row> {
        let below = self.generations.iter().rev().filter(|one| one.version.generation <= upto);
        below.flat_map(|one| &one.rows).find(|row| row.key == key)
    }

    /// Whether it would know what a server serves, if it had a generation more.
    #[must_use]
    pub fn will_know(&self, new: Version, served: Version) -> bool {
        let tip = self.tip().map_or(new.generation, |tip| tip.version.generation.max(new.generation));
        let same_number = self.generation(served.generation).map(|one| one.version);
        let same_number = if served.generation == new.generation { Some(new) } else { same_number };
        tip.epoch() > served.generation.epoch()
            || (served.generation <= tip && same_number.is_none_or(|one| one.id == served.id))
    }

    /// Whether this history can have led to what a server says it serves (`history_knows`).
    #[must_use]
    pub fn knows(&self, served: Version) -> bool {
        let Some(tip) = self.tip().map(|tip| tip.version) else { return false };
        if tip.generation.epoch() > served.generation.epoch() {
            return true;
        }
        let same_number = self.generation(served.generation);
        served.generation <= tip.generation && same_number.is_none_or(|one| one.version.id == served.id)
    }
}

impl GenerationRow {
    /// The row that an admission makes.
    #[must_use]
    pub fn new(admission: &Admission, plan: u64, rows: Vec<Row>, at: Time) -> Self {
        let changes = rows.iter().fold(Mask::default(), |mask, row| mask.with(row.mask()));
        let mut touches = [false; 2];
        for row in &rows {
            if let Some(place) = row.place {
                touches[place.zone()] = true;
            }
        }
        Self {
            version: admission.version,
            plan,
            base: admission.base,
            kind: admission.kind,
            digest: admission.digest,
            answers: admission.answers,
            deletes_spent: admission.deletes_spent,
            at,
            rows,
            changes,
            touches,
        }
    }
}

impl Row {
    /// Its place, or the settings.
    #[must_use]
    pub fn mask(&self) -> Mask {
        self.place.map_or(Mask::SETTINGS, Place::bit)
    }
}
