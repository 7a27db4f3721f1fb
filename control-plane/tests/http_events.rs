//! What happens, as it happens: told at least once, in order, and never missed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use control_plane::http::router;
use http_body_util::BodyExt as _;
use http_support::{ADMIN, Api, request};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use std::collections::VecDeque;
use std::time::Duration;
use tower::ServiceExt as _;

/// A test fails when it has to wait for so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client that follows.
struct Follower {
    body: Body,
    text: String,
    events: VecDeque<(String, Value)>,
    /// The last id.
    id: String,
}

impl Follower {
    async fn of(api: &Api, query: &str, headers: &[(&str, &str)]) -> Self {
        let path = format!("/v1/events?{query}");
        let response =
            router(api.state.clone()).oneshot(request("GET", &path, ADMIN, headers, Body::empty())).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut follower =
            Self { body: response.into_body(), text: String::new(), events: VecDeque::new(), id: String::new() };
        while follower.id.is_empty() {
            assert!(follower.read().await);
        }
        follower
    }

    /// Reads more; whether there was any.
    async fn read(&mut self) -> bool {
        let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("an event in time");
        let Some(frame) = frame else { return false };
        self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        while let Some((event, rest)) = self.text.split_once("\n\n") {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
            if let Some(id) = field("id: ") {
                self.id = id;
            }
            if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                self.events.push_back((name, serde_json::from_str(&data).unwrap()));
            }
            self.text = rest.to_owned();
        }
        true
    }

    /// The next event of one of these kinds.
    async fn next(&mut self, kinds: &[&str]) -> (String, Value) {
        loop {
            while let Some(event) = self.events.pop_front() {
                if kinds.contains(&event.0.as_str()) {
                    return event;
                }
            }
            assert!(self.read().await, "the stream has ended");
        }
    }

    async fn admitted(&mut self) -> i64 {
        self.next(&["admitted"]).await.1["generation"].as_i64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admissions_verdicts_moves_and_acts_are_told_in_order() {
    let api = Api::with_example().await;
    let mut follower = Follower::of(&api, "", &[]).await;
    api.put(1, "a", 1).await.is(201);
    let (_, admitted) = follower.next(&["admitted"]).await;
    assert_eq!(
        (&admitted["group"], &admitted["generation"], &admitted["by"]),
        (&json!("example.com"), &json!(2), &json!("admin"))
    );
    api.run("insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', 2, 'enactor-1' from zone_group").await;
    let (_, moved) = follower.next(&["moved"]).await;
    assert_eq!((&moved["ring"], &moved["generation"], &moved["by"]), (&json!("fleet"), &json!(2), &json!("enactor-1")));
    api.run("call freeze(null, null, 'freeze', 'incident', null, 'alice', null, null)").await;
    let (_, act) = follower.next(&["act"]).await;
    assert_eq!(
        (&act["act"], &act["by"], &act["detail"]["reason"]),
        (&json!("freeze"), &json!("alice"), &json!("incident"))
    );
    let (_, stop) = follower.next(&["stop"]).await;
    assert_eq!((&stop["reason"], &stop["over"]), (&json!("incident"), &Value::Null));
    api.run("call thaw(null, null, 'over', null, 'alice', 0)").await;
    assert_eq!(follower.next(&["stop"]).await.1["over"], true);
    api.run("insert into verdict (zone_group, generation, passed, why, by) select zone_group, 2, false, 'server a was lost', 'enactor-1' from zone_group").await;
    assert_eq!(follower.next(&["failed"]).await.1["why"], "server a was lost");
    api.run("insert into server (server, instance, ring, fault) values ('a', gen_random_uuid(), 'fleet', 'drift')")
        .await;
    let (_, server) = follower.next(&["server"]).await;
    assert_eq!((&server["server"], &server["live"], &server["fault"]), (&json!("a"), &json!(true), &json!("drift")));
}

/// Told as moves:
///
/// 1. a transaction writes a generation, and stays open;
/// 2. another one, with greater numbers, commits, and is told;
/// 3. the first commits: it must be told as well, to who followed all the time and to who was away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_late_is_not_missed() {
    let api = Api::with_example().await;
    let mut slow = PgConnection::connect(api.owner_url()).await.unwrap();
    let mut follower = Follower::of(&api, "", &[]).await;
    let mut transaction = slow.begin().await.unwrap();
    sqlx::query("insert into audit (by, act) values ('slow', 'freeze')").execute(&mut *transaction).await.unwrap();
    api.run("insert into audit (by, act) values ('quick', 'thaw')").await;
    assert_eq!(follower.next(&["act"]).await.1["by"], "quick");
    let id = follower.id.clone();
    transaction.commit().await.unwrap();
    assert_eq!(follower.next(&["act"]).await.1["by"], "slow");
    let mut back = Follower::of(&api, &format!("after={id}"), &[]).await;
    assert_eq!(back.next(&["act"]).await.1["by"], "slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_is_told_what_happened_meanwhile() {
    let api = Api::with_example().await;
    let mut follower = Follower::of(&api, "", &[]).await;
    api.put(1, "a", 1).await.is(201);
    assert_eq!(follower.admitted().await, 2);
    let id = follower.id.clone();
    drop(follower);
    for base in 2..=4 {
        api.put(base, "a", u8::try_from(base).unwrap()).await.is(201);
    }
    let mut back = Follower::of(&api, "after=start", &[("last-event-id", &id)]).await;
    for generation in 3..=5 {
        assert_eq!(back.admitted().await, generation);
    }
    // And goes on from there.
    api.put(5, "a", 9).await.is(201);
    assert_eq!(back.admitted().await, 6);
    let mut from_the_start = Follower::of(&api, "after=start&group=example.com", &[]).await;
    for generation in 1..=6 {
        assert_eq!(from_the_start.admitted().await, generation);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_absence_is_made_up_for_piece_by_piece() {
    let api = Api::with_example().await;
    let follower = Follower::of(&api, "", &[]).await;
    let id = follower.id.clone();
    drop(follower);
    // More than a piece, of every kind; moves of a ring that is alone.
    api.run(
        "insert into audit (by, act) select 'many', 'x' from generate_series(1, 1203);
         insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', 1, 'test' from zone_group",
    )
    .await;
    let mut back = Follower::of(&api, &format!("after={id}"), &[]).await;
    let mut last = 0;
    for _ in 0..1203 {
        let number = back.next(&["act"]).await.1["number"].as_i64().unwrap();
        assert!(number > last, "{number} after {last}");
        last = number;
    }
    assert_eq!(back.next(&["act", "moved"]).await.0, "moved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_nobody_knows_is_told_as_such() {
    let api = Api::with_example().await;
    let follower = Follower::of(&api, "", &[]).await;
    let known: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&follower.id).unwrap()).unwrap();
    let mut base = 1;
    // Of another database or another line of this one's history; and of a future that was lost.
    for (member, value) in [("line", "7.00000002.5"), ("seen", "9000000000:9000000000:")] {
        let mut unknown = known.clone();
        unknown[member] = json!(value);
        let id = URL_SAFE_NO_PAD.encode(unknown.to_string());
        let mut reset = Follower::of(&api, &format!("after={id}"), &[]).await;
        reset.next(&["reset"]).await;
        // And goes on from there.
        api.put(base, "a", 1 + u8::try_from(base).unwrap()).await.is(201);
        base += 1;
        assert_eq!(reset.admitted().await, base);
    }
    for bad in ["after=x", "after=e30", "since=1"] {
        api.get(&format!("/v1/events?{bad}")).await.is_problem(400, "invalid-request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_bounded_and_a_shutdown_ends_their_streams() {
    let api = Api::with_example().await;
    let mut followers = Vec::new();
    for _ in 0..64 {
        followers.push(Follower::of(&api, "", &[]).await);
    }
    api.get("/v1/events").await.is_problem(503, "busy");
    // Who leaves makes room, as soon as there is something to tell them.
    drop(followers.split_off(1));
    api.put(1, "a", 1).await.is(201);
    let mut left = followers.pop().unwrap();
    assert_eq!(left.admitted().await, 2);
    api.shutdown.cancel();
    while left.read().await {}
}
