//! Plans over HTTP: what is admitted, what is refused, and that a refusal leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{ADMIN, Api, put, record_set, request, whole_zone};
use serde_json::json;

const PLANS: &str = "/v1/groups/example.com/plans";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_admitted_and_told() {
    let api = Api::with_example().await;
    let answer = api.put(1, "api", 1).await;
    answer.is(201);
    assert_eq!(answer.headers["location"], "/v1/groups/example.com/plans/2");
    assert_eq!(answer.headers["etag"], format!("\"{}\"", answer["id"].as_str().unwrap()));
    let expected = json!({"added": 1, "replaced": 0, "deleted": 0, "absent": 0});
    assert_eq!(
        (&answer["group"], &answer["generation"], &answer["changes"]),
        (&json!("example.com"), &json!(2), &expected)
    );
    assert_eq!((&answer["outcome"], &answer["state"]), (&json!("admitted"), &json!("admitted")));
    let plan = api.get("/v1/groups/example.com/plans/2").await;
    assert_eq!((&plan.is(200)["by"], &plan["id"], &plan["base"]), (&json!("admin"), &answer["id"], &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_base_is_refused_with_what_changed_where() {
    let api = Api::with_example().await;
    api.put(1, "api", 1).await.is(201);
    let other = api.put(1, "other", 1).await;
    assert_eq!((&other.is(201)["rebased"], &other["generation"]), (&json!(true), &json!(3)));
    let answer = api.put(1, "api", 2).await;
    answer.is_problem(409, "stale-base");
    assert_eq!(answer["tip"]["generation"], 3);
    assert_eq!(answer["conflicts"], json!([{"zone": "example.com.", "name": "api.example.com.", "changed_in": 2}]));
    assert_eq!(api.count("generation").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f56_reads_are_part_of_the_footprint() {
    let api = Api::with_example().await;
    api.put(1, "backup", 1).await.is(201);
    let mut plan = put(1, "api", 1);
    plan["reads"] = json!([{"zone": "example.com.", "name": "backup"}]);
    let answer = api.post(PLANS, &plan).await;
    assert_eq!(answer.is_problem(409, "stale-base")["conflicts"][0]["name"], "backup.example.com.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_from_the_future_or_of_another_line_is_unknown() {
    let api = Api::with_example().await;
    let answer = api.put(7, "api", 1).await;
    assert_eq!(answer.is_problem(409, "unknown-base")["tip"]["generation"], 1);
    let mut plan = put(1, "api", 1);
    plan["base_id"] = json!("0".repeat(64));
    api.post(PLANS, &plan).await.is_problem(409, "unknown-base");
    let nowhere = api.post("/v1/groups/nowhere/plans", &put(1, "api", 1)).await;
    assert_eq!(nowhere.is_problem(409, "unknown-base").json.get("tip"), None);
    assert_eq!(api.count("plan").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_match_and_no_rebase_insist_on_the_tip() {
    let api = Api::with_example().await;
    let first = api.get("/v1/groups/example.com").await.headers["etag"].to_str().unwrap().to_owned();
    let second = api.post_as(ADMIN, PLANS, &[("if-match", &first)], &put(1, "a", 1)).await;
    second.is(201);
    let answer = api.post_as(ADMIN, PLANS, &[("if-match", &first)], &put(1, "b", 1)).await;
    assert_eq!(answer.is_problem(409, "stale-base")["conflicts"], json!([]));
    let mut plan = put(1, "b", 1);
    plan["rebase"] = json!(false);
    api.post(PLANS, &plan).await.is_problem(409, "stale-base");
    plan["base"] = json!(2);
    api.post(PLANS, &plan).await.is(201);
    for bad in ["*", "7", "W/\"00\"", "\"00\""] {
        let answer = api.post_as(ADMIN, PLANS, &[("if-match", bad)], &put(3, "c", 1)).await;
        assert_eq!(answer.is_problem(400, "invalid-request").places(), ["header If-Match"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_a_retry_under_its_key_gets_the_first_result_and_no_other_request_does() {
    let api = Api::with_example().await;
    let key = [("idempotency-key", "deploy 42")];
    let first = api.post_as(ADMIN, PLANS, &key, &put(1, "api", 1)).await;
    api.put(2, "api", 9).await.is(201);
    // By now the same plan would be stale; and how its result is told is no part of it.
    let again = api.post_as(ADMIN, &format!("{PLANS}?wait=enacted&timeout_s=0"), &key, &put(1, "api", 1)).await;
    assert_eq!((&again.is(201)["outcome"], &again["id"]), (&json!("repeated"), &first.is(201)["id"]));
    assert_eq!(again.headers["location"], first.headers["location"]);
    api.post_as(ADMIN, PLANS, &key, &put(1, "api", 2)).await.is_problem(422, "key-reused");
    api.post_as(ADMIN, "/v1/groups/other/plans", &key, &put(1, "api", 1)).await.is_problem(422, "key-reused");
    let long = "k".repeat(256);
    let answer = api.post_as(ADMIN, PLANS, &[("idempotency-key", &long)], &put(3, "b", 1)).await;
    assert_eq!(answer.is_problem(400, "invalid-request").places(), ["header Idempotency-Key"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_as_wished_is_no_generation() {
    let api = Api::with_example().await;
    api.put(1, "api", 1).await.is(201);
    let answer = api.put(1, "api", 1).await;
    assert_eq!((&answer.is(200)["outcome"], &answer["generation"]), (&json!("no-op"), &json!(2)));
    assert_eq!(answer.headers["etag"], format!("\"{}\"", answer["id"].as_str().unwrap()));
    let nothing = api.post(PLANS, &json!({"base": 2, "zones": {"example.com.": {"delete": [{"name": "nix"}]}}})).await;
    assert_eq!((&nothing.is(200)["outcome"], &nothing["changes"]["absent"]), (&json!("no-op"), &json!(1)));
    assert_eq!(api.count("generation").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_decides_the_same_and_writes_nothing() {
    let api = Api::with_example().await;
    let tables = ["plan", "change", "generation", "zone", "zone_group", "idempotency_key"];
    let mut before = Vec::new();
    for table in tables {
        before.push(api.count(table).await);
    }
    let key = [("idempotency-key", "k")];
    let answer = api.post_as(ADMIN, &format!("{PLANS}?dry_run=true"), &key, &put(1, "api", 1)).await;
    assert_eq!((&answer.is(200)["outcome"], &answer["generation"]), (&json!("dry-run"), &json!(2)));
    let new = json!({"base": 0, "zones": {"example.org.": whole_zone(1)}});
    api.post("/v1/groups/example.org/plans?dry_run=true", &new).await.is(200);
    api.post(&format!("{PLANS}?dry_run=true"), &put(9, "api", 1)).await.is_problem(409, "unknown-base");
    for (table, before) in tables.iter().zip(before) {
        assert_eq!(api.count(table).await, before, "{table}");
    }
    let admitted = api.put(1, "api", 1).await;
    assert_eq!(admitted.is(201)["id"], answer["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_all_at_once_and_nothing_is_written() {
    let api = Api::with_example().await;
    let plan = json!({"base": 1, "bass": 1, "zones": {
        "example.com.": {"upsert": [record_set("www.example.com", "A", &["192.0.2.1"]), record_set("a.example.org.", "A", &["192.0.2.1"])]},
        "EXAMPLE.COM.": {"delete": []}}});
    let answer = api.post(PLANS, &plan).await;
    let mut places = answer.is_problem(422, "invalid-plan").places();
    places.sort_unstable();
    let of_zone = r#"zones["example.com."]"#;
    let expected = ["bass", of_zone, &format!("{of_zone}.upsert[0].name"), &format!("{of_zone}.upsert[1].name")];
    assert_eq!(places, expected, "{}", answer.text);
    let beside = json!({"base": 1, "zones": {"example.com.": {"upsert": [record_set("ns1", "CNAME", &["other"])]}}});
    let answer = api.post(PLANS, &beside).await;
    assert_eq!(answer.is_problem(422, "invalid-plan")["violations"][0]["name"], "ns1.example.com.");
    let apex = json!({"base": 1, "zones": {"example.com.": {"delete": [{"name": "@"}]}}});
    api.post(PLANS, &apex).await.is_problem(422, "invalid-plan");
    assert_eq!(api.count("plan").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_json_of_at_most_16_mib() {
    let api = Api::with_example().await;
    let json_body = |body: String| request("POST", PLANS, ADMIN, &[("content-type", "application/json")], body.into());
    let answer = api.ask(json_body("{\n \"base\": 1,,\n}".to_owned())).await;
    assert_eq!(answer.is_problem(400, "malformed-body")["line"], 2);
    let answer = api.ask(json_body(" ".repeat((16 << 20) + 1))).await;
    assert_eq!(answer.is_problem(413, "too-large")["limit"], 16 << 20);
    // A large one that fits is read to its end, off the async threads.
    let answer = api.ask(json_body(format!("{}{{}}", " ".repeat((16 << 20) - 2)))).await;
    assert_eq!(answer.is_problem(422, "invalid-plan").places(), ["base", "zones"]);
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
    ] {
        let request = request("POST", PLANS, ADMIN, headers, put(1, "a", 1).to_string().into());
        api.ask(request).await.is_problem(415, "unsupported-media-type");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_and_misspelled_parameters_are_refused() {
    let api = Api::with_example().await;
    for (query, place) in [
        ("dry-run=true", "query dry-run"),
        ("dry_run=yes", "query dry_run"),
        ("dry_run=true&dry_run=false", "query dry_run"),
        ("wait=forever", "query wait"),
        ("wait=served&timeout_s=61", "query timeout_s"),
        ("wait=served&ring=nowhere", "query ring"),
        ("ring=a%00b", "query ring"),
        ("a=%ff", "query a"),
    ] {
        let answer = api.post(&format!("{PLANS}?{query}"), &put(1, "api", 1)).await;
        assert_eq!(answer.is_problem(400, "invalid-request").places()[0], place, "{query}");
    }
    assert_eq!(api.count("generation").await, 1);
}
