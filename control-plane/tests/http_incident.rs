//! The incident for which rollback exists: frozen, the budget spent, a soak pending, automation posting again and again. Moves
//! and verdicts are made as an enactor makes them, by the same statements, so that the database has its say on each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use axum::body::Body;
use http_support::{ADMIN, Api, put, record_set, request, whole_zone};
use serde_json::{Value, json};

const PLANS: &str = "/v1/groups/example.com/plans";

impl Api {
    /// What an enactor does: whether the head moves.
    async fn moves_to(&self, group: &str, ring: &str, generation: i64) -> Result<(), String> {
        self.tries(&format!(
            "insert into head_move (zone_group, ring, generation, by, expected)
             select zone_group, '{ring}', {generation}, 'test', '{{ns-1}}' from zone_group where name = '{group}'"
        ))
        .await
    }

    async fn passes(&self, generation: i64) -> Result<(), String> {
        self.tries(&format!(
            "insert into verdict (zone_group, generation, passed, why, by)
             select zone_group, {generation}, true, 'its servers served it', 'test' from zone_group where name = 'example.com'"
        ))
        .await
    }

    /// The SQLSTATE of the refusal, if it is refused.
    async fn tries(&self, statement: &str) -> Result<(), String> {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&self.owner).await;
        done.map(|_| ()).map_err(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f57_the_rollback_works_in_the_incident_that_it_is_made_for() {
    let api = Api::empty().await;
    let automation = api.token(&json!({"name": "automation", "role": "planner"})).await;
    let mut zone = whole_zone(1);
    zone["replace"].as_array_mut().unwrap().extend((1..=5).map(|n| record_set(&format!("n{n}"), "A", &["192.0.2.9"])));
    api.post(PLANS, &json!({"base": 0, "zones": {"example.com.": zone}})).await.is(201);
    api.post("/v1/groups/other/plans", &json!({"base": 0, "zones": {"other.test.": whole_zone(1)}})).await.is(201);
    api.put(1, "api", 2).await.is(201);
    // What everybody is served is good, and was proved.
    let canary = request(
        "PUT",
        "/v1/rings/canary",
        ADMIN,
        &[("content-type", "application/json")],
        Body::from(r#"{"first":true,"soak_s":3600}"#),
    );
    api.ask(canary).await.is(200);
    for ring in ["canary", "fleet"] {
        api.moves_to("example.com", ring, 2).await.unwrap();
        if ring == "canary" {
            api.passes(2).await.unwrap();
        }
    }
    // The poison passes as well, for no server minds it. Then its author takes names away, as many as an hour has.
    let poison = |base| put(base, "api", 66);
    api.post_as(&automation, PLANS, &[], &poison(2)).await.is(201);
    api.moves_to("example.com", "canary", 3).await.unwrap();
    api.passes(3).await.unwrap();
    api.moves_to("example.com", "fleet", 3).await.unwrap();
    let delete = |base, name: &str| json!({"base": base, "zones": {"example.com.": {"delete": [{"name": name}]}}});
    for (base, name) in [(3, "n1"), (4, "n2")] {
        api.post_as(&automation, PLANS, &[], &delete(base, name)).await.is(201);
    }
    let spent = api.post_as(&automation, PLANS, &[], &delete(5, "n3")).await;
    assert_eq!(spent.is_problem(422, "guard-refused")["guard"], "velocity");
    // A soak is pending, and everything is frozen; the automation goes on.
    api.moves_to("example.com", "canary", 5).await.unwrap();
    assert_eq!(api.moves_to("example.com", "fleet", 5).await, Err("HF025".to_owned()));
    api.post("/v1/freeze", &json!({"reason": "all hands"})).await.is(200);
    api.post_as(&automation, PLANS, &[], &put(5, "live", 1)).await.is(201);
    for ring in ["canary", "fleet"] {
        assert_eq!(api.moves_to("example.com", ring, 6).await, Err("HF022".to_owned()));
    }

    // Whoever looked before the automation posted again is told so, and looks again.
    let back = async |base: i64| {
        let body = json!({"to": 2, "base": base, "reason": "incident 7", "through_freeze": true});
        api.post("/v1/groups/example.com/rollback", &body).await
    };
    assert_eq!(back(5).await.is_problem(409, "stale-base")["conflicts"][0]["name"], "live.example.com.");
    let rolled_back = back(6).await;
    assert_eq!(
        (&rolled_back.is(201)["generation"], &rolled_back["changes"]),
        (&json!(7), &json!({"added": 2, "replaced": 1, "deleted": 1, "absent": 0}))
    );
    // It answers what has passed, so no soak is in its way; and it goes through the freeze, ring by ring.
    let answers: Vec<Vec<u8>> = sqlx::query_scalar(
        "select answers from generation join zone_group using (zone_group) where name = 'example.com' and generation in (2, 7)")
        .fetch_all(&api.owner).await.unwrap();
    assert_eq!(answers[0], answers[1]);
    api.moves_to("example.com", "canary", 7).await.unwrap();
    api.passes(7).await.unwrap();
    api.moves_to("example.com", "fleet", 7).await.unwrap();
    let group = api.get("/v1/groups/example.com").await;
    assert_eq!(
        (&group["heads"]["fleet"]["generation"], &group["frozen"][0]["reason"]),
        (&json!(7), &json!("all hands"))
    );
    let served = api.get("/v1/zones/example.com/rrsets?type=A").await;
    let sets: Vec<(&Value, &Value)> =
        served["items"].as_array().unwrap().iter().map(|one| (&one["name"], &one["records"][0])).collect();
    assert_eq!((sets.len(), sets[0]), (7, (&json!("api.example.com."), &json!("192.0.2.2"))));

    // The same generation closed the group: the automation is told why, whatever it posts.
    for plan in [poison(7), put(7, "new", 1), delete(7, "n3")] {
        let refused = api.post_as(&automation, PLANS, &[], &plan).await;
        assert_eq!(refused.is_problem(422, "guard-refused")["guard"], "closed");
        assert!(refused.text.contains("incident 7"));
    }
    // It went through alone: what operators post now waits for the thaw, and so does everything else.
    api.put(7, "api", 3).await.is(201);
    assert_eq!(api.moves_to("example.com", "canary", 8).await, Err("HF022".to_owned()));
    assert_eq!(api.moves_to("other", "canary", 1).await, Err("HF022".to_owned()));

    // And back to every day, when an operator says so.
    api.post("/v1/thaw", &json!({"reason": "over"})).await.is(200);
    let shut = api.post_as(&automation, PLANS, &[], &poison(8)).await;
    assert_eq!(shut.is_problem(422, "guard-refused")["guard"], "closed");
    let open = json!({"base": 8, "reason": "over", "settings": {"closed": null}});
    api.post_as(&automation, PLANS, &[], &open).await.is_problem(403, "forbidden");
    api.post(PLANS, &open).await.is(201);
    api.post_as(&automation, PLANS, &[], &put(9, "api", 4)).await.is(201);
    api.moves_to("example.com", "canary", 10).await.unwrap();
    api.moves_to("other", "canary", 1).await.unwrap();
}
