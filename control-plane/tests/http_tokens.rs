//! Who may do what: tokens, roles and scopes over HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use axum::body::Body;
use http_support::{ADMIN, Api, put, record_set, request, whole_zone};
use serde_json::json;
use std::time::Duration;

const PLANS: &str = "/v1/groups/example.com/plans";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_do_its_part() {
    let api = Api::with_example().await;
    let reader = api.token(&json!({"name": "reader", "role": "reader"})).await;
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    let operator = api.token(&json!({"name": "operator", "role": "operator"})).await;
    let new = json!({"base": 0, "zones": {"example.org.": whole_zone(1)}});
    for token in [&reader, &planner, &operator] {
        api.ask(request("GET", "/v1/groups", token, &[], Body::empty())).await.is(200);
        api.ask(request("GET", "/v1/tokens", token, &[], Body::empty())).await.is_problem(403, "forbidden");
        let more = json!({"name": "more", "role": "admin"});
        api.post_as(token, "/v1/tokens", &[], &more).await.is_problem(403, "forbidden");
    }
    api.post_as(&reader, PLANS, &[], &put(1, "a", 1)).await.is_problem(403, "forbidden");
    api.post_as(&planner, PLANS, &[], &put(1, "a", 1)).await.is(201);
    api.post_as(&planner, "/v1/groups/example.org/plans", &[], &new).await.is_problem(403, "forbidden");
    let mut acknowledged = put(2, "b", 1);
    acknowledged["acknowledge"] = json!([{"guard": "signed-zone", "reason": "x"}]);
    api.post_as(&planner, PLANS, &[], &acknowledged).await.is_problem(403, "forbidden");
    api.post_as(&operator, PLANS, &[], &acknowledged).await.is(201);
    api.post_as(&operator, "/v1/groups/example.org/plans", &[], &new).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_bounds_groups_and_names() {
    let api = Api::with_example().await;
    let elsewhere = api.token(&json!({"name": "elsewhere", "role": "planner", "groups": ["example.org"]})).await;
    api.post_as(&elsewhere, PLANS, &[], &put(1, "a", 1)).await.is_problem(403, "forbidden");
    // Told before the body is read, which is not even JSON.
    let body = request("POST", PLANS, &elsewhere, &[("content-type", "application/json")], "{".into());
    api.ask(body).await.is_problem(403, "forbidden");
    let below = api.token(&json!({"name": "below", "role": "planner", "suffixes": ["k8s.example.com."]})).await;
    api.post_as(&below, PLANS, &[], &put(1, "www", 1)).await.is_problem(403, "forbidden");
    let mixed = json!({"base": 1, "zones": {"example.com.": {
        "upsert": [record_set("a.k8s", "A", &["192.0.2.1"])], "delete": [{"name": "ns1"}]}}});
    api.post_as(&below, PLANS, &[], &mixed).await.is_problem(403, "forbidden");
    let whole = json!({"base": 1, "zones": {"example.com.": whole_zone(9)}});
    api.post_as(&below, PLANS, &[], &whole).await.is_problem(403, "forbidden");
    api.post_as(&below, PLANS, &[], &put(1, "a.K8S", 1)).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_missing_tokens_are_401() {
    let api = Api::empty().await;
    let missing = api.ask(axum::http::Request::get("/v1/groups").body(Body::empty()).unwrap()).await;
    assert_eq!(missing.is_problem(401, "unauthorized").headers["www-authenticate"], "Bearer realm=\"holdfast\"");
    let unknown = format!("hf_{}", "A".repeat(43));
    for wrong in [unknown.as_str(), "hf_", "x", &ADMIN[..45]] {
        let answer = api.ask(request("GET", "/v1/groups", wrong, &[], Body::empty())).await;
        assert!(
            answer.is_problem(401, "unauthorized").headers["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
        assert!(!answer.text.contains(&unknown));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_and_its_name_is_free_again() {
    let api = Api::empty().await;
    let body = json!({"name": "ci:deploy", "role": "reader"});
    let given = api.post("/v1/tokens", &body).await;
    assert_eq!(given.is(201).headers["location"], "/v1/tokens/ci:deploy");
    assert_eq!(given.headers["cache-control"], "no-store");
    let token = given["secret"].as_str().unwrap().to_owned();
    api.post("/v1/tokens", &body).await.is_problem(409, "name-taken");
    api.ask(request("GET", "/v1/groups", &token, &[], Body::empty())).await.is(200);
    let listed = api.get("/v1/tokens").await;
    assert_eq!(listed.is(200)["items"].as_array().unwrap().len(), 2);
    assert!(!listed.text.contains("hf_"), "a list shows no secrets");
    api.ask(request("DELETE", "/v1/tokens/ci:deploy", ADMIN, &[], Body::empty())).await.is(204);
    api.ask(request("DELETE", "/v1/tokens/ci:deploy", ADMIN, &[], Body::empty())).await.is_problem(404, "not-found");
    // On another API it might be good for a second more.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    api.ask(request("GET", "/v1/groups", &token, &[], Body::empty())).await.is_problem(401, "unauthorized");
    api.post("/v1/tokens", &body).await.is(201);
    let hashes = api.count("token where length(hash) = 32").await;
    assert_eq!((hashes, api.count("token").await), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_admin_is_kept_and_replaced() {
    let api = Api::empty().await;
    api.get("/v1/tokens").await.is(200);
    let url = api.owner_url().to_owned();
    control_plane::tokens::ensure_admin(&url, "admin", ADMIN).await.unwrap();
    assert_eq!(api.count("token").await, 1);
    let next = format!("hf_{}", "1".repeat(42) + "0");
    control_plane::tokens::ensure_admin(&url, "admin", &next).await.unwrap();
    api.ask(request("GET", "/v1/tokens", &next, &[], Body::empty())).await.is(200);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    api.get("/v1/tokens").await.is_problem(401, "unauthorized");
    assert!(control_plane::tokens::ensure_admin(&url, "admin", "hunter2").await.is_err());
}
