//! What people look at when something is odd: who lags, and why a name answers what it answers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use test_support::{Holdfast, Options, Signal, eventually};

/// Another server beside that of `holdfast up`, killed when this is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Starts one under this name, with the login of the server that `up` started.
fn another_server(holdfast: &Holdfast, name: &str) -> Server {
    let environment = std::fs::read(format!("/proc/{}/environ", holdfast.pid("server").unwrap())).unwrap();
    let mut variables = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let url = variables.find_map(|one| Some(one.strip_prefix("HOLDFAST_DATABASE_URL=")?.to_owned())).unwrap();
    // Nobody asks this one anything, so it may have any addresses.
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr()).unwrap();
    let (dns, admin): (SocketAddr, SocketAddr) = (free(), free());
    let mut command =
        Command::new(std::path::Path::new(holdfast.command().get_program()).with_file_name("holdfast-server"));
    command.env_clear().env("HOLDFAST_DATABASE_URL", url).env("HOLDFAST_NAME", name);
    command.env("HOLDFAST_DNS", dns.to_string()).env("HOLDFAST_ADMIN", admin.to_string());
    command.env("HOLDFAST_TRACE_MOVES", holdfast.moves_file());
    Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

fn servers(holdfast: &Holdfast) -> Vec<Value> {
    holdfast.get("/v1/servers?group=demo").json()["items"].as_array().unwrap().clone()
}

#[test]
fn f31_the_api_names_the_laggard() {
    let holdfast = Holdfast::start_with(Options { demo: true, ..Options::default() });
    let other = another_server(&holdfast, "slow");
    let tip = holdfast.get("/v1/groups/demo").json()["tip"].as_i64().unwrap();
    let serves = |name: &str, generation: i64| {
        servers(&holdfast)
            .iter()
            .any(|server| server["server"] == name && server["serving"][0]["generation"] == generation)
    };
    eventually("both report what they serve", Duration::from_secs(30), || serves("slow", tip) && serves("server", tip));

    private_postgres::signal(other.0.id(), Signal::STOP);
    let plan = json!({"base": tip, "reason": "more room", "zones": {"shop.example.": {"upsert": [
        {"name": "room", "type": "A", "ttl": 60, "records": ["192.0.2.99"]}]}}});
    let posted = holdfast.post("/v1/groups/demo/plans?wait=served&timeout_s=1", &plan).json();
    assert_eq!(
        (&posted["state"], &posted["reached"], &posted["laggards"]),
        (&json!("enacted"), &json!(false), &json!(["slow"]))
    );

    // For as long as it is taken for live it is a laggard; then it is not live, and everybody else has it.
    let path = format!("/v1/groups/demo/plans/{}", tip + 1);
    eventually("the others serve it", Duration::from_secs(30), || {
        holdfast.get(&path).json()["states"]["fleet"]["state"] == "served"
    });
    let slow = servers(&holdfast).into_iter().find(|server| server["server"] == "slow").unwrap();
    assert_eq!((&slow["live"], &slow["serving"][0]["generation"]), (&json!(false), &json!(tip)));
    let why = holdfast.get("/v1/explain?name=room.shop.example&type=A").json();
    let standing = |why: &Value, name: &str| {
        let servers = why["servers"].as_array().unwrap();
        let one = servers.iter().find(|server| server["server"] == name).unwrap();
        (one["live"] == true, one["standing"].as_str().unwrap().to_owned(), one["same"] == true)
    };
    assert_eq!(standing(&why, "slow"), (false, "lagging".to_owned(), false), "{why:#}");
    assert_eq!(standing(&why, "server"), (true, "current".to_owned(), true), "{why:#}");

    private_postgres::signal(other.0.id(), Signal::CONT);
    eventually("it has caught up", Duration::from_secs(30), || serves("slow", tip + 1));
}

/// What `dig +short` shows, of an explanation: the records of every step, as far as they are an answer.
fn answer(why: &Value) -> Vec<String> {
    let mut records = Vec::new();
    for step in why["steps"].as_array().unwrap() {
        if step["finding"] == "answer" || step["finding"] == "alias" {
            let sets = step["sets"].as_array().unwrap().iter();
            records.extend(
                sets.flat_map(|set| set["records"].as_array().unwrap())
                    .map(|record| record.as_str().unwrap().to_owned()),
            );
        }
    }
    records.sort_unstable();
    records
}

/// The servers find their answers with other code than `explain` does, so the two can only agree by being right, or by the same
/// mistake twice.
#[test]
fn f45_explain_says_what_servers_answer() {
    let holdfast = Holdfast::start();
    let set =
        |name: &str, rtype: &str, record: &str| json!({"name": name, "type": rtype, "ttl": 60, "records": [record]});
    let contents = [
        set("@", "SOA", "ns1 hostmaster 1 3600 900 604800 300"),
        set("@", "NS", "ns1"),
        set("ns1", "A", "192.0.2.53"),
        set("*", "A", "192.0.2.1"),
        set("*.txt", "TXT", "\"x\""),
        set("www", "CNAME", "ns1"),
        set("far", "CNAME", "any.thing"),
        set("away", "CNAME", "www.example.org."),
        set("a.hollow", "AAAA", "2001:db8::1"),
        set("cut", "NS", "ns.cut"),
        set("ns.cut", "A", "192.0.2.2"),
        set("same", "CNAME", "same"),
    ];
    let plan = json!({"base": 0, "zones": {"test.example.": {"replace": contents}}});
    let posted = holdfast.post("/v1/groups/test.example/plans?wait=served", &plan);
    assert_eq!(posted.status, 201, "{}", posted.body);
    for name in [
        "",
        "ns1.",
        "NS1.",
        "any.",
        "any.thing.",
        "txt.",
        "b.txt.",
        "www.",
        "far.",
        "away.",
        "hollow.",
        "a.hollow.",
        "b.hollow.",
        "cut.",
        "b.cut.",
        "ns.cut.",
        "same.",
        "*.",
        "www.www.",
    ] {
        for rtype in ["A", "AAAA", "TXT", "CNAME", "NS", "SOA"] {
            let name = format!("{name}test.example.");
            let why = holdfast.get(&format!("/v1/explain?name={name}&type={rtype}")).json();
            let served = holdfast.ask(&name, rtype);
            let mut records: Vec<String> = served.answers.iter().map(|record| record.data.to_string()).collect();
            records.sort_unstable();
            // Case and quotes are shown in other ways.
            let plain = |records: Vec<String>| {
                records.iter().map(|record| record.to_lowercase().replace('"', "")).collect::<Vec<_>>()
            };
            assert_eq!(plain(answer(&why)), plain(records), "{name} {rtype}: {why:#}");
            let absent = served.metadata.response_code == hickory_proto::op::ResponseCode::NXDomain;
            assert_eq!(why["outcome"] == "no-such-name", absent, "{name} {rtype}: {why:#}");
        }
    }
}
