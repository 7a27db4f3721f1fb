//! `wait=enacted|served`: answered when it is so, or at the time-out with how it stands.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{Api, put};
use serde_json::json;
use std::time::{Duration, Instant};

const PLANS: &str = "/v1/groups/example.com/plans";
const MOVE: &str = "insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', max(generation), 'test' from generation group by 1";

/// A server that reports the tip.
fn report(server: &str) -> String {
    format!(
        "insert into server (server, instance, ring) values ('{server}', gen_random_uuid(), 'fleet');
         insert into report (server, instance, zone_group, generation, id)
         select s.server, s.instance, g.zone_group, g.generation, g.id from server s, generation g
         where s.server = '{server}' and g.generation = (select max(generation) from generation)"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_time_out_the_plan_is_admitted_and_told_as_it_stands() {
    let api = Api::with_example().await;
    let started = Instant::now();
    let answer = api.post(&format!("{PLANS}?wait=enacted&timeout_s=1"), &put(1, "a", 1)).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        (&answer.is(201)["state"], &answer["reached"], &answer["ring"]),
        (&json!("admitted"), &json!(false), &json!("fleet"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enacted_is_told_as_soon_as_the_head_is_there() {
    let api = Api::with_example().await;
    let path = format!("{PLANS}?wait=enacted");
    let plan = put(1, "a", 1);
    let enact = async {
        while api.count("generation").await < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        api.run(MOVE).await;
    };
    let started = Instant::now();
    let (answer, ()) = tokio::join!(api.post(&path, &plan), enact);
    assert_eq!((&answer.is(201)["state"], &answer["reached"]), (&json!("enacted"), &json!(true)));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn served_needs_every_live_server_and_at_least_one() {
    let api = Api::with_example().await;
    api.run(MOVE).await;
    // Nobody lives, so nobody serves.
    let nobody = api.post(&format!("{PLANS}?wait=served&timeout_s=0"), &put(1, "ns1", 53)).await;
    assert_eq!((&nobody.is(200)["state"], &nobody["reached"]), (&json!("enacted"), &json!(false)));
    api.run(&report("one")).await;
    let one = api.post(&format!("{PLANS}?wait=served&timeout_s=0"), &put(1, "ns1", 53)).await;
    assert_eq!(
        (&one.is(200)["outcome"], &one["state"], &one["reached"]),
        (&json!("no-op"), &json!("served"), &json!(true))
    );
    api.run("insert into server (server, instance, ring) values ('two', gen_random_uuid(), 'fleet')").await;
    let two = api.post(&format!("{PLANS}?wait=served&timeout_s=0"), &put(1, "ns1", 53)).await;
    assert_eq!((&two.is(200)["state"], &two["laggards"]), (&json!("enacted"), &json!(["two"])));
    // Silent for longer than 3 seconds: not live, so nobody waits for it.
    api.run("update server set seen = now() - interval '4 seconds' where server = 'two'").await;
    let three = api.post(&format!("{PLANS}?wait=served&timeout_s=0"), &put(1, "ns1", 53)).await;
    assert_eq!((&three.is(200)["state"], &three["laggards"]), (&json!("served"), &json!([])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_overtaken_is_superseded() {
    let api = Api::with_example().await;
    api.put(1, "a", 1).await.is(201);
    api.run(MOVE).await;
    let plan = api.get("/v1/groups/example.com/plans/1").await;
    assert_eq!(plan.is(200)["states"]["fleet"]["state"], "superseded");
    let plan = api.get("/v1/groups/example.com/plans/2").await;
    assert_eq!(plan.is(200)["states"]["fleet"]["state"], "enacted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_is_answered_when_the_program_ends() {
    let api = Api::with_example().await;
    let path = format!("{PLANS}?wait=enacted&timeout_s=60");
    let plan = put(1, "a", 1);
    let end = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        api.shutdown.cancel();
    };
    let started = Instant::now();
    let (answer, ()) = tokio::join!(api.post(&path, &plan), end);
    assert_eq!((&answer.is(201)["state"], &answer["reached"]), (&json!("admitted"), &json!(false)));
    assert!(started.elapsed() < Duration::from_secs(10));
}
