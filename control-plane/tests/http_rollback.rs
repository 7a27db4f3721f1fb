//! Rolling back and raising epochs over HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{ADMIN, Api, put, record_set, whole_zone};
use serde_json::{Value, json};

const PLANS: &str = "/v1/groups/example.com/plans";
const ROLLBACK: &str = "/v1/groups/example.com/rollback";
const EPOCH: i64 = 1_000_000_000;

impl Api {
    async fn names(&self) -> Vec<String> {
        let rrsets = self.get("/v1/zones/example.com/rrsets?type=A").await;
        let set = |one: &Value| format!("{} {}", one["name"].as_str().unwrap(), one["records"][0].as_str().unwrap());
        rrsets.is(200)["items"].as_array().unwrap().iter().map(set).collect()
    }

    async fn serial(&self, zone: &str) -> i64 {
        self.get(&format!("/v1/zones/{zone}")).await.is(200)["serial"].as_i64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_rollback_is_a_new_generation_that_answers_as_then() {
    let api = Api::with_example().await;
    for (base, owner, last) in [(1, "www", 1), (2, "api", 1), (3, "www", 2)] {
        api.put(base, owner, last).await.is(201);
    }
    let body = json!({"to": 2, "base": 4, "reason": "bad balancers"});
    let dry = api.post(&format!("{ROLLBACK}?dry_run=true"), &body).await;
    assert_eq!((&dry.is(200)["outcome"], &dry["generation"]), (&json!("dry-run"), &json!(5)));
    let key = [("idempotency-key", "incident-7")];
    let back = api.post_as(ADMIN, ROLLBACK, &key, &body).await;
    assert_eq!(
        (&back.is(201)["generation"], &back["base"], &back["changes"]),
        (&json!(5), &json!(4), &json!({"added": 0, "replaced": 1, "deleted": 1, "absent": 0}))
    );
    assert_eq!(api.names().await, ["ns1.example.com. 192.0.2.53", "www.example.com. 192.0.2.1"]);
    assert_eq!(api.post_as(ADMIN, ROLLBACK, &key, &body).await.is(201)["outcome"], "repeated");
    // What is answered is what was answered: nothing has to prove it again.
    let answers = "select count(distinct answers) from generation where generation in (2, 5)";
    assert_eq!(sqlx::query_scalar::<_, i64>(answers).fetch_one(&api.owner).await.unwrap(), 1);
    let again = api.post(ROLLBACK, &json!({"to": 5, "base": 5, "reason": "x"})).await;
    assert_eq!(again.is(200)["outcome"], "no-op");
    // And forth again: a rollback can be rolled back.
    api.post(ROLLBACK, &json!({"to": 4, "base": 5, "reason": "they were good"})).await.is(201);
    assert_eq!(api.names().await.len(), 3);
    let plan: (String, Option<i64>, bool) =
        sqlx::query_as("select kind, rolled_back_to, through_freeze from plan order by plan desc limit 1")
            .fetch_one(&api.owner)
            .await
            .unwrap();
    assert_eq!(plan, ("rollback".to_owned(), Some(4), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_judged_by_its_base_and_by_who_asks() {
    let api = Api::with_example().await;
    api.put(1, "www", 1).await.is(201);
    api.put(2, "www", 2).await.is(201);
    let stale = api.post(ROLLBACK, &json!({"to": 1, "base": 2, "reason": "x"})).await;
    assert_eq!(stale.is_problem(409, "stale-base")["conflicts"][0]["name"], "www.example.com.");
    api.post(ROLLBACK, &json!({"to": 9, "base": 3, "reason": "x"})).await.is_problem(404, "future-generation");
    api.post(ROLLBACK, &json!({"to": 1, "base": 9, "reason": "x"})).await.is_problem(409, "unknown-base");
    api.post(ROLLBACK, &json!({"to": 1, "base": 3})).await.is_problem(400, "invalid-request");
    api.post("/v1/groups/nowhere/rollback", &json!({"to": 1, "base": 1, "reason": "x"}))
        .await
        .is_problem(404, "not-found");
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    api.post_as(&planner, ROLLBACK, &[], &json!({"to": 1, "base": 3, "reason": "x"}))
        .await
        .is_problem(403, "forbidden");
    // Guarded names hold, whatever an operator wishes back.
    let guard = json!({"base": 3, "zones": {"example.com.": {"guard": [{"name": "www", "type": "A"}]}}});
    api.post(PLANS, &guard).await.is(201);
    let refused = api.post(ROLLBACK, &json!({"to": 1, "base": 4, "reason": "x"})).await;
    assert_eq!(refused.is_problem(422, "guard-refused")["guard"], "guarded-names");
    api.post(ROLLBACK, &json!({"to": 2, "base": 4, "reason": "x"})).await.is(201);
    assert_eq!(api.get("/v1/groups/example.com").await["guards"][0]["name"], "www.example.com.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_budget_is_in_a_rollbacks_way_and_it_may_close_the_group() {
    let api = Api::with_example().await;
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    let flood: Vec<Value> = (1..250).map(|n: u8| record_set(&format!("n{n}"), "A", &["192.0.2.9"])).collect();
    api.post_as(&planner, PLANS, &[], &json!({"base": 1, "zones": {"example.com.": {"upsert": flood}}})).await.is(201);
    let back = api.post(ROLLBACK, &json!({"to": 1, "base": 2, "reason": "incident 7", "through_freeze": true})).await;
    assert_eq!(back.is(201)["changes"]["deleted"], 249);
    assert_eq!(api.names().await.len(), 1);
    let refused = api.post_as(&planner, PLANS, &[], &put(3, "www", 1)).await;
    assert_eq!(refused.is_problem(422, "guard-refused")["guard"], "closed");
    assert!(refused.text.contains("incident 7"));
    assert_eq!(api.get("/v1/groups/example.com").await["settings"]["closed"], "incident 7");
    api.put(3, "www", 1).await.is(201);
    api.post(PLANS, &json!({"base": 4, "settings": {"closed": null}})).await.is(201);
    api.post_as(&planner, PLANS, &[], &put(5, "www", 2)).await.is(201);
    // A rollback restores answers: the group stays open, although it was closed then.
    api.post(ROLLBACK, &json!({"to": 4, "base": 6, "reason": "x"})).await.is(201);
    assert_eq!(api.get("/v1/groups/example.com").await["settings"]["closed"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_zone_comes_back_with_a_rollback() {
    let api = Api::with_example().await;
    api.post(PLANS, &json!({"base": 1, "zones": {"example.org.": whole_zone(7)}})).await.is(201);
    api.post(PLANS, &json!({"base": 2, "zones": {"example.org.": {"end": true}}})).await.is(201);
    api.post(ROLLBACK, &json!({"to": 2, "base": 3, "reason": "too soon"})).await.is(201);
    assert_eq!(api.get("/v1/zones/example.org/rrsets").await.is(200)["items"].as_array().unwrap().len(), 3);
    // Before it began there is nothing to go back to.
    api.post(ROLLBACK, &json!({"to": 1, "base": 4, "reason": "x"})).await.is_problem(422, "invalid-plan");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raising_the_epoch_skips_numbers_and_serials_go_on() {
    let api = Api::with_example().await;
    api.put(1, "www", 1).await.is(201);
    api.post(
        "/v1/groups/other/plans",
        &json!({"base": 0, "zones": {"a.test.": whole_zone(40), "b.test.": whole_zone(70)}}),
    )
    .await
    .is(201);
    let (before, of_a, of_b) =
        (api.serial("example.com").await, api.serial("a.test").await, api.serial("b.test").await);
    let raised = api.post("/v1/epoch/raise", &json!({"reason": "restored"})).await;
    let groups: Vec<(&str, i64, i64)> = raised.is(200)["raised"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["group"].as_str().unwrap(), one["generation"].as_i64().unwrap(), one["base"].as_i64().unwrap()))
        .collect();
    assert_eq!(groups, [("example.com", EPOCH, 2), ("other", EPOCH, 1)]);
    assert_eq!(raised["failed"], json!([]));
    assert_eq!(
        (api.serial("example.com").await, api.serial("a.test").await, api.serial("b.test").await),
        (before + 1, of_a + 1, of_b + 1)
    );
    // A base of the old epoch needs its id, for there may have been another generation of that number.
    let old = api.put(2, "www", 2).await;
    old.is_problem(409, "unknown-base");
    let mut named = put(2, "api", 2);
    named["base_id"] = api.get("/v1/groups/example.com/plans/2").await["id"].clone();
    assert_eq!(api.post(PLANS, &named).await.is(201)["generation"], EPOCH + 1);
    assert_eq!(api.serial("example.com").await, before + 2);
    let again = api.post("/v1/groups/example.com/raise", &json!({"reason": "twice"})).await;
    assert_eq!(again.is(200)["raised"][0]["generation"], 2 * EPOCH);
    assert_eq!(api.serial("example.com").await, before + 3);
    api.post("/v1/groups/nowhere/raise", &json!({"reason": "x"})).await.is_problem(404, "not-found");
    api.post("/v1/epoch/raise", &json!({})).await.is_problem(400, "invalid-request");
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    api.post_as(&planner, "/v1/epoch/raise", &[], &json!({"reason": "x"})).await.is_problem(403, "forbidden");
    // Back over the gap.
    api.post(ROLLBACK, &json!({"to": 1, "base": 2 * EPOCH, "reason": "x"})).await.is(201);
    api.post(ROLLBACK, &json!({"to": 77, "base": 2 * EPOCH + 1, "reason": "x"})).await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raise_is_above_all_that_servers_report_and_ends_the_stop() {
    let api = Api::with_example().await;
    api.run(&format!(
        "insert into server (server, instance, ring) values ('ns-1', '00000000-0000-4000-8000-000000000001', 'fleet');
         insert into report (server, instance, zone_group, generation, id)
         select 'ns-1', '00000000-0000-4000-8000-000000000001', zone_group, {}, sha256('x') from zone_group",
        3 * EPOCH + 7
    ))
    .await;
    api.put(1, "www", 1).await.is_problem(423, "history-behind");
    api.post(ROLLBACK, &json!({"to": 1, "base": 1, "reason": "x", "through_freeze": true}))
        .await
        .is_problem(423, "history-behind");
    let raised = api.post("/v1/epoch/raise", &json!({"reason": "restored"})).await;
    assert_eq!(raised.is(200)["raised"][0]["generation"], 4 * EPOCH);
    assert_eq!(api.get("/v1/groups/example.com").await["frozen"], Value::Null);
    api.put(4 * EPOCH, "www", 1).await.is(201);
}
