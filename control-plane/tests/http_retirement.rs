//! What the API says of floors, retired generations and pins.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use axum::body::Body;
use axum::http::Request;
use http_support::{Answer, Api, request};
use serde_json::{Value, json};
use std::time::Duration;

const GROUP: &str = "/v1/groups/example.com";
const PINS: &str = "/v1/groups/example.com/pins";

/// With `www` deleted at generation 4, the floor at 5, and all swept.
async fn retired() -> Api {
    let api = Api::with_example().await;
    for (base, last) in [(1, 1), (2, 2)] {
        api.put(base, "www", last).await.is(201);
    }
    let gone = json!({"base": 3, "zones": {"example.com.": {"delete": [{"name": "www"}]}}});
    api.post("/v1/groups/example.com/plans", &gone).await.is(201);
    api.put(4, "other", 4).await.is(201);
    enact(&api).await;
    api.run("call raise_floor(1, 5, null)").await;
    api.run("call retire_changes(1, 1000, null, null)").await;
    assert_eq!(api.count("change where owner = 'www'").await, 0);
    api
}

async fn enact(api: &Api) {
    api.run("insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', max(generation), 'test' from generation group by 1 on conflict do nothing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_below_the_floor_cannot_be_read_and_is_told() {
    let api = retired().await;
    assert_eq!(api.get(GROUP).await.is(200)["floor"], 5);
    for path in [
        "/v1/zones/example.com/rrsets?at=4",
        "/v1/zones/example.com/rrsets?at=4&name=www",
        "/v1/zones/example.com/file?at=1",
        "/v1/groups/example.com/diff?from=3",
    ] {
        let answer = api.get(path).await;
        answer.is_problem(410, "below-floor");
        assert_eq!(answer["floor"], 5, "{path}");
    }
    for path in [
        "/v1/zones/example.com/rrsets?at=5",
        "/v1/zones/example.com/file?at=5",
        "/v1/groups/example.com/diff?from=5",
        "/v1/groups/example.com/diff?from=0",
    ] {
        api.get(path).await.is(200);
    }
    // A plan is remembered for longer than what it changed.
    let plan = api.get("/v1/groups/example.com/plans/3").await;
    assert_eq!((&plan.is(200)["diff"], &plan["generation"]), (&Value::Null, &json!(3)));
    assert!(api.get("/v1/groups/example.com/plans/5").await.is(200)["diff"].is_null());
    let history = api.get("/v1/zones/example.com/history?name=@").await;
    assert_eq!(history.is(200)["items"].as_array().unwrap().len(), 2, "{}", history.text);
}

/// What stood there is not known any more, only who made it: the plan would be made of gaps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_goes_back_to_what_was_retired() {
    let api = retired().await;
    for to in [1, 4] {
        let back = json!({"to": to, "base": 5, "reason": "tried"});
        let answer = tokio::time::timeout(Duration::from_secs(10), api.post("/v1/groups/example.com/rollback", &back));
        let answer = answer.await.unwrap();
        answer.is_problem(410, "below-floor");
        assert_eq!((&answer["generation"], &answer["floor"]), (&json!(to), &json!(5)));
    }
    assert_eq!(api.get(GROUP).await.is(200)["tip"], 5);
}

/// The tombstone that a stale upsert would have met is gone. The base alone says that it is stale.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f50_a_base_below_the_floor_resurrects_nothing() {
    let api = retired().await;
    for base in [1, 3, 4] {
        api.put(base, "www", 9).await.is_problem(409, "unknown-base");
        let dry = api.post("/v1/groups/example.com/plans?dry_run=true", &http_support::put(base, "www", 9)).await;
        dry.is_problem(409, "unknown-base");
    }
    assert_eq!(api.count("change where owner = 'www'").await, 0);
    // Who has read the floor has read that it is gone.
    api.put(5, "www", 9).await.is(201);
}

async fn unpin(api: &Api, token: &str, pin: &Value, query: &str) -> Answer {
    let asked: Request<Body> = request("DELETE", &format!("{PINS}/{pin}{query}"), token, &[], Body::empty());
    api.ask(asked).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_holds_the_floor_until_it_is_taken_away() {
    let api = Api::with_example().await;
    for base in 1..=5 {
        api.put(base, "www", u8::try_from(base).unwrap()).await.is(201);
    }
    enact(&api).await;
    let pinned = api.post(PINS, &json!({"generation": 3, "reason": "for the audit"})).await;
    assert_eq!(pinned.is(201)["generation"], 3);
    let pin = pinned["pin"].clone();
    assert_eq!(pinned.headers["location"], format!("{PINS}/{pin}"));
    let listed = api.get(PINS).await;
    let item = &listed.is(200)["items"][0];
    assert_eq!((&item["pin"], &item["reason"], &item["by"]), (&pin, &json!("for the audit"), &json!("admin")));

    let refused = sqlx::query("update zone_group set floor = 6").execute(&api.owner).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "HF035");
    api.run("update zone_group set floor = 3").await;
    api.post(PINS, &json!({"generation": 2, "reason": "too late"})).await.is_problem(410, "below-floor");
    api.post(PINS, &json!({"generation": 7, "reason": "too early"})).await.is_problem(404, "future-generation");
    api.post(PINS, &json!({"generation": 4})).await.is_problem(400, "invalid-request");

    unpin(&api, http_support::ADMIN, &pin, "").await.is_problem(400, "invalid-request");
    unpin(&api, http_support::ADMIN, &pin, "?reason=done").await.is(204);
    unpin(&api, http_support::ADMIN, &pin, "?reason=done").await.is_problem(404, "not-found");
    unpin(&api, http_support::ADMIN, &json!("x"), "?reason=done").await.is_problem(404, "not-found");
    api.run("update zone_group set floor = 6").await;
    let acts: Vec<String> = sqlx::query_scalar(
        "select act || ' ' || by || ' ' || (detail ->> 'reason') from audit where act like '%pin' order by audit",
    )
    .fetch_all(&api.owner)
    .await
    .unwrap();
    assert_eq!(acts, ["pin admin for the audit", "unpin admin done"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_pin_and_readers_look() {
    let api = Api::with_example().await;
    let reader = api.token(&json!({"name": "r", "role": "reader"})).await;
    let planner = api.token(&json!({"name": "p", "role": "planner"})).await;
    let operator = api.token(&json!({"name": "o", "role": "operator"})).await;
    let body = json!({"generation": 1, "reason": "x"});
    for token in [&reader, &planner] {
        api.post_as(token, PINS, &[], &body).await.is_problem(403, "forbidden");
        unpin(&api, token, &json!(1), "?reason=x").await.is_problem(403, "forbidden");
        api.ask(request("GET", PINS, token, &[], Body::empty())).await.is(200);
    }
    let pin = api.post_as(&operator, PINS, &[], &body).await.is(201)["pin"].clone();
    unpin(&api, &operator, &pin, "?reason=x").await.is(204);
}
