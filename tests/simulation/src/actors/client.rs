//! Clients: planners whose base may be old by the time they post, and who try again when nobody answers.

use crate::events::{Actor, Event, Told};
use crate::fault::Fault;
use crate::intent::{Intent, State, Wish};
use crate::ledger::{Promise, Verdict, ensure};
use crate::words::{A, ALIAS, DEADLY, FAULTY, Mask, PAIR, Place, Stamp, WWW, ZONES};
use crate::world::World;
use std::rc::Rc;

/// How often a plan is posted again when nobody answers.
const TRIES_MAX: u32 = 4;

/// A planner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    posted: u32,
    waits_for: Option<(Rc<Intent>, u32)>,
    /// How often the database had been restored when the first try was made.
    restores: u32,
}

impl World {
    /// A client that waits for nothing reads, makes a plan, and posts it a while later.
    pub(crate) fn client_thinks(&mut self, client: usize) {
        if self.is_calm || self.clients[client].posted >= self.layout.plans_each {
            return;
        }
        if let Some((intent, tries)) = self.clients[client].waits_for.clone() {
            return self.posts(client, &intent, tries + 1);
        }
        if !self.database.is_up {
            return self.after(200, 1_500, Event::Client(client));
        }
        let group = self.random.below(self.layout.groups);
        let intent = Rc::new(self.planners_intent(group));
        self.tell(|| format!("client {client} reads {:?}, and wishes {:?} ({})", intent.base, intent.wish, intent.tag));
        self.clients[client].posted += 1;
        self.clients[client].restores = self.restores;
        self.posts(client, &intent, 1);
    }

    fn posts(&mut self, client: usize, intent: &Rc<Intent>, tries: u32) {
        self.clients[client].waits_for = Some((intent.clone(), tries));
        let thinks_ms = if tries == 1 && self.random.percent(40) { 2_500 } else { 30 };
        if !self.is_lost() {
            let api = self.random.below(self.apis.len());
            self.new_task(intent.clone(), Some(client), api, thinks_ms);
        }
        let patience_ms = thinks_ms + self.random.between(2_000, 6_000);
        self.after(patience_ms, patience_ms, Event::Told(client, intent.tag, Told::Silence));
    }

    /// Whether a plan is in its group's history now.
    pub(crate) fn stands(&self, intent: &Intent) -> bool {
        let tip = self.database.tables.groups[intent.group].tip().map(|tip| tip.version);
        tip.is_some_and(|tip| self.ledgers[intent.group].has_on_its_line(tip, intent.tag))
    }

    /// A client hears what became of its plan.
    pub(crate) fn client_is_told(&mut self, client: usize, tag: u32, told: Told) -> Verdict {
        let Some((intent, tries)) = self.clients[client].waits_for.clone().filter(|(intent, _)| intent.tag == tag)
        else {
            return Ok(());
        };
        if told == Told::Silence && intent.keyed && tries < TRIES_MAX && !self.is_calm {
            self.figures.count("retries with a key");
            self.after(0, 400, Event::Client(client));
            return Ok(());
        }
        self.clients[client].waits_for = None;
        self.after(50, 2_500, Event::Client(client));
        // What was refused by one history may stand in the backup that took its place.
        let is_restored = self.clients[client].restores != self.restores;
        ensure(told != Told::Refused(true) || !intent.keyed || is_restored, Promise::RetriesAreOne, || {
            format!("client {client} is told that plan {tag} was refused, and it is in the history")
        })
    }

    /// A stamp that nobody has used.
    pub(crate) fn new_stamp(&mut self) -> Stamp {
        self.stamps += 1;
        self.stamps & !(DEADLY | FAULTY)
    }

    /// What people see of a group now.
    pub(crate) fn state_now(&self, group: usize) -> State {
        let tip = self.database.tables.groups[group].tip();
        let state = tip.and_then(|tip| self.ledgers[group].state(tip.version));
        state.copied().unwrap_or([0; crate::words::PLACES])
    }

    /// An intent on what is there now.
    pub(crate) fn intent(&mut self, group: usize, wish: Wish, by_operator: bool) -> Intent {
        self.tags += 1;
        let base = self.database.tables.groups[group].tip().map(|tip| tip.version);
        Intent {
            tag: self.tags,
            group,
            base,
            says_id: !by_operator || self.random.percent(70),
            wish,
            reads: Mask::default(),
            by_operator,
            may_dangle: false,
            keyed: self.random.percent(75),
        }
    }

    fn planners_intent(&mut self, group: usize) -> Intent {
        let state = self.state_now(group);
        let zone = self.random.below(ZONES);
        let place = Place::of(zone, A + self.random.below(3));
        let mut reads = Mask::default();
        let stamps = match self.random.below(100) {
            0..35 => {
                let other = Place::of(self.random.below(ZONES), A + self.random.below(3));
                let mut stamps = vec![(place, self.new_stamp())];
                if other != place && self.random.percent(40) {
                    stamps.push((other, self.new_stamp()));
                }
                stamps
            }
            35..52 => {
                // Never both gone: who takes one away leans on the other.
                let other = Place::of(zone, if place.nth() == A { A + 1 } else { A });
                if self.has(Fault::ReadsIgnored) || self.random.percent(60) {
                    reads = reads.with(other.bit());
                }
                vec![(place, 0)]
            }
            52..67 => {
                let target = A + self.random.below(3);
                let stands = state[Place::of(zone, target).0 as usize] != 0;
                vec![(Place::of(zone, ALIAS), if stands || self.random.percent(30) { target as Stamp } else { 0 })]
            }
            67..83 => {
                let stamp = self.new_stamp();
                vec![(Place::of(0, PAIR), stamp), (Place::of(1, PAIR), stamp)]
            }
            83..94 => {
                // One address is too few, and none at all is what this is all about.
                let stamp = self.new_stamp();
                vec![(Place::of(0, WWW), self.random.one_of(&[stamp | 1, stamp | 1, stamp & !1, 0]))]
            }
            _ if self.layout.has_poison => {
                let poison = self.random.one_of(&[DEADLY, FAULTY]);
                vec![(place, self.new_stamp() | poison)]
            }
            _ => vec![(place, self.new_stamp())],
        };
        let intent = self.intent(group, Wish::Set(stamps), false);
        Intent { reads, ..intent }
    }

    /// Tells the client of a task, some time later, unless the message is lost.
    pub(crate) fn tell_client(&mut self, client: Option<usize>, tag: u32, told: Told) {
        let ms = self.message_ms();
        if let Some(client) = client.filter(|_| !self.is_lost()) {
            self.after(ms, ms, Event::Told(client, tag, told));
        }
    }

    /// One of the APIs that run, as people find it.
    pub(crate) fn some_api(&mut self) -> usize {
        let first = self.random.below(self.apis.len());
        let runs = |world: &mut Self, api: usize| {
            let who = world.who(Actor::Api(api));
            world.awake(who).is_ok()
        };
        let other = (first + 1) % self.apis.len();
        if runs(self, first) || !runs(self, other) { first } else { other }
    }
}
