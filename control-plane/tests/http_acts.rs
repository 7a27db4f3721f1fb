//! Operators' acts over HTTP: freeze and thaw, rings, failed generations, forgotten servers; and what the audit log says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use axum::body::Body;
use http_support::{ADMIN, Answer, Api, request};
use serde_json::{Value, json};

const GROUP: &str = "/v1/groups/example.com";

impl Api {
    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.ask(request(method, path, ADMIN, &headers, Body::from(body.to_string()))).await
    }

    /// The acts in the audit log, after those by which the tests began.
    async fn audit(&self) -> Vec<Value> {
        let query = "select jsonb_build_object('act', act, 'by', by, 'detail', detail) from audit where act <> 'give-token' order by audit";
        sqlx::query_scalar(query).fetch_all(&self.owner).await.unwrap()
    }

    /// A server that has this generation of the first group, as its report says.
    async fn server(&self, ring: &str, generation: i64, id: &str) {
        self.run(&format!(
            "insert into server (server, instance, ring) values ('ns-1', '00000000-0000-4000-8000-000000000001', '{ring}') on conflict do nothing;
             insert into report (server, instance, zone_group, generation, id)
             select 'ns-1', '00000000-0000-4000-8000-000000000001', zone_group, {generation}, decode('{id}', 'hex') from zone_group where name = 'example.com'"
        ))
        .await;
    }

    /// What an enactor does: whether the head moves.
    async fn moves_to(&self, ring: &str, generation: i64) -> Result<(), String> {
        let statement = format!(
            "insert into head_move (zone_group, ring, generation, by, expected)
             select zone_group, '{ring}', {generation}, 'test', '{{ns-1}}' from zone_group where name = 'example.com'"
        );
        let moved = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&self.owner).await;
        moved.map(|_| ()).map_err(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f46_a_group_a_ring_or_everything_is_frozen_and_thawed() {
    let api = Api::with_example().await;
    assert_eq!(api.get(GROUP).await["frozen"], Value::Null);
    let frozen = api.post("/v1/groups/example.com/freeze", &json!({"reason": "incident 7"})).await;
    let stop = &frozen.is(200)["stopped"][0];
    assert_eq!(
        (&stop["kind"], &stop["group"], &stop["ring"], &stop["reason"], &stop["by"], &stop["until"]),
        (&json!("freeze"), &json!("example.com"), &Value::Null, &json!("incident 7"), &json!("admin"), &Value::Null)
    );
    assert_eq!(api.moves_to("fleet", 1).await, Err("HF022".to_owned()));
    assert_eq!(api.get(GROUP).await["frozen"], frozen["stopped"]);
    assert_eq!(api.get("/v1/groups").await["items"][0]["frozen"], frozen["stopped"]);
    // Plans go on being admitted, and thawing something else ends nothing.
    let waited =
        api.post("/v1/groups/example.com/plans?wait=enacted&timeout_s=0", &http_support::put(1, "www", 1)).await;
    assert_eq!((&waited.is(201)["reached"], &waited["frozen"]), (&json!(false), &frozen["stopped"]));
    for elsewhere in ["/v1/thaw", "/v1/groups/example.com/thaw"] {
        let ring = if elsewhere == "/v1/thaw" { Value::Null } else { json!("fleet") };
        let thawed = api.post(elsewhere, &json!({"reason": "over", "ring": ring})).await;
        assert_eq!((&thawed.is(200)["thawed"], thawed["stopped"].as_array().unwrap().len()), (&json!(0), 1));
    }
    let all = api
        .post("/v1/freeze", &json!({"reason": "all hands", "ring": "fleet", "until": "2999-01-01T00:00:00+02:00"}))
        .await;
    assert_eq!(all.is(200)["stopped"].as_array().unwrap().len(), 2);
    assert_eq!(api.get("/v1/stops").await["items"][1]["until"], "2998-12-31T22:00:00Z");
    let thawed = api.post("/v1/groups/example.com/thaw", &json!({"reason": "over"})).await;
    assert_eq!((&thawed.is(200)["thawed"], &thawed["stopped"][0]["group"]), (&json!(1), &Value::Null));
    assert_eq!(api.moves_to("fleet", 1).await, Err("HF022".to_owned()));
    let thawed = api.post("/v1/thaw", &json!({"reason": "over", "ring": "fleet"})).await;
    assert_eq!((&thawed["thawed"], &thawed["stopped"]), (&json!(1), &json!([])));
    assert_eq!(api.moves_to("fleet", 1).await, Ok(()));
    let acts: Vec<Value> = api.audit().await.into_iter().map(|one| one["act"].clone()).collect();
    assert_eq!(acts, ["freeze", "thaw", "thaw", "freeze", "thaw", "thaw"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_says_all_that_is_wrong_with_it() {
    let api = Api::with_example().await;
    let path = "/v1/groups/example.com/freeze";
    let bad = api.post(path, &json!({"reason": " ", "ring": "A B", "until": "tomorrow", "untill": 1})).await;
    let mut places = bad.is_problem(400, "invalid-request").places();
    places.sort_unstable();
    assert_eq!(places, ["reason", "ring", "until", "untill"]);
    assert_eq!(api.post(path, &json!({})).await.is_problem(400, "invalid-request").places(), ["reason"]);
    let nowhere = api.post(path, &json!({"reason": "x", "ring": "nowhere"})).await;
    assert_eq!(nowhere.is_problem(400, "invalid-request").places(), ["ring"]);
    api.post(path, &json!({"reason": "x", "until": "2020-01-01T00:00:00Z"})).await.is_problem(409, "act-refused");
    api.post("/v1/groups/nowhere/freeze", &json!({"reason": "x"})).await.is_problem(404, "not-found");
    api.post("/v1/groups/nowhere/thaw", &json!({"reason": "x"})).await.is_problem(404, "not-found");
    assert_eq!((api.count("stop").await, api.audit().await.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_are_for_operators_within_their_scope() {
    let api = Api::with_example().await;
    let why = json!({"reason": "x"});
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    let of_group = api.token(&json!({"name": "ops", "role": "operator", "groups": ["example.com"]})).await;
    let of_names = api.token(&json!({"name": "names", "role": "operator", "suffixes": ["example.com."]})).await;
    for path in [
        "/v1/groups/example.com/freeze",
        "/v1/groups/example.com/thaw",
        "/v1/groups/example.com/plans/1/fail",
        "/v1/freeze",
        "/v1/thaw",
        "/v1/servers/ns-1/forget",
    ] {
        api.post_as(&planner, path, &[], &why).await.is_problem(403, "forbidden");
        api.post_as(&of_names, path, &[], &why).await.is_problem(403, "forbidden");
        if path.starts_with("/v1/groups") {
            api.post_as(&of_group, path, &[], &why).await.is(200);
            api.post_as(&of_group, &path.replace("example.com", "other"), &[], &why).await.is_problem(403, "forbidden");
        } else {
            api.post_as(&of_group, path, &[], &why).await.is_problem(403, "forbidden");
        }
    }
    for method in ["PUT", "DELETE"] {
        let asked =
            request(method, "/v1/rings/canary", &of_group, &[("content-type", "application/json")], "{}".into());
        api.ask(asked).await.is_problem(403, "forbidden");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rings_are_set_listed_and_ended() {
    let api = Api::with_example().await;
    assert_eq!(
        api.get("/v1/rings").await.is(200)["items"],
        json!([{"ring": "fleet", "first": true, "soak_s": 0.0, "delay_s": 0.0, "servers_min": 1}])
    );
    let canary = json!({"first": true, "soak_s": 30, "servers_min": 2, "reason": "prove first"});
    let set = api.send("PUT", "/v1/rings/canary", &canary).await;
    assert_eq!(
        set.is(200).json,
        json!({"ring": "canary", "first": true, "soak_s": 30.0, "delay_s": 0.0, "servers_min": 2})
    );
    let set = api.send("PUT", "/v1/rings/delayed", &json!({"delay_s": 0.5})).await;
    assert_eq!((&set.is(200)["first"], &set["delay_s"]), (&json!(false), &json!(0.5)));
    // What is left out stays.
    let set = api.send("PUT", "/v1/rings/canary", &json!({"soak_s": 1.5})).await;
    assert_eq!((&set["first"], &set["soak_s"], &set["servers_min"]), (&json!(true), &json!(1.5), &json!(2)));
    let rings = api.get("/v1/rings").await;
    let names: Vec<&Value> = rings["items"].as_array().unwrap().iter().map(|one| &one["ring"]).collect();
    assert_eq!(names, ["canary", "fleet", "delayed"]);
    assert_eq!(api.get("/v1/rings/fleet").await["first"], false);
    api.get("/v1/rings/nowhere").await.is_problem(404, "not-found");
    let bad =
        api.send("PUT", "/v1/rings/fleet", &json!({"first": 1, "soak_s": -1, "delay_s": "x", "servers_min": 0})).await;
    assert_eq!(bad.is_problem(400, "invalid-request").places().len(), 4);
    // One of three has to be first.
    api.send("PUT", "/v1/rings/canary", &json!({"first": false})).await.is_problem(409, "act-refused");
    api.send("DELETE", "/v1/rings/canary", &json!({})).await.is_problem(409, "act-refused");
    api.send("DELETE", "/v1/rings/nowhere", &json!({})).await.is_problem(404, "not-found");
    api.send("DELETE", "/v1/rings/delayed?reason=no%20need", &json!({})).await.is(204);
    api.send("DELETE", "/v1/rings/canary", &json!({})).await.is(204);
    assert_eq!(api.get("/v1/rings").await["items"][0]["first"], true);
    let acts: Vec<Value> = api.audit().await.into_iter().map(|one| one["act"].clone()).collect();
    assert_eq!(acts, ["set-ring", "set-ring", "set-ring", "end-ring", "end-ring"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_failed_is_never_enacted() {
    let api = Api::with_example().await;
    api.put(1, "www", 1).await.is(201);
    let failed = api.post("/v1/groups/example.com/plans/2/fail", &json!({"reason": "wrong address"})).await;
    assert_eq!((&failed.is(200)["generation"], &failed["in_force"]), (&json!(2), &json!([])));
    assert_eq!(api.moves_to("fleet", 2).await, Err("HF026".to_owned()));
    assert_eq!(api.moves_to("fleet", 1).await, Ok(()));
    let failed = api.post("/v1/groups/example.com/plans/1/fail", &json!({"reason": "as well"})).await;
    assert_eq!(failed.is(200)["in_force"], json!(["fleet"]));
    api.post("/v1/groups/example.com/plans/9/fail", &json!({"reason": "x"})).await.is_problem(404, "future-generation");
    api.post("/v1/groups/example.com/plans/1/fail", &json!({})).await.is_problem(400, "invalid-request");
    assert_eq!(api.audit().await[0]["detail"], json!({"generation": 2, "reason": "wrong address"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_what_nobody_knows_locks_the_group_until_the_server_is_forgotten() {
    let api = Api::with_example().await;
    api.server("fleet", 9, &"ab".repeat(32)).await;
    let group = api.get(GROUP).await;
    assert_eq!((&group["frozen"][0]["kind"], &group["frozen"][0]["by"]), (&json!("history-behind"), &json!("ns-1")));
    let refused = api.put(1, "www", 1).await;
    refused.is_problem(423, "history-behind");
    let thawed = api.post("/v1/groups/example.com/thaw", &json!({"reason": "let me"})).await;
    assert_eq!((&thawed.is(200)["thawed"], &thawed["stopped"][0]["kind"]), (&json!(0), &json!("history-behind")));
    api.post("/v1/servers/ns-2/forget", &json!({"reason": "x"})).await.is_problem(404, "not-found");
    let forgotten = api.post("/v1/servers/ns-1/forget", &json!({"reason": "it lies"})).await;
    assert_eq!(forgotten.is(200).json, json!({"server": "ns-1", "reason": "it lies"}));
    let thawed = api.post("/v1/groups/example.com/thaw", &json!({"reason": "let me"})).await;
    assert_eq!((&thawed["thawed"], &thawed["stopped"]), (&json!(1), &json!([])));
    api.put(1, "www", 1).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giving_and_ending_tokens_is_audited_without_their_secrets() {
    let api = Api::empty().await;
    let secret = api.token(&json!({"name": "ci", "role": "planner", "groups": ["shop"]})).await;
    api.send("DELETE", "/v1/tokens/ci", &json!({})).await.is(204);
    api.send("DELETE", "/v1/tokens/ci", &json!({})).await.is_problem(404, "not-found");
    let lines: Vec<(String, String, Value)> =
        sqlx::query_as("select act, by, detail from audit order by audit").fetch_all(&api.owner).await.unwrap();
    assert_eq!(
        lines[1],
        (
            "give-token".to_owned(),
            "admin".to_owned(),
            json!({"name": "ci", "role": "planner", "groups": ["shop"], "suffixes": null})
        )
    );
    assert_eq!(lines[2], ("end-token".to_owned(), "admin".to_owned(), json!({"name": "ci"})));
    assert_eq!(lines.len(), 3);
    assert!(!format!("{lines:?}").contains(&secret[3..]));
}
