//! Guards over HTTP, on real Postgres: each refuses with its name, limit and figure, and lets an acknowledged plan through.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{Answer, Api, put, record_set, whole_zone};
use serde_json::{Value, json};

const PLANS: &str = "/v1/groups/example.com/plans";

impl Answer {
    /// That a guard refused, for this figure. `objections` has the rest.
    #[track_caller]
    fn is_refused_by(&self, guard: &str, limit: u64, actual: u64) -> &Self {
        self.is_problem(422, "guard-refused");
        assert_eq!(
            (&self["guard"], &self["limit"], &self["actual"]),
            (&json!(guard), &json!(limit), &json!(actual)),
            "{}",
            self.text
        );
        self
    }
}

/// The group with `count` names more than SOA, NS and ns1.
async fn of_names(count: u8) -> Api {
    let api = Api::empty().await;
    let mut zone = whole_zone(1);
    let names = (1..=count).map(|last| record_set(&format!("n{last}"), "A", &[&format!("192.0.2.{last}")]));
    zone["replace"].as_array_mut().unwrap().extend(names);
    api.post(PLANS, &json!({"base": 0, "zones": {"example.com.": zone}})).await.is(201);
    api
}

fn delete(base: i64, names: &[&str]) -> Value {
    let deletes: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    json!({"base": base, "zones": {"example.com.": {"delete": deletes}}})
}

fn change(base: i64, change: &Value) -> Value {
    json!({"base": base, "zones": {"example.com.": change}})
}

fn acknowledged(plan: &Value, guard: &str) -> Value {
    let mut plan = plan.clone();
    plan["acknowledge"] = json!([{"guard": guard, "reason": "it must"}]);
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_too_much_at_once_is_refused_with_figures() {
    let api = of_names(27).await;
    // Thirty record sets: a tenth of them may go, and half may change.
    let four = delete(1, &["n1", "n2", "n3", "n4"]);
    let refused = api.post(PLANS, &four).await;
    assert_eq!(refused.is_refused_by("deleted-share", 3, 4)["objections"][0]["zone"], "example.com.");
    assert_eq!(api.count("plan").await, 1);
    api.post(&format!("{PLANS}?dry_run=true"), &four).await.is_refused_by("deleted-share", 3, 4);
    api.post(PLANS, &acknowledged(&four, "changed-share")).await.is_refused_by("deleted-share", 3, 4);
    let admitted = api.post(PLANS, &acknowledged(&four, "deleted-share")).await;
    assert_eq!(admitted.is(201)["changes"]["deleted"], 4);
    let plan = api.get("/v1/groups/example.com/plans/2").await;
    assert_eq!(plan["acknowledged"], json!([{"guard": "deleted-share", "reason": "it must"}]));
    // Of the 26 that are left.
    api.post(PLANS, &delete(2, &["n5", "n6", "n7"])).await.is_refused_by("deleted-share", 2, 3);
    let other = |last: u8| record_set(&format!("n{last}"), "A", &["192.0.2.200"]);
    let fourteen: Vec<Value> = (5..19).map(other).collect();
    let changes = change(2, &json!({"upsert": fourteen}));
    api.post(PLANS, &changes).await.is_refused_by("changed-share", 13, 14);
    api.post(PLANS, &acknowledged(&changes, "changed-share")).await.is(201);
    // Additions do not count.
    let more: Vec<Value> = (100..140).map(other).collect();
    api.post(PLANS, &change(3, &json!({"upsert": more}))).await.is(201);
    // And the zone has grown by them: 66.
    api.post(PLANS, &delete(4, &["n5", "n6", "n7", "n8", "n9", "n10"])).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_a_little_every_minute_is_refused_until_the_hour_is_over() {
    let api = of_names(5).await;
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    for (base, name) in [(1, "n1"), (2, "n2")] {
        api.post_as(&planner, PLANS, &[], &delete(base, &[name])).await.is(201);
    }
    let third = delete(3, &["n3"]);
    api.post_as(&planner, PLANS, &[], &third).await.is_refused_by("velocity", 2, 3);
    api.post_as(&planner, PLANS, &[], &acknowledged(&third, "velocity")).await.is_problem(403, "forbidden");
    // A whole zone that leaves a name out is a delete like others.
    let mut zone = whole_zone(1);
    zone["replace"]
        .as_array_mut()
        .unwrap()
        .extend([4, 5].map(|n: u8| record_set(&format!("n{n}"), "A", &[&format!("192.0.2.{n}")])));
    api.post_as(&planner, PLANS, &[], &change(3, &zone)).await.is_refused_by("velocity", 2, 3);
    // Adding goes on, and operators are exempt.
    api.post_as(&planner, PLANS, &[], &put(3, "new", 9)).await.is(201);
    api.post(PLANS, &delete(4, &["n3"])).await.is(201);
    api.post_as(&planner, PLANS, &[], &delete(5, &["n4"])).await.is_refused_by("velocity", 2, 3);
    // An hour later, by the database's clock.
    api.superuser("set session_replication_role = replica; update generation set at = at - interval '61 minutes'")
        .await;
    api.post_as(&planner, PLANS, &[], &delete(5, &["n4"])).await.is(201);
    assert_eq!(api.count("generation where deletes_spent = 3").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_pointers_to_nothing_are_refused() {
    let api = of_names(20).await;
    let alias = |base, target: &str| change(base, &json!({"upsert": [record_set("alias", "CNAME", &[target])]}));
    let refused = api.post(PLANS, &alias(1, "nothing")).await;
    assert_eq!(refused.is_refused_by("references", 0, 1)["objections"][0]["name"], "alias.example.com.");
    api.post(PLANS, &alias(1, "elsewhere.example.net.")).await.is(201);
    api.post(PLANS, &alias(2, "n1")).await.is(201);
    let refused = api.post(PLANS, &delete(3, &["n1"])).await;
    assert_eq!(refused.is_refused_by("references", 0, 1)["objections"][0]["name"], "alias.example.com.");
    // The target stays as long as something stands at its name; and a wildcard stands in.
    let both = change(3, &json!({"delete": [{"name": "n1"}], "upsert": [record_set("*", "A", &["192.0.2.1"])]}));
    api.post(&format!("{PLANS}?dry_run=true"), &both).await.is(200);
    let along = change(3, &json!({"delete": [{"name": "n1"}, {"name": "alias"}]}));
    api.post(&format!("{PLANS}?dry_run=true"), &along).await.is(200);
    api.post(PLANS, &acknowledged(&delete(3, &["n1"]), "references")).await.is(201);
    // From one zone of the group to another.
    let zones = json!({"base": 0, "zones": {"a.test.": whole_zone(1), "b.test.": whole_zone(1)}});
    api.post("/v1/groups/two/plans", &zones).await.is(201);
    let across = |target: &str| json!({"base": 1, "zones": {"a.test.": {"upsert": [record_set("x", "MX", &[&format!("5 {target}")])]}}});
    api.post("/v1/groups/two/plans", &across("nothing.b.test.")).await.is_refused_by("references", 0, 1);
    api.post("/v1/groups/two/plans", &across("ns1.b.test.")).await.is(201);
    let gone = json!({"base": 2, "zones": {"b.test.": {"delete": [{"name": "ns1"}]}}});
    let refused = api.post("/v1/groups/two/plans", &gone).await;
    let zones: Vec<&Value> = refused.is_refused_by("references", 0, 2)["objections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["zone"])
        .collect();
    assert_eq!(zones, ["a.test.", "b.test."]);
    // The group may do without.
    api.post("/v1/groups/two/plans", &json!({"base": 2, "settings": {"references": false}})).await.is(201);
    api.post("/v1/groups/two/plans", &json!({"base": 3, "zones": {"b.test.": {"delete": [{"name": "ns1"}]}}}))
        .await
        .is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f20_soa_and_ns_of_an_apex_never_go_and_change_only_with_a_word() {
    let api = of_names(20).await;
    for rtype in ["SOA", "NS"] {
        let gone = change(1, &json!({"delete": [{"name": "@", "type": rtype}]}));
        api.post(PLANS, &gone).await.is_problem(422, "invalid-plan");
        api.post(PLANS, &acknowledged(&gone, "apex")).await.is_problem(422, "invalid-plan");
    }
    let other = change(1, &json!({"upsert": [record_set("@", "NS", &["n1", "ns1"])]}));
    assert_eq!(api.post(PLANS, &other).await.is_refused_by("apex", 0, 1)["objections"][0]["name"], "example.com.");
    api.post(PLANS, &acknowledged(&other, "apex")).await.is(201);
    let soa = |serial: u32, expire: u32| {
        change(
            2,
            &json!({"upsert": [record_set("@", "SOA", &[&format!("ns1 hostmaster {serial} 3600 900 {expire} 300")])]}),
        )
    };
    api.post(PLANS, &soa(1, 604_801)).await.is_refused_by("apex", 0, 1);
    // A greater serial is no other SOA.
    api.post(PLANS, &soa(900, 604_800)).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_f17_a_guarded_record_set_keeps_its_minimum() {
    let api = of_names(20).await;
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    let guard = |base, min: u16| change(base, &json!({"guard": [{"name": "api", "type": "A", "min": min}]}));
    // It has to hold at once.
    api.post(PLANS, &guard(1, 2)).await.is_refused_by("guarded-names", 2, 0);
    let with = change(
        1,
        &json!({"upsert": [record_set("api", "A", &["192.0.2.1", "192.0.2.2"])], "guard": [{"name": "api", "type": "A", "min": 2}]}),
    );
    api.post_as(&planner, PLANS, &[], &with).await.is_problem(403, "forbidden");
    api.post(PLANS, &with).await.is(201);
    let group = api.get("/v1/groups/example.com").await;
    assert_eq!(group["guards"], json!([{"zone": "example.com.", "name": "api.example.com.", "type": "A", "min": 2}]));
    let one = change(2, &json!({"upsert": [record_set("api", "A", &["192.0.2.1"])]}));
    for plan in [&one, &acknowledged(&delete(2, &["api"]), "references")] {
        let refused = api.post(PLANS, plan).await;
        refused.is_problem(422, "guard-refused");
        assert_eq!((&refused["guard"], &refused["limit"]), (&json!("guarded-names"), &json!(2)));
    }
    api.post(PLANS, &acknowledged(&one, "guarded-names")).await.is_problem(422, "invalid-plan");
    // A replacement is judged as well, and another family is no matter of this guard.
    let mut zone = whole_zone(1);
    zone["replace"].as_array_mut().unwrap().push(record_set("api", "AAAA", &["2001:db8::1"]));
    let mut whole = change(2, &zone);
    whole["acknowledge"] =
        json!([{"guard": "deleted-share", "reason": "x"}, {"guard": "changed-share", "reason": "x"}]);
    api.post(PLANS, &whole).await.is_refused_by("guarded-names", 2, 0);
    api.post_as(&planner, PLANS, &[], &change(2, &json!({"unguard": [{"name": "api", "type": "A"}]})))
        .await
        .is_problem(403, "forbidden");
    let end = change(2, &json!({"unguard": [{"name": "api", "type": "A"}], "delete": [{"name": "api"}]}));
    api.post(PLANS, &end).await.is(201);
    assert_eq!(api.get("/v1/groups/example.com").await["guards"], json!([]));
    // Guards are no records: neither lists nor diffs trip over them.
    api.get("/v1/zones/example.com/rrsets?name=api").await.is(200);
    api.get("/v1/zones/example.com/history?name=api").await.is(200);
    assert_eq!(api.get("/v1/groups/example.com/diff?from=1&to=3").await.is(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_move_the_limits_and_close_the_group() {
    let api = of_names(20).await;
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    let shown = api.get("/v1/groups/example.com").await;
    assert_eq!(
        shown["settings"],
        json!({"deleted-share": {"at_least": 1, "percent": 10}, "changed-share": {"at_least": 4, "percent": 50},
        "velocity": {"at_least": 2, "percent": 20}, "references": true, "closed": null})
    );
    let set = |base, settings: &Value| json!({"base": base, "settings": settings});
    let wide = json!({"deleted-share": {"at_least": 5, "percent": 0}, "velocity": {"at_least": 1, "percent": 0}, "closed": "incident 7"});
    api.post_as(&planner, PLANS, &[], &set(1, &wide)).await.is_problem(403, "forbidden");
    api.post(PLANS, &set(1, &wide)).await.is(201);
    let shown = api.get("/v1/groups/example.com").await;
    assert_eq!(
        (&shown["settings"]["deleted-share"], &shown["settings"]["closed"]),
        (&wide["deleted-share"], &json!("incident 7"))
    );
    let plan = api.get("/v1/groups/example.com/plans/2").await;
    let items = plan.is(200)["diff"]["items"].as_array().unwrap();
    let set_there: Vec<&str> = items.iter().map(|item| item["setting"].as_str().unwrap()).collect();
    assert_eq!(set_there, ["deleted-share", "velocity", "closed"]);
    let refused = api.post_as(&planner, PLANS, &[], &put(2, "www", 1)).await;
    assert!(refused.is_refused_by("closed", 0, 1).text.contains("incident 7"));
    api.post(PLANS, &delete(2, &["n1", "n2", "n3", "n4", "n5"])).await.is(201);
    // Whoever read less than the newest settings is told; null is the default again.
    api.post(PLANS, &set(1, &json!({"closed": null}))).await.is_problem(409, "stale-base");
    api.post(PLANS, &set(3, &json!({"closed": null, "deleted-share": null}))).await.is(201);
    api.post_as(&planner, PLANS, &[], &delete(4, &["n6"])).await.is(201);
    api.post_as(&planner, PLANS, &[], &delete(5, &["n7"])).await.is_refused_by("velocity", 1, 2);
    api.post(PLANS, &delete(5, &["n8", "n9"])).await.is_refused_by("deleted-share", 1, 2);
    let again = api.post(PLANS, &set(5, &json!({"velocity": {"at_least": 1, "percent": 0}}))).await;
    assert_eq!(again.is(200)["outcome"], "no-op");
    let bad = json!({"velocity": {"at_least": -1, "percent": 101}, "references": 1, "closed": " ", "speed": 1, "deleted-share": 7});
    let refused = api.post(PLANS, &set(5, &bad)).await;
    let mut places = refused.is_problem(422, "invalid-plan").places();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "settings.closed",
            "settings.deleted-share",
            "settings.references",
            "settings.speed",
            "settings.velocity.at_least",
            "settings.velocity.percent"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_ends_by_a_plan_of_its_own() {
    let api = of_names(5).await;
    let planner = api.token(&json!({"name": "planner", "role": "planner"})).await;
    let org = json!({"base": 1, "zones": {"example.org.": whole_zone(7)}});
    api.post(PLANS, &org).await.is(201);
    let end = |base| json!({"base": base, "reason": "moved away", "zones": {"example.org.": {"end": true}}});
    api.post_as(&planner, PLANS, &[], &end(2)).await.is_problem(403, "forbidden");
    let mut more = end(2);
    more["zones"]["example.com."] = json!({"upsert": [record_set("www", "A", &["192.0.2.1"])]});
    api.post(PLANS, &more).await.is_problem(422, "invalid-plan");
    for bad in [json!({"end": false}), json!({"end": true, "delete": [{"name": "x"}]}), json!({"end": 1})] {
        api.post(PLANS, &json!({"base": 2, "zones": {"example.org.": bad}})).await.is_problem(422, "invalid-plan");
    }
    let ended = api.post(PLANS, &end(2)).await;
    assert_eq!((&ended.is(201)["generation"], &ended["changes"]["deleted"]), (&json!(3), &json!(3)));
    let kinds: Vec<String> =
        sqlx::query_scalar("select kind from plan order by plan").fetch_all(&api.owner).await.unwrap();
    assert_eq!(kinds, ["change", "change", "end-zone"]);
    let put = json!({"base": 3, "zones": {"example.org.": {"upsert": [record_set("www", "A", &["192.0.2.1"])]}}});
    api.post(PLANS, &put).await.is_problem(422, "invalid-plan");
    assert_eq!(api.post(PLANS, &end(3)).await.is(200)["outcome"], "no-op");
    api.post(PLANS, &json!({"base": 3, "zones": {"example.org.": whole_zone(9)}})).await.is(201);
    api.get("/v1/zones/example.org/rrsets").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f55_no_zone_takes_names_from_another_group() {
    let api = of_names(20).await;
    let guard = change(
        1,
        &json!({"upsert": [record_set("www.child", "A", &["192.0.2.1"])], "guard": [{"name": "www.child", "type": "A"}]}),
    );
    api.post(PLANS, &guard).await.is(201);
    let child = json!({"base": 0, "zones": {"child.example.com.": whole_zone(1)}});
    let begin = async || api.post("/v1/groups/child/plans", &child).await;
    let refused = begin().await;
    assert_eq!(refused.is_problem(422, "guard-refused")["guard"], "other-groups");
    let about: Vec<&Value> = refused["objections"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(about, ["example.com.", "www.child.example.com."]);
    let mut anyway = child.clone();
    anyway["acknowledge"] = json!([{"guard": "other-groups", "reason": "x"}]);
    api.post("/v1/groups/child/plans", &anyway).await.is_problem(422, "invalid-plan");
    let delegation = record_set("child", "NS", &["ns1.child"]);
    let glue = record_set("ns1.child", "A", &["192.0.2.53"]);
    api.post(PLANS, &change(2, &json!({"upsert": [delegation, glue]}))).await.is(201);
    let refused = begin().await;
    assert_eq!(refused.is_refused_by("other-groups", 0, 1)["objections"][0]["name"], "www.child.example.com.");
    api.post(PLANS, &change(3, &json!({"unguard": [{"name": "www.child", "type": "A"}]}))).await.is(201);
    begin().await.is(201);
    // And it keeps its parent from ending; within a group nobody asks.
    let end = json!({"base": 4, "zones": {"example.com.": {"end": true}}});
    let refused = api.post(PLANS, &end).await;
    assert_eq!(refused.is_refused_by("other-groups", 0, 1)["objections"][0]["name"], "child.example.com.");
    let own = json!({"base": 4, "zones": {"own.example.com.": whole_zone(1)}});
    api.post(PLANS, &own).await.is(201);
}
