//! Three rings, three real servers, two real enactors: canary proves, fleet follows, delayed comes later.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::time::Duration;
use test_support::{AnotherServer, Holdfast, Options, Signal, eventually};

/// Generous: a trial takes three heartbeats and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// `fleet` is served by `up`; the other two rings and their servers are added while it runs.
struct Rings {
    canary: AnotherServer,
    delayed: AnotherServer,
    holdfast: Holdfast,
}

impl Rings {
    fn start() -> Self {
        let holdfast = Holdfast::start_with(Options { demo: true, ..Options::default() });
        holdfast.execute("call set_ring('canary', true, '0', '0', 1, 'prove first', null, 'test')").unwrap();
        holdfast.execute("call set_ring('delayed', false, '0', '2 s', 1, 'later', null, 'test')").unwrap();
        let (canary, delayed) =
            (holdfast.another_server("canary-1", "canary"), holdfast.another_server("delayed-1", "delayed"));
        let rings = Self { canary, delayed, holdfast };
        // The canary's head moved before any canary server was there: who came later stands in.
        let tip = rings.tip();
        eventually("the delayed ring begins", PATIENCE, || rings.head("delayed") == Some(tip));
        rings
    }

    fn tip(&self) -> i64 {
        self.holdfast.get("/v1/groups/demo").json()["tip"].as_i64().unwrap()
    }

    fn head(&self, ring: &str) -> Option<i64> {
        self.holdfast.get("/v1/groups/demo").json()["heads"][ring]["generation"].as_i64()
    }

    /// Gives `probe` an address that ends in `last`; the generation.
    fn post(&self, last: u8) -> i64 {
        let body = json!({ "base": self.tip(), "zones": { "shop.example.": { "upsert": [
            { "name": "probe", "type": "A", "ttl": 1, "records": [format!("192.0.2.{last}")] } ] } } });
        let answer = self.holdfast.post("/v1/groups/demo/plans", &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["generation"].as_i64().unwrap()
    }

    fn serves(&self, ring: &str, last: u8) -> bool {
        let answer = match ring {
            "canary" => self.canary.ask("probe.shop.example.", "A").ok(),
            "delayed" => self.delayed.ask("probe.shop.example.", "A").ok(),
            _ => Some(self.holdfast.ask("probe.shop.example.", "A")),
        };
        let text = answer.and_then(|answer| Some(answer.answers.first()?.data.to_string()));
        text.is_some_and(|text| text == format!("192.0.2.{last}"))
    }

    fn count(&self, query: &str) -> i64 {
        self.holdfast.rows(&format!("select count(*) from {query}"))[0]["count"].as_i64().unwrap()
    }
}

#[test]
fn f52_canary_proves_fleet_follows_and_delayed_comes_later() {
    let rings = Rings::start();
    let began = rings.tip();
    for last in 1..=3 {
        rings.post(last);
        eventually("every ring serves it", PATIENCE, || {
            ["canary", "fleet", "delayed"].into_iter().all(|ring| rings.serves(ring, last))
        });
    }
    // As the database saw it: nobody took what had not passed, and the delayed ring waited.
    let unproved = format!(
        "head_move m join ring r using (ring) where not r.first and m.generation > {began} and not exists (select from verdict v \
         where v.zone_group = m.zone_group and v.generation = m.generation and v.passed and v.at + r.delay <= m.at)"
    );
    assert_eq!(rings.count(&unproved), 0);
    assert_eq!(rings.count("head_move m join ring r using (ring) where r.first and m.expected is null"), 0);
    let servers = rings.holdfast.get("/v1/servers").json();
    let seen = |name: &str| -> Value {
        servers["items"].as_array().unwrap().iter().find(|one| one["server"] == name).cloned().unwrap()
    };
    assert_eq!((&seen("canary-1")["ring"], &seen("canary-1")["live"]), (&json!("canary"), &json!(true)));
    assert_eq!(seen("delayed-1")["ring"], "delayed");
    let enactors = rings.holdfast.get("/v1/enactors").json();
    assert_eq!(enactors["items"].as_array().unwrap().len(), 2);
}

#[test]
fn f33_what_the_canary_refuses_never_reaches_the_fleet() {
    let rings = Rings::start();
    let both = ["enactor-1", "enactor-2"];
    both.iter().for_each(|enactor| rings.holdfast.signal(enactor, Signal::STOP));
    let poison = rings.post(66);
    // A content that does not add up: what no plan can make, and every server refuses.
    let damage = |digest: &str| {
        let statement = format!("update generation set digest = {digest} where generation = {poison}");
        rings.holdfast.execute_as_superuser(&format!("set session_replication_role = replica; {statement}")).unwrap();
    };
    let sound = rings
        .holdfast
        .rows(&format!("select encode(digest, 'hex') as digest from generation where generation = {poison}"));
    damage("sha256('poison')");
    both.iter().for_each(|enactor| rings.holdfast.signal(enactor, Signal::CONT));
    eventually("it fails", PATIENCE, || {
        rings.count(&format!("verdict where generation = {poison} and not passed")) == 1
    });
    let why = rings.holdfast.rows(&format!("select why from verdict where generation = {poison} and not passed"));
    assert!(why[0]["why"].as_str().unwrap().contains("canary-1 reports a fault"), "{why:?}");
    let told = rings.holdfast.get("/v1/servers?ring=canary").json();
    assert_eq!(told["items"][0]["serving"][0]["refused"], poison);
    damage(&format!("'\\x{}'", sound[0]["digest"].as_str().unwrap()));
    let repair = rings.post(7);
    eventually("the repair is served", PATIENCE, || rings.serves("fleet", 7));
    assert_eq!(rings.head("fleet"), Some(repair));
    assert_eq!(rings.count(&format!("head_move where ring <> 'canary' and generation = {poison}")), 0);
    eventually("the canary takes its complaint back", PATIENCE, || rings.count("fault") == 0);
}
