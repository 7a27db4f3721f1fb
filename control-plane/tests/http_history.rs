//! What became of a name: who, in which plan, why, and what stood before.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{Answer, Api, put, record_set, whole_zone};
use serde_json::{Value, json};

const PLANS: &str = "/v1/groups/example.com/plans";
const HISTORY: &str = "/v1/zones/example.com/history";

/// "generation change type: before -> after" of each version.
fn told(answer: &Answer) -> Vec<String> {
    let side =
        |set: &Value| if set.is_null() { "-".to_owned() } else { set["records"][0].as_str().unwrap().to_owned() };
    let version = |one: &Value| {
        let (change, rtype) = (one["change"].as_str().unwrap(), one["type"].as_str().unwrap());
        format!("{} {change} {rtype}: {} -> {}", one["generation"], side(&one["before"]), side(&one["after"]))
    };
    answer.is(200)["items"].as_array().unwrap().iter().map(version).collect()
}

async fn change(api: &Api, base: i64, reason: &str, zone: &Value) {
    let plan = json!({"base": base, "reason": reason, "zones": {"example.com.": zone}});
    api.post(PLANS, &plan).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_a_name_says_who_why_and_what_stood_before() {
    let api = Api::with_example().await;
    let planner = api.token(&json!({"name": "balancers", "role": "planner"})).await;
    let plan = json!({"base": 1, "reason": "first", "zones": {"example.com.": {"upsert": [record_set("API", "A", &["192.0.2.1"])]}}});
    api.post_as(&planner, PLANS, &[], &plan).await.is(201);
    // Another name in between is no version of this one.
    change(&api, 2, "elsewhere", &json!({"upsert": [record_set("other", "A", &["192.0.2.9"])]})).await;
    change(
        &api,
        3,
        "moved",
        &json!({"upsert": [record_set("api", "A", &["192.0.2.2"]), record_set("api", "TXT", &["\"x\""])]}),
    )
    .await;
    // Two of six record sets at once.
    let gone = json!({"base": 4, "reason": "decommissioned", "zones": {"example.com.": {"delete": [{"name": "api"}]}},
        "acknowledge": [{"guard": "deleted-share", "reason": "both were its"}]});
    api.post(PLANS, &gone).await.is(201);
    change(&api, 5, "back", &json!({"upsert": [record_set("api", "A", &["192.0.2.3"])]})).await;

    let all = api.get(&format!("{HISTORY}?name=api")).await;
    assert_eq!(
        told(&all),
        [
            "6 added A: - -> 192.0.2.3",
            "5 deleted A: 192.0.2.2 -> -",
            "5 deleted TXT: \"x\" -> -",
            "4 replaced A: 192.0.2.1 -> 192.0.2.2",
            "4 added TXT: - -> \"x\"",
            "2 added A: - -> 192.0.2.1",
        ]
    );
    assert_eq!(
        (&all["name"], &all["group"], &all["retired"]),
        (&json!("api.example.com."), &json!("example.com"), &json!(false))
    );
    let first = &all["items"][5];
    assert_eq!(
        (&first["by"], &first["reason"], &first["acknowledged"]),
        (&json!("balancers"), &json!("first"), &json!([]))
    );
    let generation = api.get(&format!("{PLANS}/2")).await;
    assert_eq!((&first["id"], &first["at"]), (&generation["id"], &generation["at"]));
    assert_eq!(all["items"][3]["before"], json!({"ttl": 60, "records": ["192.0.2.1"]}));

    assert_eq!(told(&api.get(&format!("{HISTORY}?name=API.example.com.&type=txt")).await).len(), 2);
    assert_eq!(told(&api.get(&format!("{HISTORY}?name=nothing")).await), Vec::<String>::new());

    // A page at a time, through the middle of a plan.
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{HISTORY}?name=api&limit=2{after}")).await;
        pages.extend(told(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(pages, told(&all));

    for bad in ["", "?name=a.example.org.", "?name=api&type=BOGUS", "?name=api&after=x", "?name=api&at=2"] {
        api.get(&format!("{HISTORY}{bad}")).await.is_problem(400, "invalid-request");
    }
    api.get("/v1/zones/nowhere.example/history?name=@").await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soa_shows_the_serials_that_the_world_saw() {
    let api = Api::with_example().await;
    api.put(1, "a", 1).await.is(201);
    let soa = |serial: u32| record_set("@", "SOA", &[&format!("ns1 hostmaster {serial} 3600 900 604800 300")]);
    // Nothing but the serial differs: a version all the same.
    change(&api, 2, "serial", &json!({"upsert": [soa(2_026_010_100)]})).await;
    let history = api.get(&format!("{HISTORY}?name=@&type=SOA")).await;
    let serial = |set: &Value| set["records"][0].as_str().unwrap().split(' ').nth(2).unwrap().to_owned();
    let items = history.is(200)["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", history.text);
    assert_eq!((serial(&items[0]["before"]), serial(&items[0]["after"])), ("2".to_owned(), "2026010100".to_owned()));
    assert_eq!((&items[1]["change"], serial(&items[1]["after"])), (&json!("added"), "1".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_staged_is_no_version() {
    let api = Api::with_example().await;
    api.put(1, "a", 1).await.is(201);
    api.run(
        "insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent)
         select zone_group, 2, sha256('x'), 1, 1, 0, 0, 0 from zone_group;
         insert into change (zone, owner, type, plan, value) select z.zone, '', 65536, max(p.plan), 'x' from zone z, plan p group by z.zone;
         insert into change (zone, owner, type, plan, value) select z.zone, 'a', 1, max(p.plan), null from zone z, plan p group by z.zone",
    )
    .await;
    assert_eq!(told(&api.get(&format!("{HISTORY}?name=a")).await), ["2 added A: - -> 192.0.2.1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_the_floor_nobody_claims_to_know() {
    let api = Api::with_example().await;
    for (base, last) in [(1, 1), (2, 2), (3, 3)] {
        api.put(base, "a", last).await.is(201);
    }
    // As retirement leaves it, only faster.
    api.run("alter table zone_group disable trigger user; update zone_group set floor = 3; alter table zone_group enable trigger user").await;
    let history = api.get(&format!("{HISTORY}?name=a")).await;
    assert_eq!(
        told(&history),
        ["4 replaced A: 192.0.2.2 -> 192.0.2.3", "3 set A: - -> 192.0.2.2", "2 set A: - -> 192.0.2.1"]
    );
    assert_eq!((&history["retired"], &history["floor"]), (&json!(true), &json!(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_a_name_costs_the_same_in_a_large_zone() {
    let api = Api::with_example().await;
    let file: String = (0..20_000).map(|n| format!("n{n} 60 A 10.0.{}.{}\n", n / 250, n % 250)).collect();
    let soa = "@ 60 SOA ns1 hostmaster 9 3600 900 604800 300\n@ 60 NS ns1\nns1 60 A 192.0.2.53\n";
    api.import("zone=example.com&base=1", &format!("{soa}{file}")).await.is(201);
    api.post("/v1/groups/small.example/plans", &json!({"base": 0, "zones": {"small.example.": whole_zone(1)}}))
        .await
        .is(201);
    for last in 1..=20 {
        api.post(PLANS, &put(1 + i64::from(last), "n7", last)).await.is(201);
    }
    assert_eq!(told(&api.get(&format!("{HISTORY}?name=n7&limit=5")).await).len(), 5);
    // Rows that the query read, as Postgres counts them: what it has to do with the name, and nothing with the zone.
    let query = include_str!("../queries/reading/history_of_name.sql");
    let statement = format!("prepare q as {query}");
    let mut one = api.owner.acquire().await.unwrap();
    for text in ["set enable_seqscan = off".to_owned(), statement, "analyze change".to_owned()] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *one).await.unwrap();
    }
    let zone: i64 =
        sqlx::query_scalar("select zone from zone where name = 'example.com.'").fetch_one(&mut *one).await.unwrap();
    let explain = format!("explain (analyze, format json) execute q({zone}, 'n7', null, 9223372036854775807, 0, 0, 6)");
    let plan: Value = sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_one(&mut *one).await.unwrap();
    let read = rows_read(&plan[0]["Plan"]);
    assert!(read < 500.0, "{read} rows were read for 21 versions of one name: {plan:#}");
}

/// All rows that the nodes of a query plan looked at, loops counted.
fn rows_read(node: &Value) -> f64 {
    let number = |member: &str| node[member].as_f64().unwrap_or(0.0);
    let own = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    own + node["Plans"].as_array().into_iter().flatten().map(rows_read).sum::<f64>()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guards_and_settings_are_part_of_the_history() {
    let api = Api::with_example().await;
    api.run(
        r"insert into plan (zone_group, base, reason, digest_delta, changes, added, replaced, deleted, absent)
          select zone_group, 1, 'safer', sha256('x'), 3, 0, 0, 0, 0 from zone_group;
          insert into change (zone, owner, type, plan, value)
          select z, '', 65536, p.plan, 'x' from (select max(plan) as plan from plan) p, (select zone from zone union all select -zone_group from zone_group) t (z);
          insert into change (zone, owner, type, covered, plan, value) select z.zone, 'ns1', 65538, 1, p.plan, '\x0001' from zone z, (select max(plan) as plan from plan) p;
          insert into change (zone, owner, type, plan, value) select -z.zone_group, '@', s.type, p.plan, s.value
          from zone_group z, (select max(plan) as plan from plan) p, (values (65542, '\x0000000214'::bytea), (65543, '\x00'), (65544, 'incident')) s (type, value);
          insert into generation (zone_group, generation, plan, parent, id, digest) select z.zone_group, 2, max(p.plan), (select id from generation), sha256('2'), sha256('x') from zone_group z, plan p group by 1",
    )
    .await;
    let plan = api.get("/v1/groups/example.com/plans/2").await;
    let told: Vec<Value> = plan.is(200)["diff"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            json!([
                one["of"],
                one["zone"],
                one["name"],
                one["type"],
                one["setting"],
                one["change"],
                one["before"],
                one["after"]
            ])
        })
        .collect();
    let null = Value::Null;
    assert_eq!(
        told,
        [
            json!(["setting", null, null, null, "velocity", "added", null, {"at_least": 2, "percent": 20}]),
            json!(["setting", null, null, null, "references", "added", null, {"on": false}]),
            json!(["setting", null, null, null, "closed", "added", null, {"reason": "incident"}]),
            json!(["guard", "example.com.", "ns1.example.com.", "A", null, "added", null, {"minimum": 1}]),
        ]
    );
    // Page by page all the same.
    let first = api.get("/v1/groups/example.com/diff?from=1&to=2&limit=3").await;
    let rest = api
        .get(&format!("/v1/groups/example.com/diff?from=1&to=2&limit=3&after={}", first["next"].as_str().unwrap()))
        .await;
    assert_eq!((&rest["items"][0]["of"], &rest["next"]), (&json!("guard"), &null));
    let history = api.get(&format!("{HISTORY}?name=ns1&type=A")).await;
    let guard = &history.is(200)["items"][0];
    assert_eq!(
        (&guard["of"], &guard["type"], &guard["change"], &guard["after"]),
        (&json!("guard"), &json!("A"), &json!("added"), &json!({"minimum": 1}))
    );
    assert_eq!((&guard["reason"], &history["items"][1]["of"]), (&json!("safer"), &json!("records")));
    assert_eq!(api.get(&format!("{HISTORY}?name=ns1&type=TXT")).await["items"], json!([]));
}
