//! Freeze and thaw, drilled on the real programs with real questions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::time::Duration;
use test_support::{Answer, Holdfast, eventually};

const SOON: Duration = Duration::from_secs(20);

fn zone(name: &str) -> Value {
    json!({"base": 0, "zones": {name: {"replace": [
        {"name": "@", "type": "SOA", "ttl": 60, "records": ["ns h 1 60 60 60 60"]},
        {"name": "@", "type": "NS", "ttl": 60, "records": ["ns"]},
        {"name": "ns", "type": "A", "ttl": 60, "records": ["192.0.2.53"]},
        {"name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.1"]}]}}})
}

fn act(holdfast: &Holdfast, path: &str, body: &Value) -> Answer {
    let answer = holdfast.post(path, body);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer
}

/// Gives `www` of a group another address; whether it was served within two seconds.
fn moves(holdfast: &Holdfast, group: &str, last: u8) -> bool {
    let tip = holdfast.get(&format!("/v1/groups/{group}")).json()["tip"].as_i64().unwrap();
    let set = json!([{"name": "www", "type": "A", "ttl": 60, "records": [format!("192.0.2.{last}")]}]);
    let plan = json!({"base": tip, "zones": {format!("{group}."): {"upsert": set}}});
    let answer = holdfast.post(&format!("/v1/groups/{group}/plans?wait=served&timeout_s=2"), &plan);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["reached"] == true
}

fn www(holdfast: &Holdfast, group: &str) -> String {
    holdfast.dig_short(&format!("www.{group}"), "A").join(" ")
}

#[test]
fn f46_a_freeze_of_a_group_a_ring_or_everything_stops_heads_until_it_is_thawed() {
    let holdfast = Holdfast::start();
    for group in ["one.test", "two.test"] {
        let begun = holdfast.post(&format!("/v1/groups/{group}/plans?wait=served"), &zone(&format!("{group}.")));
        assert_eq!((begun.status, &begun.json()["reached"]), (201, &json!(true)), "{}", begun.body);
    }
    let why = json!({"reason": "a drill"});
    let in_fleet = json!({"reason": "a drill", "ring": "fleet"});
    let mut last = 1;
    for (freeze, thaw, body, others_go_on) in [
        ("/v1/groups/one.test/freeze", "/v1/groups/one.test/thaw", &why, true),
        ("/v1/groups/one.test/freeze", "/v1/groups/one.test/thaw", &in_fleet, true),
        ("/v1/freeze", "/v1/thaw", &in_fleet, false),
        ("/v1/freeze", "/v1/thaw", &why, false),
    ] {
        let before = www(&holdfast, "one.test");
        let frozen = act(&holdfast, freeze, body).json();
        assert_eq!(frozen["stopped"].as_array().unwrap().len(), 1, "{freeze} {body}: {frozen}");
        last += 1;
        assert!(!moves(&holdfast, "one.test", last), "{freeze} {body}: a head moved");
        assert_eq!(www(&holdfast, "one.test"), before, "{freeze} {body}");
        assert_eq!(moves(&holdfast, "two.test", last), others_go_on, "{freeze} {body}");
        let thawed = act(&holdfast, thaw, body).json();
        assert_eq!((&thawed["thawed"], &thawed["stopped"]), (&json!(1), &json!([])));
        for group in ["one.test", "two.test"] {
            eventually(&format!("{thaw} {body}: {group} goes on"), SOON, || {
                www(&holdfast, group) == format!("192.0.2.{last}")
            });
        }
    }
    // One with an end of its own, by the database's clock.
    let until = holdfast.rows("select to_char(clock_timestamp() at time zone 'UTC' + interval '3 seconds', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as at");
    act(&holdfast, "/v1/groups/one.test/freeze", &json!({"reason": "a drill", "until": until[0]["at"]}));
    assert!(!moves(&holdfast, "one.test", 99));
    eventually("it thaws by itself", SOON, || www(&holdfast, "one.test") == "192.0.2.99");
    assert_eq!(holdfast.get("/v1/stops").json()["items"], json!([]));
    let acts = holdfast
        .rows("select act, count(*) as times from audit where act in ('freeze', 'thaw') group by act order by act");
    assert_eq!(acts, [json!({"act": "freeze", "times": 5}), json!({"act": "thaw", "times": 4})]);
}
