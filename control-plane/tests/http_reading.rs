//! What is shown over HTTP: groups, zones, record sets, differences, files, servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use http_support::{Api, put, record_set, whole_zone};
use serde_json::{Value, json};

fn names(answer: &http_support::Answer) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_shows_its_tip_and_heads() {
    let api = Api::with_example().await;
    let group = api.get("/v1/groups/example.com").await;
    assert_eq!(
        (&group.is(200)["tip"], &group["heads"], &group["floor"], &group["frozen"]),
        (&json!(1), &json!({}), &json!(1), &Value::Null)
    );
    api.run("insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', 1, 'test' from zone_group").await;
    let group = api.get("/v1/groups/example.com").await;
    assert_eq!(group["heads"]["fleet"], json!({"generation": 1, "id": group["id"]}));
    assert_eq!(group.headers["etag"], format!("\"{}\"", group["id"].as_str().unwrap()));
    for nowhere in
        ["/v1/groups/nowhere", "/v1/groups/UPPER", "/v1/groups/nowhere/plans", "/v1/groups/nowhere/diff?from=0"]
    {
        api.get(nowhere).await.is_problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_on_where_they_stopped() {
    let api = Api::with_example().await;
    for zone in ["a.example", "b.example", "c.example"] {
        let plan = json!({"base": 0, "zones": {format!("{zone}."): whole_zone(1)}});
        api.post(&format!("/v1/groups/{zone}/plans"), &plan).await.is(201);
    }
    for (path, member) in [("/v1/groups", "group"), ("/v1/zones", "zone")] {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = api.get(&format!("{path}?limit=2{after}")).await;
            found.extend(
                page.is(200)["items"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let stripped: Vec<&str> = found.iter().map(|name| name.trim_end_matches('.')).collect();
        assert_eq!(stripped, ["a.example", "b.example", "c.example", "example.com"]);
    }
    let of_group = api.get("/v1/zones?group=b.example").await;
    assert_eq!(of_group["items"], json!([{"zone": "b.example.", "group": "b.example", "changed_in": 1, "serial": 1}]));
    for bad in ["limit=0", "limit=1001", "limit=x", "offset=1"] {
        api.get(&format!("/v1/groups?{bad}")).await.is_problem(400, "invalid-request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn record_sets_are_shown_as_they_stood() {
    let api = Api::with_example().await;
    api.put(1, "API", 1).await.is(201);
    api.put(2, "api", 2).await.is(201);
    api.post(
        "/v1/groups/example.com/plans",
        &json!({"base": 3, "zones": {"example.com.": {"delete": [{"name": "api"}]}}}),
    )
    .await
    .is(201);
    let api = &api;
    let rrsets = async |query: &str| api.get(&format!("/v1/zones/example.com/rrsets{query}")).await;
    assert_eq!(names(rrsets("").await.is(200)), ["example.com.", "example.com.", "ns1.example.com."]);
    let third = rrsets("?name=api&at=3").await;
    assert_eq!(
        third["items"],
        json!([{"name": "api.example.com.", "type": "A", "ttl": 60, "records": ["192.0.2.2"], "generation": 3}])
    );
    let second = rrsets("?name=api.example.com.&type=a&at=2").await;
    assert_eq!((names(&second)[0], &second["items"][0]["records"]), ("API.example.com.", &json!(["192.0.2.1"])));
    for nothing in ["?name=api", "?name=api&at=1", "?name=api&type=AAAA&at=3", "?type=MX"] {
        assert_eq!(rrsets(nothing).await.is(200)["items"], json!([]), "{nothing}");
    }
    let soa = |answer: &http_support::Answer| {
        answer["items"][0]["records"][0].as_str().unwrap().split(' ').nth(2).unwrap().to_owned()
    };
    assert_eq!(soa(&rrsets("?name=@&type=SOA").await), "4");
    assert_eq!(soa(&rrsets("?name=@&type=SOA&at=2").await), "2");
    rrsets("?at=5").await.is_problem(404, "future-generation");
    rrsets("?at=0").await.is_problem(400, "invalid-request");
    rrsets("?name=a.example.org.").await.is_problem(400, "invalid-request");
    rrsets("?after=nonsense").await.is_problem(400, "invalid-request");
    api.get("/v1/zones/nowhere.example/rrsets").await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zones_are_found_however_they_are_written() {
    let api = Api::with_example().await;
    for (group, zone) in [("classless", "0/25.2.0.192.in-addr.arpa."), ("root", ".")] {
        api.post(&format!("/v1/groups/{group}/plans"), &json!({"base": 0, "zones": {zone: whole_zone(1)}}))
            .await
            .is(201);
    }
    for (path, zone) in [
        ("example.com", "example.com."),
        ("EXAMPLE.com.", "example.com."),
        ("0%2F25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa."),
        ("@root", "."),
    ] {
        assert_eq!(api.get(&format!("/v1/zones/{path}")).await.is(200)["zone"], zone);
    }
    assert_eq!(names(api.get("/v1/zones/@root/rrsets").await.is(200)), [".", ".", "ns1."]);
    assert!(api.get("/v1/zones/@root/file").await.is(200).text.starts_with("$ORIGIN .\n@ "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_are_what_differs_and_no_more() {
    let api = Api::with_example().await;
    api.put(1, "a", 1).await.is(201);
    api.put(2, "b", 1).await.is(201);
    let plan = json!({"base": 3, "zones": {"example.com.": {
        "upsert": [record_set("b", "A", &["192.0.2.2"]), record_set("c", "TXT", &["\"x y\""])], "delete": [{"name": "a"}]}}});
    api.post("/v1/groups/example.com/plans", &plan).await.is(201);
    let api = &api;
    let diff = async |query: &str| api.get(&format!("/v1/groups/example.com/diff?{query}")).await;
    let kinds = |answer: &http_support::Answer| -> Vec<String> {
        let item = |item: &Value| format!("{} {}", item["change"].as_str().unwrap(), item["name"].as_str().unwrap());
        answer["items"].as_array().unwrap().iter().map(item).collect()
    };
    assert_eq!(
        kinds(diff("from=3").await.is(200)),
        ["deleted a.example.com.", "replaced b.example.com.", "added c.example.com."]
    );
    // Put and taken away again since: nothing differs.
    assert_eq!(kinds(diff("from=1&to=4").await.is(200)), ["added b.example.com.", "added c.example.com."]);
    assert_eq!(kinds(diff("from=4").await.is(200)), Vec::<String>::new());
    let first = diff("from=3&limit=1").await;
    let rest = diff(&format!("from=3&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!(kinds(&rest), ["replaced b.example.com.", "added c.example.com."]);
    let replaced = &rest["items"][0];
    assert_eq!(replaced["before"], json!({"ttl": 60, "records": ["192.0.2.1"]}));
    assert_eq!(replaced["after"], json!({"ttl": 60, "records": ["192.0.2.2"]}));
    assert_eq!(api.get("/v1/groups/example.com/plans/4").await.is(200)["diff"]["items"][0]["change"], "deleted");
    diff("from=3&to=2").await.is_problem(400, "invalid-request");
    diff("to=2").await.is_problem(400, "invalid-request");
    diff("from=0&to=9").await.is_problem(404, "future-generation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_that_was_set_is_a_difference_of_the_soa() {
    let api = Api::with_example().await;
    let soa = record_set("@", "SOA", &["ns1 hostmaster 2026010100 3600 900 604800 300"]);
    let plan = json!({"base": 1, "zones": {"example.com.": {"upsert": [soa]}}});
    api.post("/v1/groups/example.com/plans", &plan).await.is(201);
    let diff = api.get("/v1/groups/example.com/diff?from=1").await;
    let serial =
        |side: &str| diff["items"][0][side]["records"][0].as_str().unwrap().split(' ').nth(2).unwrap().to_owned();
    assert_eq!(diff.is(200)["items"].as_array().unwrap().len(), 1, "{}", diff.text);
    assert_eq!((serial("before"), serial("after")), ("1".to_owned(), "2026010100".to_owned()));
    api.put(2, "a", 1).await.is(201);
    assert_eq!(api.get("/v1/zones/example.com").await["serial"], 2_026_010_101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_goes_out_as_a_file_and_comes_back_the_same() {
    let api = Api::with_example().await;
    let sets = [
        record_set("WwW", "A", &["192.0.2.1", "192.0.2.2"]),
        record_set("*", "TXT", &[r#""a\"b;c" "\000\255""#]),
        record_set("_sip._tcp", "SRV", &["0 5 5060 ns1"]),
        record_set("x", "TYPE65280", &[r"\# 3 010203"]),
    ];
    api.post("/v1/groups/example.com/plans", &json!({"base": 1, "zones": {"example.com.": {"upsert": sets}}}))
        .await
        .is(201);
    let file = api.get("/v1/zones/example.com/file").await;
    assert_eq!(file.is(200).headers["content-type"], "text/dns; charset=utf-8");
    assert!(file.text.starts_with("$ORIGIN example.com.\n@ ") && file.text.lines().nth(1).unwrap().contains("SOA"));
    assert_eq!(file.text.matches("$ORIGIN").count(), 1);
    let same = api.import("zone=example.com&base=2", &file.text).await;
    assert_eq!(same.is(200)["outcome"], "no-op");
    let other = file.text.replace("192.0.2.2", "192.0.2.3");
    let imported = api.import("zone=example.com.&base=2&reason=moved", &other).await;
    assert_eq!(imported.is(201)["changes"], json!({"added": 0, "replaced": 1, "deleted": 0, "absent": 0}));
    assert_eq!(api.get("/v1/groups/example.com/plans/3").await["reason"], "moved");
    assert_eq!(api.get("/v1/zones/example.com/file?at=2").await.text, file.text);
    assert!(!api.get("/v1/zones/example.com/file?at=1").await.is(200).text.contains("WwW"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_zone_file_is_refused_with_every_line() {
    let api = Api::with_example().await;
    let file = "$TTL 60\n@ SOA ns1 h 9 1 1 1 1\n@ NS ns1\na A 192.0.2.999\nb CNAME\nwww.example.org. A 192.0.2.1\n$INCLUDE x\n";
    let answer = api.import("zone=example.com&base=1", file).await;
    let places = answer.is_problem(422, "invalid-plan").places().join("; ");
    for line in ["line 4, column", "line 5, column", "line 7, column"] {
        assert!(places.contains(line), "{places}");
    }
    let outside = api
        .import("zone=example.com&base=1", "$TTL 60\n@ SOA ns1 h 9 1 1 1 1\n@ NS ns1\nwww.example.org. A 192.0.2.1\n")
        .await;
    assert_eq!(outside.is_problem(422, "invalid-plan")["violations"][0]["place"], "line 4");
    let mut places = api
        .import("base=x&acknowledge=nonsense&acknowledge=nope:because", file)
        .await
        .is_problem(400, "invalid-request")
        .places()
        .join("; ");
    places.push_str(&api.import("zone=&base=1", file).await.is_problem(400, "invalid-request").places().join("; "));
    assert_eq!(places, "query zone; query base; query acknowledge; query acknowledgequery zone");
    assert_eq!(api.count("plan").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_and_enactors_are_shown_with_their_ages() {
    let api = Api::with_example().await;
    api.run(
        "insert into server (server, instance, ring) values ('ns1', gen_random_uuid(), 'fleet'), ('ns2', gen_random_uuid(), 'fleet');
         update server set seen = now() - interval '10 seconds', fault = 'broken' where server = 'ns2';
         insert into report (server, instance, zone_group, generation, id)
         select s.server, s.instance, g.zone_group, g.generation, g.id from server s, generation g where s.server = 'ns1';
         insert into enactor (enactor, instance) values ('enactor-1', gen_random_uuid())",
    )
    .await;
    let servers = api.get("/v1/servers").await;
    let items = servers.is(200)["items"].as_array().unwrap();
    assert_eq!(
        (items[0]["live"].as_bool(), items[1]["live"].as_bool(), &items[1]["fault"]),
        (Some(true), Some(false), &json!("broken"))
    );
    assert_eq!(
        (&items[0]["serving"][0]["group"], &items[0]["serving"][0]["generation"]),
        (&json!("example.com"), &json!(1))
    );
    assert!(items[1]["seen_age_ms"].as_i64().unwrap() >= 10_000);
    let second = api.get("/v1/servers?limit=1").await;
    let second = api.get(&format!("/v1/servers?after={}", second["next"].as_str().unwrap())).await;
    assert_eq!(second["items"][0]["server"], "ns2");
    assert_eq!(api.get("/v1/enactors").await.is(200)["items"][0]["live"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_says_whether_it_is_ready_and_what_it_counted() {
    let api = Api::with_example().await;
    api.get("/health/ready").await.is(200);
    api.post("/v1/groups/example.com/plans", &put(9, "a", 1)).await.is(409);
    let metrics = api.get("/metrics").await;
    for line in [
        r#"holdfast_plans_total{outcome="admitted"} 1"#,
        r#"holdfast_plans_total{outcome="refused"} 1"#,
        r#"holdfast_api_requests_total{method="POST",route="/v1/groups/{group}/plans",status="409"} 1"#,
    ] {
        assert!(metrics.is(200).text.contains(line), "{line} is missing");
    }
}
