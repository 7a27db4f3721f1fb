//! The incident for which rollback exists, on the real programs and with real questions: a poison that nobody minded is
//! served everywhere, the canary refuses what comes next, a soak is pending, the budget is spent, everything is frozen, and
//! the automation goes on posting.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::thread::sleep;
use std::time::Duration;
use test_support::{AnotherServer, Answer, Holdfast, Method, Signal, eventually};

/// Generous: a trial takes three heartbeats and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);
/// For how long nothing may happen while everything is frozen.
const A_WHILE: Duration = Duration::from_secs(3);

fn set(name: &str, rtype: &str, record: &str) -> Value {
    json!({"name": name, "type": rtype, "ttl": 1, "records": [record]})
}

struct Incident {
    canary: AnotherServer,
    automation: String,
    holdfast: Holdfast,
}

impl Incident {
    /// A canary that proves, a fleet that follows, two groups that both serve, and an automation with a planner's token.
    fn start() -> Self {
        let holdfast = Holdfast::start();
        let canary = holdfast.another_server("canary-1", "canary");
        let token = holdfast.post("/v1/tokens", &json!({"name": "automation", "role": "planner"}));
        assert_eq!(token.status, 201, "{}", token.body);
        let automation = token.json()["secret"].as_str().unwrap().to_owned();
        let incident = Self { canary, automation, holdfast };
        incident.soaks_for("0");
        for group in ["shop.test", "other.test"] {
            let mut zone =
                vec![set("@", "SOA", "ns h 1 60 60 60 60"), set("@", "NS", "ns"), set("ns", "A", "192.0.2.53")];
            zone.extend((1..=5).map(|n| set(&format!("n{n}"), "A", "192.0.2.9")));
            zone.push(set("api", "A", "192.0.2.2"));
            let plan = json!({"base": 0, "zones": {format!("{group}."): {"replace": zone}}});
            assert_eq!(incident.holdfast.post(&format!("/v1/groups/{group}/plans"), &plan).status, 201);
            incident.serve_everywhere(group, "api", Some(2));
        }
        incident
    }

    fn soaks_for(&self, soak: &str) {
        let statement = format!("call set_ring('canary', true, '{soak}', '0', 1, 'prove first', null, 'test')");
        self.holdfast.execute(&statement).unwrap();
    }

    fn shop(&self) -> Value {
        self.holdfast.get("/v1/groups/shop.test").json()
    }

    fn tip(&self) -> i64 {
        self.shop()["tip"].as_i64().unwrap()
    }

    fn head(&self, ring: &str) -> Option<i64> {
        self.shop()["heads"][ring]["generation"].as_i64()
    }

    fn post_as_automation(&self, change: &Value) -> Answer {
        let plan = json!({"base": self.tip(), "zones": {"shop.test.": change}}).to_string();
        let bearer = format!("Bearer {}", self.automation);
        let headers = [("Content-Type", "application/json"), ("Authorization", &bearer)];
        self.holdfast.request(Method::POST, "/v1/groups/shop.test/plans", &headers, &plan)
    }

    /// The automation changes something, and is let in; the generation.
    fn changes(&self, change: &Value) -> i64 {
        let answer = self.post_as_automation(change);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["generation"].as_i64().unwrap()
    }

    /// The automation is refused, by this guard.
    fn is_refused(&self, change: &Value, guard: &str) -> String {
        let answer = self.post_as_automation(change);
        assert_eq!((answer.status, &answer.json()["guard"]), (422, &json!(guard)), "{}", answer.body);
        answer.body
    }

    /// Whether both rings answer so; none for no such name.
    fn serves_everywhere(&self, group: &str, name: &str, last: Option<u8>) -> bool {
        let name = format!("{name}.{group}.");
        let wanted = last.map(|last| format!("192.0.2.{last}"));
        let canary = self.canary.ask(&name, "A").ok().map(|answer| answer.answers);
        [canary, Some(self.holdfast.ask(&name, "A").answers)]
            .into_iter()
            .all(|answers| answers.is_some_and(|all| all.first().map(|one| one.data.to_string()) == wanted))
    }

    fn serve_everywhere(&self, group: &str, name: &str, last: Option<u8>) {
        eventually(&format!("{name}.{group} is {last:?} in both rings"), PATIENCE, || {
            self.serves_everywhere(group, name, last)
        });
    }

    /// What a change makes, the canary cannot install: its content does not add up, which no plan can bring about.
    fn changes_what_the_canary_refuses(&self, change: &Value) -> i64 {
        let both = ["enactor-1", "enactor-2"];
        both.iter().for_each(|enactor| self.holdfast.signal(enactor, Signal::STOP));
        let refused = self.changes(change);
        let of = format!(
            "generation = {refused} and zone_group = (select zone_group from zone_group where name = 'shop.test')"
        );
        let sound = self.holdfast.rows(&format!("select encode(digest, 'hex') as digest from generation where {of}"));
        let digest_is = |digest: &str| {
            let statement = format!("update generation set digest = {digest} where {of}");
            self.holdfast
                .execute_as_superuser(&format!("set session_replication_role = replica; {statement}"))
                .unwrap();
        };
        digest_is("sha256('poison')");
        both.iter().for_each(|enactor| self.holdfast.signal(enactor, Signal::CONT));
        let verdict = format!("select why from verdict where {of} and not passed");
        eventually("it fails", PATIENCE, || !self.holdfast.rows(&verdict).is_empty());
        let why = self.holdfast.rows(&verdict)[0]["why"].to_string();
        assert!(why.contains("canary-1 reports a fault"), "{why}");
        digest_is(&format!("'\\x{}'", sound[0]["digest"].as_str().unwrap()));
        refused
    }

    fn roll_back(&self, to: i64, base: i64) -> Answer {
        let body = json!({"to": to, "base": base, "reason": "incident 7", "through_freeze": true});
        self.holdfast.post("/v1/groups/shop.test/rollback", &body)
    }
}

#[test]
fn f57_the_rollback_goes_through_the_freeze_while_the_canary_refuses_and_the_automation_posts() {
    let incident = Incident::start();
    let good = incident.tip();
    let upsert = |name: &str, last: u8| json!({"upsert": [set(name, "A", &format!("192.0.2.{last}"))]});
    let delete = |name: &str| json!({"delete": [{"name": name}]});
    // The poison passes, for no server minds it.
    let poison = incident.changes(&upsert("api", 66));
    incident.serve_everywhere("shop.test", "api", Some(66));
    // The canary refuses what comes next; and what comes then has to soak.
    let refused = incident.changes_what_the_canary_refuses(&delete("n1"));
    incident.soaks_for("1 hour");
    let soaking = incident.changes(&delete("n2"));
    eventually("the canary tries it", PATIENCE, || incident.head("canary") == Some(soaking));
    assert_eq!(incident.head("fleet"), Some(poison), "what failed in the canary, and what soaks there, stays there");
    incident.is_refused(&delete("n3"), "velocity");
    let frozen = incident.holdfast.post("/v1/freeze", &json!({"reason": "all hands"}));
    assert_eq!(frozen.status, 200, "{}", frozen.body);
    incident.changes(&upsert("live", 1));
    sleep(A_WHILE);
    assert_eq!((incident.head("canary"), incident.head("fleet")), (Some(soaking), Some(poison)));

    // Whoever looked before the automation posted again is told so, and looks again.
    let stale = incident.roll_back(good, soaking);
    assert_eq!((stale.status, stale.problem().as_str()), (409, "stale-base"), "{}", stale.body);
    let back = incident.roll_back(good, incident.tip());
    assert_eq!(back.status, 201, "{}", back.body);
    let back = back.json()["generation"].as_i64().unwrap();
    for (name, last) in [("api", Some(2)), ("n1", Some(9)), ("n2", Some(9)), ("live", None)] {
        incident.serve_everywhere("shop.test", name, last);
    }
    assert_eq!((incident.head("canary"), incident.head("fleet")), (Some(back), Some(back)));
    let shop = incident.shop();
    assert_eq!(shop["frozen"][0]["reason"], "all hands", "{shop}");

    // It went through alone, and closed the group.
    for change in [upsert("api", 66), upsert("new", 1), delete("n3")] {
        assert!(incident.is_refused(&change, "closed").contains("incident 7"));
    }
    let by_operator = |group: &str, base: i64| {
        let plan = json!({"base": base, "zones": {format!("{group}."): upsert("api", 3)}});
        let answer = incident.holdfast.post(&format!("/v1/groups/{group}/plans"), &plan);
        assert_eq!(answer.status, 201, "{}", answer.body);
    };
    by_operator("shop.test", back);
    by_operator("other.test", 1);
    sleep(A_WHILE);
    for group in ["shop.test", "other.test"] {
        assert!(incident.serves_everywhere(group, "api", Some(2)), "{group} is frozen");
    }

    // And back to every day, when an operator says so.
    incident.soaks_for("0");
    assert_eq!(incident.holdfast.post("/v1/thaw", &json!({"reason": "over"})).status, 200);
    for group in ["shop.test", "other.test"] {
        incident.serve_everywhere(group, "api", Some(3));
    }
    incident.is_refused(&upsert("api", 4), "closed");
    let open = json!({"base": incident.tip(), "reason": "over", "settings": {"closed": null}});
    assert_eq!(incident.holdfast.post("/v1/groups/shop.test/plans", &open).status, 201);
    incident.changes(&upsert("api", 4));
    incident.serve_everywhere("shop.test", "api", Some(4));
    let unproved =
        format!("select count(*) from head_move where ring = 'fleet' and generation in ({refused}, {soaking})");
    assert_eq!(incident.holdfast.rows(&unproved)[0]["count"], 0);
}
