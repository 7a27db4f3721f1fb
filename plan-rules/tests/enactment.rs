//! What happens to a head, case by case: alone, proving, following, frozen, lost.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use plan_rules::{
    Course, Enactment, Head, Known, Next, Outcome, Report, Ring, RingName, Rings, Server, Stop, StopKind, Trial,
    Waiting,
};
use std::collections::BTreeSet;
use std::time::Duration;
use zone_model::{Generation, GroupName, Id, Version};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(1_000);

fn ring(name: &str) -> RingName {
    RingName::parse(name).unwrap()
}

fn group() -> GroupName {
    GroupName::parse("shop").unwrap()
}

fn number(number: i64) -> Generation {
    Generation::new(number).unwrap()
}

fn version(of: i64) -> Version {
    Version { generation: number(of), id: id(of) }
}

fn id(of: i64) -> Id {
    Id::from_bytes(&[u8::try_from(of).unwrap(); 32]).unwrap()
}

/// Canary proves for ten seconds, fleet follows at once, delayed a minute later; one canary server that is live.
struct Scene {
    rings: Rings,
    course: Course,
}

impl Scene {
    fn alone(tip: i64) -> Self {
        let mut rings = Rings { watched: LONG, ..Rings::default() };
        let fleet = Ring { first: true, soak: Duration::ZERO, delay: Duration::ZERO, servers_min: 1 };
        rings.rings.insert(ring("fleet"), fleet);
        let known = |of| Known {
            id: id(of),
            failed: false,
            passed: None,
            answers_passed: false,
            rolled_back: false,
            through_freeze: false,
        };
        let generations = (1..=tip).map(|of| (number(of), known(of))).collect();
        let course = Course { group: group(), generations, heads: [].into(), reports: [].into() };
        Self { rings, course }
    }

    fn with_canary(tip: i64) -> Self {
        let mut scene = Self::alone(tip);
        let of = |first, soak, delay| Ring { first, soak: SECOND * soak, delay: SECOND * delay, servers_min: 1 };
        scene.rings.rings.insert(ring("canary"), of(true, 10, 0));
        scene.rings.rings.insert(ring("fleet"), of(false, 0, 0));
        scene.rings.rings.insert(ring("delayed"), of(false, 0, 60));
        scene.server("c1", "canary");
        scene
    }

    fn server(&mut self, name: &str, of: &str) {
        let server = Server { ring: ring(of), seen: SECOND / 2, started: LONG, forgotten: false, doubled: false };
        self.rings.servers.insert(name.to_owned(), server);
    }

    fn head(&mut self, of: &str, at: i64, age_s: u32, expected: &[&str]) {
        let expected = expected.iter().map(ToString::to_string).collect();
        self.course.heads.insert(ring(of), Head { version: version(at), age: SECOND * age_s, expected });
    }

    fn reports(&mut self, server: &str, at: i64, age_s: u32) {
        let report = Report { version: version(at), age: SECOND * age_s, fault: None };
        self.course.reports.insert(server.to_owned(), report);
    }

    fn known(&mut self, of: i64) -> &mut Known {
        self.course.generations.get_mut(&number(of)).unwrap()
    }

    fn stop(&mut self, kind: StopKind, of: Option<&str>) {
        self.rings.stops.push(Stop { kind, group: Some(group()), ring: of.map(ring) });
    }

    fn next(&self, of: &str) -> Next {
        Enactment.read(&self.rings, &self.course, &ring(of))
    }
}

fn moves(to: i64) -> Next {
    Next::Move { version: version(to), expected: None }
}

fn moves_expecting(to: i64, expected: &[&str]) -> Next {
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    Next::Move { version: version(to), expected: Some(expected) }
}

fn is_judged(next: &Next, of: i64, as_passed: bool) -> bool {
    matches!(next, Next::Judge { generation, passed, .. } if *generation == number(of) && *passed == as_passed)
}

fn is_held(next: &Next) -> bool {
    matches!(next, Next::Wait(Waiting::Trial(Trial::Held(_))))
}

#[test]
fn a_ring_that_is_alone_takes_the_tip_at_once_and_never_goes_back() {
    let mut scene = Scene::alone(206);
    assert_eq!(scene.next("fleet"), moves(206));
    scene.head("fleet", 5, 1, &[]);
    assert_eq!(scene.next("fleet"), moves(206));
    scene.head("fleet", 206, 1, &[]);
    assert_eq!(scene.next("fleet"), Next::Stop(Outcome::AlreadyEnacted));
    scene.course.heads.get_mut(&ring("fleet")).unwrap().version.id = id(7);
    assert_eq!(scene.next("fleet"), Next::Stop(Outcome::Refused));
    let mut scene = Scene::alone(6);
    scene.head("fleet", 206, 1, &[]);
    assert_eq!(scene.next("fleet"), Next::Stop(Outcome::Superseded));
}

#[test]
fn whoever_loses_the_race_reads_again() {
    assert_eq!(Enactment.written(false), Next::Read);
    assert_eq!(Enactment.written(true), Next::Stop(Outcome::Enacted));
    assert_eq!(Enactment.judged(), Next::Read);
}

#[test]
fn the_first_ring_holds_its_head_until_a_verdict_and_then_goes_to_the_tip() {
    let mut scene = Scene::with_canary(9);
    assert_eq!(scene.next("canary"), moves_expecting(9, &["c1"]));
    scene.head("canary", 5, 4, &["c1"]);
    assert!(is_held(&scene.next("canary")), "{:?}", scene.next("canary"));
    scene.reports("c1", 5, 4);
    assert!(is_held(&scene.next("canary")), "not yet over the soak");
    scene.head("canary", 5, 20, &["c1"]);
    scene.reports("c1", 5, 12);
    assert!(is_judged(&scene.next("canary"), 5, true));
    scene.known(5).passed = Some(SECOND);
    assert_eq!(scene.next("canary"), moves_expecting(9, &["c1"]));
}

#[test]
fn only_the_exact_id_and_a_life_on_it_prove_anything() {
    let mut scene = Scene::with_canary(5);
    scene.head("canary", 5, 20, &["c1"]);
    scene.reports("c1", 6, 15);
    assert!(is_held(&scene.next("canary")), "a later number is no proof");
    scene.reports("c1", 5, 15);
    scene.course.reports.get_mut("c1").unwrap().version.id = id(9);
    assert!(is_held(&scene.next("canary")), "another id is no proof");
    scene.reports("c1", 5, 15);
    scene.rings.servers.get_mut("c1").unwrap().doubled = true;
    assert!(is_held(&scene.next("canary")), "nobody knows which of two it was");
    scene.rings.servers.get_mut("c1").unwrap().doubled = false;
    scene.rings.rings.get_mut(&ring("canary")).unwrap().soak = Duration::ZERO;
    scene.head("canary", 5, 3, &["c1"]);
    assert!(is_held(&scene.next("canary")), "it served it before the move, and that does not count");
    scene.head("canary", 5, 4, &["c1"]);
    assert!(is_judged(&scene.next("canary"), 5, true));
}

#[test]
fn every_expected_server_has_to_prove_it() {
    let mut scene = Scene::with_canary(6);
    scene.server("c2", "canary");
    scene.head("canary", 5, 20, &["c1", "c2"]);
    scene.reports("c1", 5, 15);
    assert!(is_held(&scene.next("canary")), "c2 has said nothing");
    scene.reports("c2", 5, 5);
    assert!(is_held(&scene.next("canary")), "c2 has not lived on it over the soak");
    scene.reports("c2", 5, 15);
    assert!(is_judged(&scene.next("canary"), 5, true));
}

#[test]
fn a_server_that_is_lost_or_silent_or_faulty_fails_the_generation() {
    let mut scene = Scene::with_canary(6);
    scene.head("canary", 5, 9, &["c1"]);
    scene.reports("c1", 5, 8);
    scene.rings.servers.get_mut("c1").unwrap().seen = SECOND * 4;
    assert!(is_judged(&scene.next("canary"), 5, false));
    scene.rings.watched = SECOND;
    assert!(is_held(&scene.next("canary")), "who comes back from a pause has seen nothing");
    scene.rings.watched = LONG;
    scene.course.reports.clear();
    assert!(is_held(&scene.next("canary")), "it has not reported it, and has time left");
    scene.head("canary", 5, 31, &["c1"]);
    assert!(is_judged(&scene.next("canary"), 5, false));
    scene.rings.servers.get_mut("c1").unwrap().started = SECOND * 2;
    assert!(is_held(&scene.next("canary")), "it has just been started");
    scene.head("canary", 5, 51, &["c1"]);
    assert!(is_judged(&scene.next("canary"), 5, false), "not for ever again");
    scene.head("canary", 5, 2, &["c1"]);
    scene.reports("c1", 4, 100);
    scene.course.reports.get_mut("c1").unwrap().fault = Some("a guarded name is gone".to_owned());
    assert!(is_judged(&scene.next("canary"), 5, false));
}

#[test]
fn a_failed_generation_is_passed_over_and_repaired_by_a_newer_one() {
    let mut scene = Scene::with_canary(5);
    scene.head("canary", 5, 9, &["c1"]);
    scene.known(5).failed = true;
    assert_eq!(scene.next("canary"), Next::Wait(Waiting::NewerPlan));
    let mut scene = Scene::with_canary(7);
    scene.head("canary", 5, 9, &["c1"]);
    scene.known(5).failed = true;
    scene.known(7).failed = true;
    assert_eq!(scene.next("canary"), moves_expecting(6, &["c1"]));
    scene.known(6).failed = true;
    assert_eq!(scene.next("canary"), Next::Wait(Waiting::NewerPlan));
    let mut alone = Scene::alone(7);
    alone.known(7).failed = true;
    assert_eq!(alone.next("fleet"), moves(6));
}

#[test]
fn too_few_servers_prove_nothing_and_hold_nothing() {
    let mut scene = Scene::with_canary(6);
    scene.head("canary", 5, 100, &[]);
    assert_eq!(scene.next("canary"), moves_expecting(6, &["c1"]), "a head that nobody proves waits for nobody");
    scene.head("canary", 6, 100, &[]);
    assert!(matches!(scene.next("canary"), Next::Wait(Waiting::Trial(Trial::TooFew { proving: 0, needed: 1 }))));
    scene.reports("c1", 6, 50);
    assert!(is_judged(&scene.next("canary"), 6, true), "whoever came later may stand in");
    scene.head("canary", 6, 100, &["c1", "c2"]);
    assert!(is_judged(&scene.next("canary"), 6, false), "c2 is not there");
    scene.server("c2", "canary");
    scene.rings.servers.get_mut("c2").unwrap().forgotten = true;
    assert!(is_judged(&scene.next("canary"), 6, true), "unless an operator says that it comes no more");
}

#[test]
fn answers_that_passed_before_need_no_soak_and_what_was_rolled_back_has_failed() {
    let mut scene = Scene::with_canary(8);
    scene.head("canary", 7, 1, &["c1"]);
    scene.known(6).passed = Some(SECOND * 5);
    scene.known(6).rolled_back = true;
    scene.known(7).rolled_back = true;
    scene.known(8).answers_passed = true;
    assert!(is_judged(&scene.next("canary"), 7, false));
    scene.known(7).failed = true;
    assert!(is_judged(&scene.next("canary"), 6, false), "the delayed ring must not come to it later");
    scene.known(6).failed = true;
    assert_eq!(scene.next("canary"), moves_expecting(8, &["c1"]));
    scene.head("canary", 8, 0, &["c1"]);
    assert!(is_judged(&scene.next("canary"), 8, true));
}

#[test]
fn other_rings_follow_verdicts_after_their_delay() {
    let mut scene = Scene::with_canary(9);
    scene.head("fleet", 2, 500, &[]);
    scene.head("delayed", 2, 500, &[]);
    assert_eq!(scene.next("fleet"), Next::Wait(Waiting::Verdict));
    scene.known(3).passed = Some(SECOND * 90);
    scene.known(4).passed = Some(SECOND * 60);
    scene.known(6).passed = Some(SECOND * 20);
    scene.known(7).passed = Some(SECOND * 10);
    scene.known(7).failed = true;
    assert_eq!(scene.next("fleet"), moves(6));
    assert_eq!(scene.next("delayed"), moves(4));
    scene.head("delayed", 4, 0, &[]);
    assert_eq!(scene.next("delayed"), Next::Wait(Waiting::Delay(SECOND * 40)));
    scene.known(6).rolled_back = true;
    assert_eq!(scene.next("fleet"), moves(4));
}

#[test]
fn a_stop_freezes_what_would_move_and_a_rollback_may_go_through() {
    let mut scene = Scene::alone(9);
    scene.head("fleet", 5, 1, &[]);
    scene.stop(StopKind::Freeze, Some("fleet"));
    assert_eq!(scene.next("fleet"), Next::Stop(Outcome::Frozen));
    scene.known(8).through_freeze = true;
    assert_eq!(scene.next("fleet"), moves(8), "alone, with all else still frozen");
    scene.head("fleet", 8, 1, &[]);
    assert_eq!(scene.next("fleet"), Next::Stop(Outcome::Frozen));
    scene.head("fleet", 5, 1, &[]);
    scene.stop(StopKind::HistoryBehind, None);
    assert_eq!(scene.next("fleet"), Next::Stop(Outcome::Frozen));
    let mut scene = Scene::alone(9);
    scene.stop(StopKind::Freeze, Some("canary"));
    assert_eq!(scene.next("fleet"), moves(9), "the stop is another ring's");
}

#[test]
fn a_lost_head_is_found_again_by_what_is_served() {
    let mut scene = Scene::with_canary(9);
    for of in 3..=6 {
        scene.known(of).passed = Some(SECOND * 100);
    }
    scene.head("canary", 9, 1, &["c1"]);
    assert_eq!(scene.next("fleet"), moves(6));
    scene.server("f1", "fleet");
    scene.server("f2", "fleet");
    scene.reports("f1", 4, 50);
    scene.reports("f2", 5, 50);
    assert_eq!(scene.next("fleet"), moves(4), "the lowest that its servers serve");
    scene.course.reports.get_mut("f1").unwrap().version.id = id(77);
    assert_eq!(scene.next("fleet"), moves(5), "of what the history knows");
    scene.course.reports.clear();
    scene.head("fleet", 5, 1, &[]);
    assert_eq!(scene.next("delayed"), moves(5), "the lowest of the earlier rings that has passed");
    scene.course.heads.clear();
    assert_eq!(scene.next("canary"), moves_expecting(9, &["c1"]), "the first takes the tip");
}
