//! The audit log, and where plans stand: what people look at after the fact.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use axum::body::Body;
use http_support::{ADMIN, Api, request};
use serde_json::{Value, json};

fn acts(answer: &http_support::Answer) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = answer.is(200)["items"].as_array().unwrap();
    items.iter().map(|act| (text(&act["act"]), text(&act["by"]), act["detail"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f45_every_act_of_a_token_stands_in_the_audit_log() {
    let api = Api::with_example().await;
    let operator = api.token(&json!({"name": "alice", "role": "operator", "groups": ["example.com"]})).await;
    api.ask(request("DELETE", "/v1/tokens/alice", ADMIN, &[], Body::empty())).await.is(204);
    let log = api.get("/v1/audit").await;
    let told = acts(&log);
    assert_eq!(told.len(), 3, "{}", log.text);
    assert_eq!(told[0], ("end-token".to_owned(), "admin".to_owned(), json!({"name": "alice"})));
    let scope = json!({"name": "alice", "role": "operator", "groups": ["example.com"], "suffixes": null});
    assert_eq!(told[1], ("give-token".to_owned(), "admin".to_owned(), scope));
    // The first token was given by whoever owns the database.
    assert_eq!((told[2].0.as_str(), &told[2].2["name"]), ("give-token", &json!("admin")));
    let via = |index: usize| log["items"][index]["via"].clone();
    assert_eq!((via(1), via(2)), (json!("token"), json!("database-login")));
    assert!(!log.text.contains("hf_") && !log.text.contains(&operator), "no secret: {}", log.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_not_given_is_no_act() {
    let api = Api::empty().await;
    api.token(&json!({"name": "alice", "role": "reader"})).await;
    api.post("/v1/tokens", &json!({"name": "alice", "role": "admin"})).await.is_problem(409, "name-taken");
    api.ask(request("DELETE", "/v1/tokens/bob", ADMIN, &[], Body::empty())).await.is_problem(404, "not-found");
    assert_eq!(acts(&api.get("/v1/audit").await).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_not_given_where_that_cannot_be_written_down() {
    let api = Api::empty().await;
    api.run("alter table audit add check (act <> 'give-token') not valid").await;
    api.post("/v1/tokens", &json!({"name": "alice", "role": "admin"})).await.is_problem(500, "internal");
    assert_eq!(api.count("token where name = 'alice'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_read_by_pages_groups_and_kinds() {
    let api = Api::with_example().await;
    let group: i64 = sqlx::query_scalar("select zone_group from zone_group").fetch_one(&api.owner).await.unwrap();
    api.run(&format!("call freeze({group}, null, 'freeze', 'incident', null, 'bob', null, null)")).await;
    api.run(&format!("call thaw({group}, null, 'over', null, 'bob', 0)")).await;
    let first = api.get("/v1/audit?limit=2").await;
    assert_eq!(acts(&first).iter().map(|act| act.0.as_str()).collect::<Vec<_>>(), ["thaw", "freeze"]);
    let next = first["next"].as_str().unwrap();
    let rest = api.get(&format!("/v1/audit?limit=2&after={next}")).await;
    assert_eq!((acts(&rest)[0].0.as_str(), &rest["next"]), ("give-token", &Value::Null));
    let frozen = api.get("/v1/audit?group=example.com&act=freeze").await;
    assert_eq!(acts(&frozen)[0].2["reason"], "incident");
    assert_eq!(acts(&frozen).len(), 1);
    assert!(acts(&api.get("/v1/audit?group=example.org").await).is_empty());
    let wrong = api.get("/v1/audit?after=x&limit=0&kind=freeze").await;
    let mut places = wrong.is_problem(400, "invalid-request").places();
    places.sort_unstable();
    assert_eq!(places, ["query after", "query kind", "query limit"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_where_it_stands_in_every_ring() {
    let api = Api::with_example().await;
    for base in 1..=3 {
        api.put(base, "a", u8::try_from(base).unwrap()).await.is(201);
    }
    // Doors commit by themselves, so each is called alone.
    api.run("call set_ring('canary', true, null, null, null, 'prove first', null, 'test')").await;
    api.run(
        "insert into head_move (zone_group, ring, generation, by, expected) select zone_group, 'canary', g, 'test', '{a}' from zone_group, generate_series(2, 4) g;
         insert into verdict (zone_group, generation, passed, why, by) select zone_group, 2, true, 'soaked', 'enactor-1' from zone_group;
         insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', 2, 'test' from zone_group;
         insert into verdict (zone_group, generation, passed, why, by) select zone_group, 3, false, 'server a was lost', 'enactor-1' from zone_group",
    )
    .await;
    let plans = api.get("/v1/groups/example.com/plans").await;
    let states: Vec<Value> =
        plans.is(200)["items"].as_array().unwrap().iter().map(|plan| plan["states"].clone()).collect();
    assert_eq!(
        states,
        [
            json!({"canary": "enacted", "fleet": "admitted"}),
            json!({"canary": "failed", "fleet": "failed"}),
            json!({"canary": "superseded", "fleet": "enacted"}),
            json!({"canary": "superseded", "fleet": "superseded"}),
        ]
    );
    let failed = api.get("/v1/groups/example.com/plans/3").await;
    assert_eq!(failed.is(200)["failed"]["why"], "server a was lost");
    assert_eq!((&failed["passed"], &failed["kind"], &failed["by"]), (&Value::Null, &json!("change"), &json!("admin")));
    assert_eq!(failed["states"]["fleet"], json!({"state": "failed", "head": 2, "live": 0, "laggards": []}));
    assert_eq!(api.get("/v1/groups/example.com/plans/2").await["passed"]["by"], "enactor-1");
    // A ring that ended is none any more.
    api.run("call end_ring('canary', 'alone again', null, 'test')").await;
    assert_eq!(api.get("/v1/groups/example.com/plans").await["items"][0]["states"], json!({"fleet": "admitted"}));
}
