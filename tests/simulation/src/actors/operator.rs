//! The operator: stops and lets go, takes back, ends and begins zones, says what failed, and heals what only a person
//! may heal. In the calm they put everything right, and post one last plan.

use crate::database::{Judge, Stops, Work};
use crate::events::{Actor, Event};
use crate::intent::{Intent, Wish};
use crate::words::{A, ALIAS, APEX, DEADLY, FAULTY, PAIR, PLACES_OF_ZONE, Place, Stamp, WWW};
use crate::world::{Life, World};
use plan_rules::StopKind;
use std::rc::Rc;
use std::time::Duration;
use zone_model::{Key, Setting, Version};

/// How long an operator waits before raising an epoch, so that the servers are heard first.
const SERVERS_SPEAK_WITHIN: Duration = Duration::from_secs(5);

/// The generation at which a group has all that every schedule begins with.
const COMPLETE_AT: i64 = 4;

/// A person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operator {
    pub(crate) life: Life,
    /// The tags of the last plans, by group, once everything else is in order.
    last: Vec<Option<u32>>,
}

impl World {
    /// The operator's next act.
    pub(crate) fn operator_acts(&mut self) {
        if self.database.is_up {
            if self.is_calm {
                self.operator_heals();
            } else {
                self.operator_does_something();
            }
        }
        let (least, most) = if self.is_calm { (300, 700) } else { (600, 3_500) };
        self.after(least, most, Event::Operator);
    }

    /// The answer to an act that is no plan: it shows in what is visible.
    pub(crate) const fn operator_is_answered(&self) {}

    fn operator_does_something(&mut self) {
        let group = self.random.below(self.layout.groups);
        match self.random.below(100) {
            0..18 => self.operator_stops(true),
            18..42 => self.operator_stops(false),
            42..58 => self.operator_rolls_back(group),
            58..64 => self.operator_fails(group),
            64..76 => self.operator_replaces(group),
            76..82 => self.operator_guards(group),
            82..85 => self.operator_pins(group),
            85..88 => self.operator_unpins(group),
            88..91 => {
                let closes = self.random.percent(40);
                self.operator_posts(group, Wish::Close(closes));
            }
            _ if self.may_raise(group) => self.operator_posts(group, Wish::Raise),
            _ => {}
        }
    }

    fn operator_posts(&mut self, group: usize, wish: Wish) {
        let intent = self.intent(group, wish, true);
        self.operator_posts_as(intent);
    }

    fn operator_posts_as(&mut self, intent: Intent) {
        self.tell(|| format!("operator reads {:?}, and wishes {:?} ({})", intent.base, intent.wish, intent.tag));
        let api = self.some_api();
        self.new_task(Rc::new(intent), None, api, 400);
    }

    fn operator_sends(&mut self, work: Work) {
        let who = self.who(Actor::Operator);
        self.send(who, 0, work);
    }

    /// The same stops are let go as are made, and never something in between.
    fn operator_stops(&mut self, freezes: bool) {
        let group = self.random.percent(60).then(|| self.random.below(self.layout.groups));
        let ring = self.random.percent(30).then(|| self.random.below(self.layout.rings.len()));
        self.operator_sends(Work::Stops(Stops { freezes, group, ring }));
    }

    fn operator_rolls_back(&mut self, group: usize) {
        let rows = &self.database.tables.groups[group].generations;
        let Some(newest) = rows.len().checked_sub(2) else { return };
        let back = self.random.below(newest.min(5) + 1);
        // Now and then to what was retired, or is just then.
        let nth = if self.random.percent(15) { 0 } else { newest.saturating_sub(back) };
        // Not before the group was complete.
        let nth = rows
            .iter()
            .position(|one| one.version.generation.get() >= COMPLETE_AT)
            .map_or(newest, |first| nth.max(first));
        let to = self.database.tables.groups[group].generations[nth.min(newest)].version;
        let through_freeze = self.random.percent(35);
        self.operator_posts(group, Wish::Rollback(to.generation, through_freeze));
    }

    fn operator_pins(&mut self, group: usize) {
        let rows = &self.database.tables.groups[group];
        let numbers: Vec<_> = rows.generations.iter().map(|one| one.version.generation).collect();
        // Mostly what is about to be retired, or was just now.
        let nearest = numbers.iter().position(|number| *number >= rows.floor).unwrap_or(0);
        let nth = (nearest + self.random.below(3)).saturating_sub(self.random.below(2)).min(numbers.len() - 1);
        self.operator_sends(Work::Pin(group, numbers[nth]));
    }

    fn operator_unpins(&mut self, group: usize) {
        if let Some(pin) = self.database.tables.groups[group].pins.first() {
            self.operator_sends(Work::Unpin(group, pin.number));
        }
    }

    fn operator_fails(&mut self, group: usize) {
        let rows = &self.database.tables.groups[group].generations;
        let nth = rows.len() - 1 - self.random.below(rows.len().min(3));
        let generation = self.database.tables.groups[group].generations[nth].version.generation;
        self.operator_sends(Work::Judge(Judge { group, generation, id: None, passed: false }));
    }

    /// The second zone ends, or begins again, or is replaced; the first is replaced.
    fn operator_replaces(&mut self, group: usize) {
        let state = self.state_now(group);
        let zone = self.random.below(2);
        let lives = state[Place::apex(zone).0 as usize] != 0;
        if zone == 1 && lives && self.random.percent(40) {
            return self.operator_posts(group, Wish::End(1));
        }
        let mut stamps: [Stamp; PLACES_OF_ZONE] = std::array::from_fn(|_| self.new_stamp());
        stamps[APEX] = 1;
        stamps[WWW] |= 1;
        stamps[ALIAS] = self.random.one_of(&[0, A as Stamp]);
        // A pair is of both zones: what stands in the other one is leant on.
        let other = Place::of(1 - zone, PAIR);
        stamps[PAIR] = state[other.0 as usize];
        let mut intent = self.intent(group, Wish::Replace(zone, stamps), true);
        intent.reads = intent.reads.with(other.bit());
        self.operator_posts_as(intent);
    }

    fn operator_guards(&mut self, group: usize) {
        let place = Place::of(self.random.below(2), A);
        let minimum = self.random.between(0, 1) as u8;
        self.operator_posts(group, Wish::Guard(place, minimum));
    }

    /// Whether the history of a group is known to be behind, and servers have had the time to say what they serve: a raise
    /// goes on above what is known.
    fn may_raise(&self, group: usize) -> bool {
        self.is_behind(group) && self.now.since(self.up_since) >= SERVERS_SPEAK_WITHIN
    }

    fn is_behind(&self, group: usize) -> bool {
        self.database.tables.stops.iter().any(|stop| stop.kind == StopKind::HistoryBehind && stop.group == Some(group))
    }

    /// One thing after the other, until there is nothing left but to post the last plan.
    fn operator_heals(&mut self) {
        for group in 0..self.layout.groups {
            if self.may_raise(group) {
                return self.operator_posts(group, Wish::Raise);
            }
        }
        let stop = self.database.tables.stops.iter().find(|stop| stop.kind != StopKind::HistoryBehind);
        if let Some(stop) = stop {
            let stops = Stops { freezes: false, group: stop.group, ring: stop.ring };
            return self.operator_sends(Work::Stops(stops));
        }
        self.operator.last.resize(self.layout.groups, None);
        for group in 0..self.layout.groups {
            if self.is_closed(group) {
                return self.operator_posts(group, Wish::Close(false));
            }
            let wish = self.last_wish(group);
            if self.last_plan(group).is_none() {
                let intent = self.intent(group, wish, true);
                self.operator.last[group] = Some(intent.tag);
                return self.operator_posts_as(Intent { says_id: true, ..intent });
            }
        }
    }

    fn is_closed(&self, group: usize) -> bool {
        let mut rows = self.database.tables.groups[group].generations.iter().flat_map(|one| &one.rows);
        let newest = rows.rfind(|row| row.change.key == Key::Setting(Setting::Closed));
        newest.is_some_and(|row| row.change.content.is_some())
    }

    /// Something new, and nothing that servers die of.
    fn last_wish(&mut self, group: usize) -> Wish {
        let mut stamps: Vec<(Place, Stamp)> = Vec::new();
        for place in self.poison_now(group) {
            stamps.push((place, self.new_stamp() | 1));
        }
        if stamps.is_empty() {
            stamps.push((Place::of(0, A), self.new_stamp()));
        }
        Wish::Set(stamps)
    }

    /// Where something stands that servers die of, or cannot install.
    fn poison_now(&self, group: usize) -> Vec<Place> {
        let state = self.state_now(group);
        let is_poison =
            |place: &Place| !matches!(place.nth(), APEX | ALIAS) && state[place.0 as usize] & (DEADLY | FAULTY) != 0;
        Place::all().filter(is_poison).collect()
    }

    /// The last plan, once it is in the history that is read now, with nothing newer. One that failed is not the last:
    /// poison in one group makes servers die, and what they were to prove of another fails with them. Nor is one that left
    /// poison standing, which a rollback had brought back just before it.
    pub(crate) fn last_plan(&self, group: usize) -> Option<Version> {
        let tag = (*self.operator.last.get(group)?)?;
        let rows = &self.database.tables.groups[group];
        let tip = rows.tip()?.version;
        (self.ledgers[group].entry(tip)?.tag == tag
            && !rows.failed(tip.generation)
            && self.poison_now(group).is_empty())
        .then_some(tip)
    }
}
