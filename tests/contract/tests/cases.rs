//! The contract, case by case: every outcome that the database in memory can give is met here by name, on it and on
//! Postgres, which must answer as the case has it, and show the same after each call.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use contract::{Bend, Both, Call, Layout, Outcome, decide, on_the_tip};
use plan_rules::{Admission, Ring, RingName};
use simulation::database::{Judge, Move, Stops};
use simulation::intent::{Intent, Wish};
use simulation::words::{A, Mask, Place, WWW};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use zone_model::{Base, GENERATIONS_PER_EPOCH, Generation, Id, Version};

/// `www` of the first zone, of which two records are guarded.
const GUARDED: Place = Place::of(0, WWW);
const A_NAME: Place = Place::of(0, A);
const ANOTHER: Place = Place::of(0, A + 1);

/// A case: both databases, and what it does on them.
struct Case {
    both: Both,
    handles: usize,
}

fn ring(name: &str, first: bool, delay_s: u64) -> (RingName, Ring) {
    let delay = Duration::from_secs(delay_s);
    (RingName::parse(name).unwrap(), Ring { first, soak: Duration::ZERO, delay, servers_min: 1 })
}

impl Case {
    fn on(both: Both, layout: &Layout) -> Self {
        let mut case = Self { both, handles: 0 };
        case.both.begin_anew(layout);
        for server in 0..layout.servers.len() {
            case.call(&Call::Start { server, instance: 1 }, "done");
        }
        case
    }

    /// With one ring.
    fn alone(both: Both) -> Self {
        Self::on(both, &Layout { rings: vec![ring("fleet", true, 0)], servers: vec![0] })
    }

    /// With a ring that proves, one that follows, and one that follows an hour later.
    fn in_rings(both: Both) -> Self {
        let rings = vec![ring("canary", true, 0), ring("fleet", false, 0), ring("slow", false, 3_600)];
        Self::on(both, &Layout { rings, servers: vec![0, 1, 2] })
    }

    /// Calls a door of both, which must answer so.
    fn call(&mut self, call: &Call, wanted: &str) -> Outcome {
        let outcome = self.both.call(call).unwrap_or_else(|difference| panic!("{difference}"));
        assert_eq!(outcome.word(), wanted, "{call:?}");
        outcome
    }

    fn tip(&self) -> Version {
        self.both.memory.database().tables.groups[0].tip().unwrap().version
    }

    fn intent(&self, wish: Wish) -> Intent {
        on_the_tip(self.both.memory.database(), 0, wish)
    }

    fn decided(&self, intent: &Intent) -> Admission {
        decide(self.both.memory.database(), intent).unwrap()
    }

    /// Decided on the tip.
    fn wished(&self, wish: Wish) -> Admission {
        self.decided(&self.intent(wish))
    }

    fn bent(&self, admission: &Admission, bend: Bend) -> Admission {
        bend.bend(self.both.memory.database(), 0, admission.clone())
    }

    fn admit(&mut self, admission: &Admission, wanted: &str) {
        self.admit_with(admission, None, None, wanted);
    }

    fn admit_with(&mut self, admission: &Admission, key: Option<u32>, staged: Option<usize>, wanted: &str) {
        self.call(&Call::Admit { group: 0, admission: Rc::new(admission.clone()), key, staged }, wanted);
    }

    fn set(&mut self, place: Place, stamp: u16) {
        let admission = self.wished(Wish::Set(vec![(place, stamp)]));
        self.admit(&admission, "admitted");
    }

    fn stage(&mut self, admission: &Admission, wanted: &str) -> usize {
        self.handles += 1;
        let (handle, admission) = (self.handles, Rc::new(admission.clone()));
        self.call(&Call::Stage { handle, group: 0, admission }, wanted);
        handle
    }

    fn moves(&mut self, ring: usize, to: Version, expected: Option<&[&str]>, wanted: &str) {
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
        self.call(&Call::Move(Move { group: 0, ring, to, expected }), wanted);
    }

    fn judge(&mut self, generation: Generation, passed: bool, wanted: &str) {
        let id = self.both.memory.id_of(0, generation).or(Some(Id::GENESIS));
        self.call(&Call::Judge(Judge { group: 0, generation, id, passed }), wanted);
    }

    /// A person says so, and means the one that is there.
    fn fails(&mut self, generation: Generation, wanted: &str) {
        self.call(&Call::Judge(Judge { group: 0, generation, id: None, passed: false }), wanted);
    }

    fn stops(&mut self, freezes: bool, group: Option<usize>, ring: Option<usize>) {
        self.call(&Call::Stops(Stops { freezes, group, ring }), "done");
    }

    fn reports(&mut self, server: usize, instance: u32, version: Version, wanted: &str) {
        self.call(&Call::Report { server, instance, group: 0, version }, wanted);
    }
}

fn generation(number: i64) -> Generation {
    Generation::new(number).unwrap()
}

fn unlike(version: Version) -> Version {
    Version { id: Id::of(&version.id, version.generation, &zone_model::Digest::EMPTY), ..version }
}

/// Who is first is first; who comes late decides again, and who decided on another tip of that number as well.
fn races_of_plans(both: Both) -> Both {
    let mut case = Case::alone(both);
    let (one, other) = (case.wished(Wish::Set(vec![(A_NAME, 8)])), case.wished(Wish::Set(vec![(ANOTHER, 8)])));
    case.admit(&one, "admitted");
    case.admit(&other, "lost-race");
    case.admit(&one, "lost-race");
    let next = case.wished(Wish::Set(vec![(ANOTHER, 10)]));
    let astray = case.bent(&next, Bend::Parent);
    case.admit(&astray, "lost-race");
    // The number after the next one: of what it was decided on there is nothing.
    let mut ahead = case.bent(&next, Bend::Number(1));
    ahead.parent = unlike(next.version).id;
    case.admit(&ahead, "lost-race");
    // Decided on the tip, and yet not the next one.
    let beyond = case.bent(&next, Bend::Number(1));
    case.admit(&beyond, "HF006");
    case.admit(&next, "admitted");
    case.both
}

/// What the table refuses, whatever the rules had let through.
fn refusals_of_plans(both: Both) -> Both {
    let mut case = Case::alone(both);
    let stale = case.wished(Wish::Set(vec![(A_NAME, 8)]));
    case.set(A_NAME, 10);
    let onto = case.bent(&stale, Bend::OntoTheTip);
    case.admit(&onto, "HF004");
    let one = case.wished(Wish::Set(vec![(ANOTHER, 12)]));
    for (bend, wanted) in [(Bend::Base(1), "HF005"), (Bend::Empty, "HF012"), (Bend::AsARaise, "HF006")] {
        let bent = case.bent(&one, bend);
        case.admit(&bent, wanted);
    }
    // Nobody may give deletes back.
    let mut planners = case.intent(Wish::Set(vec![(ANOTHER, 0)]));
    (planners.by_operator, planners.may_dangle) = (false, false);
    let deleted = case.decided(&planners);
    case.admit(&deleted, "admitted");
    let one = case.wished(Wish::Set(vec![(ANOTHER, 12)]));
    let unspent = case.bent(&one, Bend::Unspent);
    case.admit(&unspent, "HF031");
    case.admit(&one, "admitted");
    case.both
}

/// A name that somebody leans on, and that changed since.
fn f56_reads_stop_write_skew(both: Both) -> Both {
    let mut case = Case::alone(both);
    let mut intent = case.intent(Wish::Set(vec![(A_NAME, 8)]));
    intent.reads = ANOTHER.bit();
    let leans = case.decided(&intent);
    intent.reads = Mask::zone(1);
    let elsewhere = case.decided(&intent);
    case.set(ANOTHER, 8);
    let leans = case.bent(&leans, Bend::OntoTheTip);
    case.admit(&leans, "HF004");
    let without = case.bent(&leans, Bend::WithoutReads);
    let elsewhere = case.bent(&elsewhere, Bend::OntoTheTip);
    case.admit(&elsewhere, "admitted");
    case.admit(&without, "lost-race");
    case.both
}

/// A zone without SOA and NS, and a guarded name below its minimum.
fn f15_what_must_stand_stands(both: Both) -> Both {
    let mut case = Case::alone(both);
    let unguard = case.wished(Wish::Guard(GUARDED, 0));
    case.admit(&unguard, "admitted");
    // What the rules decide while nobody guards it.
    let fewer = case.wished(Wish::Set(vec![(GUARDED, 2)]));
    let guard = case.wished(Wish::Guard(GUARDED, 2));
    case.admit(&guard, "admitted");
    // Its base is below the guard, whose name it changes; from the tip, only the guard is in its way.
    let fewer = case.bent(&fewer, Bend::OntoTheTip);
    case.admit(&fewer, "HF004");
    let fewer = case.bent(&fewer, Bend::Base(1));
    case.admit(&fewer, "HF030");
    let ends = case.wished(Wish::End(1));
    for bend in [Bend::WithoutTheLast, Bend::AsARollback(generation(2))] {
        let bent = case.bent(&ends, bend);
        case.admit(&bent, "HF008");
    }
    // Who goes back to where the zone had not begun ends it rightly.
    let to_before_the_zone = case.bent(&ends, Bend::AsARollback(generation(1)));
    case.admit(&to_before_the_zone, "admitted");
    case.both
}

/// A plan that was staged takes the number that it drew then.
fn staged_plans(both: Both) -> Both {
    let mut case = Case::alone(both);
    let large = case.wished(Wish::Set(vec![(A_NAME, 8)]));
    let handle = case.stage(&large, "staged");
    case.set(ANOTHER, 8);
    case.admit_with(&large, None, Some(handle), "lost-race");
    let onto = case.bent(&large, Bend::OntoTheTip);
    case.admit_with(&onto, None, Some(handle), "admitted");
    case.admit_with(&onto, None, Some(handle), "HF003");
    // Given up, or of a database that was restored since.
    let next = case.wished(Wish::Set(vec![(ANOTHER, 10)]));
    case.admit_with(&next, None, Some(usize::MAX), "HF015");
    case.admit_with(&large, None, Some(usize::MAX), "lost-race");
    case.admit_with(&large, Some(9), Some(usize::MAX), "HF015");
    let ahead = case.bent(&next, Bend::Base(1));
    case.stage(&ahead, "HF005");
    let nowhere = case.bent(&next, Bend::AsARollback(generation(40)));
    case.stage(&nowhere, "HF005");
    case.both
}

/// A staged plan's own row says the base that it was staged with: no caller can say otherwise at the door.
fn a_staged_plan_keeps_its_base(both: Both) -> Both {
    let mut case = Case::alone(both);
    let early = case.wished(Wish::Set(vec![(A_NAME, 8)]));
    let handle = case.stage(&early, "staged");
    case.set(A_NAME, 10);
    let onto = case.bent(&early, Bend::OntoTheTip);
    case.admit_with(&onto, None, Some(handle), "HF004");
    case.both
}

/// The same key is the same plan; a plan of a future base is refused before anybody looks for its key.
fn f09_retries(both: Both) -> Both {
    let mut case = Case::alone(both);
    let one = case.wished(Wish::Set(vec![(A_NAME, 8)]));
    case.admit_with(&one, Some(1), None, "admitted");
    case.admit_with(&one, Some(1), None, "key-known");
    let other = case.wished(Wish::Set(vec![(ANOTHER, 8)]));
    case.admit_with(&other, Some(1), None, "key-known");
    let ahead = case.bent(&other, Bend::Base(3));
    case.admit_with(&ahead, Some(1), None, "HF005");
    case.admit_with(&one, Some(2), None, "lost-race");
    // Who lost has not used up the key.
    case.admit_with(&other, Some(2), None, "admitted");
    case.both
}

/// Nothing moves below the floor, and nothing is judged against what is forgotten.
fn below_the_floor(both: Both) -> Both {
    let mut case = Case::alone(both);
    let old = case.tip();
    let early = case.wished(Wish::Set(vec![(A_NAME, 8)]));
    case.set(ANOTHER, 8);
    case.set(ANOTHER, 10);
    let back = case.wished(Wish::Rollback(old.generation, false));
    case.call(&Call::Floor { group: 0, floor: generation(6) }, "done");
    case.moves(0, old, None, "HF009");
    let early = case.bent(&early, Bend::OntoTheTip);
    case.admit(&early, "HF032");
    case.admit(&back, "HF032");
    let tip = case.tip();
    case.moves(0, tip, None, "moved");
    case.moves(0, tip, None, "was-there");
    case.both
}

/// Frozen means frozen: for the group and the ring that it says, and for all but a rollback through it.
fn f46_stops(both: Both) -> Both {
    let mut case = Case::in_rings(both);
    let tip = case.tip();
    for (group, ring) in [(Some(0), None), (None, Some(0)), (Some(0), Some(0)), (None, None)] {
        case.stops(true, group, ring);
        case.moves(0, tip, Some(&["server-0"]), "HF022");
        // "Every" is not "any": this ends nothing.
        case.stops(false, Some(1), ring);
        case.moves(0, tip, Some(&["server-0"]), "HF022");
        case.stops(false, group, ring);
    }
    case.stops(true, Some(0), Some(1));
    case.stops(true, Some(0), Some(1));
    case.moves(0, tip, Some(&["server-0"]), "moved");
    case.set(A_NAME, 8);
    let through = case.wished(Wish::Rollback(tip.generation, true));
    case.admit(&through, "admitted");
    case.stops(true, None, None);
    let tip = case.tip();
    case.moves(0, tip, Some(&["server-0"]), "moved");
    case.both
}

/// A first ring proves, others follow a verdict, and nobody goes to what failed.
fn f33_rings(both: Both) -> Both {
    let mut case = Case::in_rings(both);
    let old = case.tip();
    case.moves(1, old, None, "HF025");
    case.judge(old.generation, true, "HF027");
    case.moves(0, old, None, "HF025");
    case.moves(0, old, Some(&[]), "moved");
    case.judge(old.generation, true, "HF027");
    case.reports(0, 1, old, "done");
    case.judge(old.generation, true, "done");
    case.judge(old.generation, true, "done");
    case.moves(1, old, None, "moved");
    // It never moved, and may begin with what passed; afterwards it waits for its hour.
    case.moves(2, old, None, "moved");
    case.set(A_NAME, 8);
    let new = case.tip();
    case.moves(0, new, Some(&["server-0"]), "moved");
    case.judge(new.generation, true, "done");
    case.moves(2, new, None, "HF025");
    case.judge(new.generation, false, "done");
    case.moves(1, new, None, "HF026");
    case.judge(generation(40), false, "done");
    case.fails(generation(40), "23503");
    case.moves(1, Version { generation: generation(40), ..new }, None, "23503");
    // What answers the same as what passed needs no servers; and what is rolled back is failed before anybody says so.
    let back = case.wished(Wish::Rollback(old.generation, false));
    case.set(ANOTHER, 8);
    let skipped = case.tip();
    case.admit(&back, "lost-race");
    let back = case.wished(Wish::Rollback(old.generation, false));
    case.admit(&back, "admitted");
    case.moves(0, skipped, Some(&["server-0"]), "HF026");
    let tip = case.tip();
    case.moves(0, tip, Some(&[]), "moved");
    case.judge(tip.generation, true, "done");
    case.moves(1, tip, None, "moved");
    case.both
}

/// A ring that never moved begins where its own servers are, or another later ring was.
fn f22_where_a_ring_begins(both: Both) -> Both {
    let mut case = Case::in_rings(both);
    let tip = case.tip();
    case.reports(0, 1, tip, "done");
    case.moves(1, tip, None, "HF025");
    case.reports(1, 1, unlike(tip), "done");
    case.stops(false, Some(0), None);
    case.reports(1, 1, tip, "done");
    case.stops(false, Some(0), None);
    case.moves(1, tip, None, "moved");
    case.moves(2, tip, None, "moved");
    case.both
}

/// A server knows what the history does not: its group stops, until a raise that is above all that servers know.
fn f08_a_history_that_is_behind(both: Both) -> Both {
    let mut case = Case::alone(both);
    let tip = case.tip();
    let ahead = unlike(Version { generation: generation(tip.generation.get() + 5), ..tip });
    let raise_too_low = case.wished(Wish::Raise);
    case.reports(0, 1, tip, "done");
    case.reports(0, 2, ahead, "23503");
    case.reports(0, 1, ahead, "done");
    case.reports(0, 1, ahead, "done");
    let change = case.wished(Wish::Set(vec![(A_NAME, 8)]));
    case.admit(&change, "HF023");
    case.moves(0, tip, None, "HF022");
    case.stops(false, Some(0), None);
    case.moves(0, tip, None, "HF022");
    let next_epoch = Version { generation: generation(GENERATIONS_PER_EPOCH + 7), ..ahead };
    case.reports(0, 1, next_epoch, "done");
    case.admit(&raise_too_low, "HF024");
    let raise = case.wished(Wish::Raise);
    let not_first = case.bent(&raise, Bend::Number(1));
    case.admit(&not_first, "HF006");
    case.admit(&raise, "admitted");
    case.set(A_NAME, 8);
    let tip = case.tip();
    case.moves(0, tip, None, "moved");
    case.both
}

/// A server that starts anew reports nothing at first, so what it had reported stops nothing.
fn a_server_that_starts_anew(both: Both) -> Both {
    let mut case = Case::alone(both);
    let tip = case.tip();
    case.reports(0, 1, unlike(tip), "done");
    case.stops(false, Some(0), None);
    case.moves(0, tip, None, "HF022");
    case.call(&Call::Start { server: 0, instance: 2 }, "done");
    case.stops(false, Some(0), None);
    case.moves(0, tip, None, "moved");
    case.reports(0, 1, tip, "23503");
    case.both
}

/// An epoch begins on the tip, after nothing else.
fn f08_raises(both: Both) -> Both {
    let mut case = Case::alone(both);
    let late = case.wished(Wish::Raise);
    case.set(A_NAME, 8);
    let mut onto = case.bent(&late, Bend::OntoTheTip);
    onto.version = late.version;
    case.admit(&late, "lost-race");
    case.admit(&onto, "HF004");
    assert!(onto.base < Base::from(case.tip().generation));
    let raise = case.wished(Wish::Raise);
    case.admit(&raise, "admitted");
    let below = case.bent(&case.wished(Wish::Set(vec![(ANOTHER, 8)])), Bend::Number(-5));
    case.admit(&below, "lost-race");
    case.set(ANOTHER, 8);
    case.both
}

/// A case with its name: it begins anew on both databases, and gives them back.
type Named = (&'static str, fn(Both) -> Both);

#[test]
fn both_databases_keep_the_contract() {
    let cases: [Named; 14] = [
        ("races of plans", races_of_plans),
        ("refusals of plans", refusals_of_plans),
        ("reads stop write skew", f56_reads_stop_write_skew),
        ("what must stand stands", f15_what_must_stand_stands),
        ("staged plans", staged_plans),
        ("a staged plan keeps its base", a_staged_plan_keeps_its_base),
        ("retries", f09_retries),
        ("below the floor", below_the_floor),
        ("stops", f46_stops),
        ("rings", f33_rings),
        ("where a ring begins", f22_where_a_ring_begins),
        ("a history that is behind", f08_a_history_that_is_behind),
        ("a server that starts anew", a_server_that_starts_anew),
        ("raises", f08_raises),
    ];
    let mut both = Both::start();
    for (name, case) in cases {
        println!("case: {name}");
        both = case(both);
    }
}
