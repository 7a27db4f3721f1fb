//! "Why does NAME answer X": one call.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{Answer, Api, record_set, whole_zone};
use serde_json::{Value, json};

const PLANS: &str = "/v1/groups/example.com/plans";

/// Moves heads of a ring as an enactor does.
async fn enact(api: &Api, group: &str, ring: &str, generation: i64) {
    api.run(&format!(
        "insert into head_move (zone_group, ring, generation, by) select zone_group, '{ring}', {generation}, 'test' from zone_group where name = '{group}'"
    ))
    .await;
}

async fn reports(api: &Api, server: &str, ring: &str, group: &str, generation: i64, seen: &str) {
    api.run(&format!(
        "insert into server (server, instance, ring, seen) values ('{server}', gen_random_uuid(), '{ring}', clock_timestamp() - interval '{seen}') on conflict do nothing;
         insert into report (server, instance, zone_group, generation, id)
         select s.server, s.instance, g.zone_group, g.generation, g.id from server s, generation g join zone_group z on z.zone_group = g.zone_group
         where s.server = '{server}' and z.name = '{group}' and g.generation = {generation}"
    ))
    .await;
}

async fn change(api: &Api, base: i64, reason: &str, upsert: &[Value], delete: &[Value]) {
    let mut zone = json!({});
    for (verb, changes) in [("upsert", upsert), ("delete", delete)] {
        if !changes.is_empty() {
            zone[verb] = json!(changes);
        }
    }
    let acknowledge = json!([{"guard": "deleted-share", "reason": "test"}, {"guard": "changed-share", "reason": "test"}, {"guard": "references", "reason": "test"}]);
    let plan = json!({"base": base, "reason": reason, "zones": {"example.com.": zone}, "acknowledge": acknowledge});
    api.post(PLANS, &plan).await.is(201);
}

/// "www alias(CNAME in 2), lb answer(A in 3)".
fn told(answer: &Answer) -> String {
    let steps = answer.is(200)["steps"].as_array().unwrap().iter().map(|step| {
        let sets: Vec<String> = step["sets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|set| format!("{} in {}", set["type"].as_str().unwrap(), set["generation"]))
            .collect();
        let name = step["name"].as_str().unwrap();
        let owner = step["owner"].as_str().filter(|owner| *owner != name).map(|owner| format!(" by {owner}"));
        let below = step["closest_encloser"].as_str().map(|name| format!(" below {name}"));
        format!(
            "{name} {}({}){}{}",
            step["finding"].as_str().unwrap(),
            sets.join(", "),
            owner.unwrap_or_default(),
            below.unwrap_or_default()
        )
    });
    steps.collect::<Vec<_>>().join("; ")
}

async fn explained(api: &Api, name: &str, rtype: &str) -> String {
    told(&api.get(&format!("/v1/explain?name={name}&type={rtype}")).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f45_one_call_tells_why_a_name_answers_what_it_answers() {
    let api = Api::with_example().await;
    change(&api, 1, "new balancer", &[record_set("lb", "A", &["192.0.2.1"])], &[]).await;
    change(&api, 2, "api follows it", &[record_set("api", "CNAME", &["lb"])], &[]).await;
    change(&api, 3, "a mistake", &[record_set("lb", "A", &["192.0.2.66"])], &[]).await;
    enact(&api, "example.com", "fleet", 3).await;
    reports(&api, "a", "fleet", "example.com", 3, "0").await;
    reports(&api, "b", "fleet", "example.com", 2, "0").await;
    reports(&api, "c", "fleet", "example.com", 1, "1 hour").await;
    api.run("call freeze(null, 'fleet', 'freeze', 'incident 12', null, 'alice', null, null)").await;

    let why = api.get("/v1/explain?name=api.example.com&type=A").await;
    assert_eq!(told(&why), "api.example.com. alias(CNAME in 3); lb.example.com. answer(A in 2)");
    assert_eq!(
        (&why["outcome"], &why["zone"], &why["group"]),
        (&json!("answer"), &json!("example.com."), &json!("example.com"))
    );
    assert_eq!(
        (&why["head"]["generation"], &why["tip"]["generation"], &why["ring"]),
        (&json!(3), &json!(4), &json!("fleet"))
    );
    // Who, in which plan, when and why.
    let plan = &why["plans"]["2"];
    assert_eq!((&plan["by"], &plan["reason"], &plan["base"]), (&json!("admin"), &json!("new balancer"), &json!(1)));
    assert!(plan["at"].is_string() && why["plans"]["3"]["reason"] == "api follows it");
    // What comes next, and what holds it up.
    assert_eq!(why["at_tip"][1]["sets"][0]["records"], json!(["192.0.2.66"]));
    assert_eq!(why["plans"]["4"]["reason"], "a mistake");
    let stop = &why["stops"][0];
    assert_eq!(
        (&stop["reason"], &stop["by"], &stop["every_group"], &stop["ring"]),
        (&json!("incident 12"), &json!("alice"), &json!(true), &json!("fleet"))
    );
    assert_eq!(why["rings"], json!([{"ring": "fleet", "head": why["head"], "same": true}]));
    // And who has it.
    let servers: Vec<_> = why["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| {
            (
                server["server"].as_str().unwrap(),
                server["live"] == true,
                server["standing"].as_str().unwrap(),
                server["same"] == true,
            )
        })
        .collect();
    assert_eq!(servers, [("a", true, "current", true), ("b", true, "lagging", false), ("c", false, "lagging", false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_finding_is_told() {
    let api = Api::with_example().await;
    let sets = [
        record_set("*.wild", "TXT", &["x"]),
        record_set("www", "CNAME", &["out.example.org."]),
        record_set("round", "CNAME", &["about"]),
        record_set("about", "CNAME", &["round"]),
        record_set("cut", "NS", &["ns.example.net."]),
        record_set("old", "DNAME", &["wild.example.com."]),
        record_set("deep.hollow", "A", &["192.0.2.1"]),
        record_set(r"deep\.solid", "A", &["192.0.2.1"]),
        record_set("gone", "A", &["192.0.2.1"]),
        record_set("gone", "AAAA", &["2001:db8::1"]),
    ];
    change(&api, 1, "all kinds", &sets, &[]).await;
    change(&api, 2, "tidy", &[], &[json!({"name": "gone", "type": "A"})]).await;
    change(&api, 3, "tidier", &[], &[json!({"name": "gone"})]).await;
    enact(&api, "example.com", "fleet", 4).await;
    for (name, rtype, expected) in [
        ("ns1.example.com", "A", "ns1.example.com. answer(A in 1)"),
        ("NS1.Example.Com", "TXT", "NS1.Example.Com. no-data()"),
        (
            "a.b.wild.example.com",
            "TXT",
            "a.b.wild.example.com. answer(TXT in 2) by *.wild.example.com. below wild.example.com.",
        ),
        ("www.example.com", "A", "www.example.com. alias(CNAME in 2); out.example.org. elsewhere()"),
        ("www.example.com", "CNAME", "www.example.com. answer(CNAME in 2)"),
        (
            "round.example.com",
            "A",
            "round.example.com. alias(CNAME in 2); about.example.com. alias(CNAME in 2); round.example.com. endless()",
        ),
        ("x.cut.example.com", "A", "x.cut.example.com. referral(NS in 2) by cut.example.com."),
        ("cut.example.com", "DS", "cut.example.com. no-data()"),
        (
            "a.old.example.com",
            "TXT",
            "a.old.example.com. redirection(DNAME in 2) by old.example.com.; a.wild.example.com. answer(TXT in 2) by *.wild.example.com. below wild.example.com.",
        ),
        ("hollow.example.com", "A", "hollow.example.com. no-data()"),
        ("solid.example.com", "A", "solid.example.com. no-such-name() below example.com."),
        ("x.hollow.example.com", "A", "x.hollow.example.com. no-such-name() below hollow.example.com."),
        ("example.com", "SOA", "example.com. answer(SOA in 1)"),
        ("example.net", "A", ""),
    ] {
        assert_eq!(explained(&api, name, rtype).await, expected);
    }
    let gone = api.get("/v1/explain?name=gone.example.com&type=A").await;
    assert_eq!(told(&gone), "gone.example.com. no-such-name() below example.com.");
    assert_eq!(gone["steps"][0]["gone"], json!({"type": "A", "generation": 3}));
    assert_eq!(gone["plans"]["3"]["reason"], "tidy");
    let nowhere = api.get("/v1/explain?name=example.net").await;
    assert_eq!(
        (&nowhere["outcome"], &nowhere["zone"], &nowhere["type"]),
        (&json!("elsewhere"), &Value::Null, &json!("A"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_closest_zone_in_force_answers_whatever_its_group() {
    let api = Api::with_example().await;
    change(&api, 1, "delegate", &[record_set("sub", "NS", &["ns1"]), record_set("up", "CNAME", &["a.sub"])], &[]).await;
    enact(&api, "example.com", "fleet", 2).await;
    let sub = json!({"base": 0, "reason": "a child", "zones": {"sub.example.com.": whole_zone(1)}});
    api.post("/v1/groups/sub.example.com/plans", &sub).await.is(201);
    // Admitted, and not in force yet: the parent answers, and says whom it leaves it to.
    let before = api.get("/v1/explain?name=ns1.sub.example.com&type=A").await;
    assert_eq!(told(&before), "ns1.sub.example.com. referral(NS in 2) by sub.example.com.");
    enact(&api, "sub.example.com", "fleet", 1).await;
    let after = api.get("/v1/explain?name=ns1.sub.example.com&type=A").await;
    assert_eq!(
        (told(&after).as_str(), &after["group"]),
        ("ns1.sub.example.com. answer(A in 1)", &json!("sub.example.com"))
    );
    assert_eq!(
        explained(&api, "up.example.com", "A").await,
        "up.example.com. alias(CNAME in 2); a.sub.example.com. another-group()"
    );
    // DS is the parent's to say.
    assert_eq!(explained(&api, "sub.example.com", "DS").await, "sub.example.com. no-data()");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_is_not_in_force_yet_is_shown_as_it_will_be() {
    let api = Api::with_example().await;
    let why = api.get("/v1/explain?name=ns1.example.com").await;
    assert_eq!(told(&why), "ns1.example.com. elsewhere()");
    assert_eq!((&why["head"], &why["tip"]["generation"]), (&Value::Null, &json!(1)));
    assert_eq!(why["at_tip"][0]["finding"], "answer");
    assert_eq!(why["rings"][0], json!({"ring": "fleet", "head": null, "same": false}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rings_are_told_apart() {
    let api = Api::with_example().await;
    change(&api, 1, "first", &[record_set("a", "A", &["192.0.2.1"])], &[]).await;
    change(&api, 2, "unlike", &[record_set("b", "A", &["192.0.2.1"])], &[]).await;
    change(&api, 3, "second", &[record_set("a", "A", &["192.0.2.2"])], &[]).await;
    enact(&api, "example.com", "fleet", 2).await;
    api.run("call set_ring('canary', true, null, null, null, 'prove first', null, 'test')").await;
    api.run("insert into head_move (zone_group, ring, generation, by, expected) select zone_group, 'canary', 4, 'test', '{}' from zone_group").await;
    reports(&api, "c", "canary", "example.com", 4, "0").await;
    reports(&api, "d", "canary", "example.com", 3, "0").await;
    let fleet = api.get("/v1/explain?name=a.example.com").await;
    assert_eq!((told(&fleet).as_str(), &fleet["ring"]), ("a.example.com. answer(A in 2)", &json!("fleet")));
    let canary = &fleet["rings"][0];
    assert_eq!((&canary["ring"], &canary["same"]), (&json!("canary"), &json!(false)));
    assert_eq!(canary["steps"][0]["sets"][0]["records"], json!(["192.0.2.2"]));
    // A server that lags can have it all the same.
    let same: Vec<_> = fleet["servers"].as_array().unwrap().iter().map(|server| server["same"].clone()).collect();
    assert_eq!(same, [json!(false), json!(true)]);
    let canary = api.get("/v1/explain?name=a.example.com&ring=canary").await;
    assert_eq!((told(&canary).as_str(), &canary["at_tip"]), ("a.example.com. answer(A in 4)", &Value::Null));
    api.get("/v1/explain?name=a.example.com&ring=none").await.is_problem(400, "invalid-request");
    api.get("/v1/explain?type=ANY").await.is_problem(400, "invalid-request");
}
