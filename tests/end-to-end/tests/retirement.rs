//! A server that was away while retirement ran: what it asks for is not there any more, so it loads everything, and serves
//! nothing that was deleted meanwhile.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use test_support::{Holdfast, Signal, ask_udp, eventually, query};

const GROUP: &str = "/v1/groups/away";

fn put(holdfast: &Holdfast, base: i64, name: &str, last: i64) {
    let set = json!({"name": name, "type": "A", "ttl": 60, "records": [format!("192.0.2.{last}")]});
    admit(holdfast, &json!({"base": base, "zones": {"away.test.": {"upsert": [set]}}}));
}

fn admit(holdfast: &Holdfast, plan: &Value) {
    let admitted = holdfast.post(&format!("{GROUP}/plans?wait=enacted"), plan);
    assert_eq!(admitted.status, 201, "{}", admitted.body);
}

/// Retires all that there is to be retired, with the program's own login.
fn retire(holdfast: &Holdfast, keep: i64) -> String {
    let (owner, password) =
        (holdfast.database_url(), std::fs::read_to_string(holdfast.data().join("passwords/retirement")).unwrap());
    let place = owner.split_once('@').unwrap().1;
    let url = format!("postgresql://holdfast_retirement:{}@{place}", password.trim());
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("holdfast-control-plane");
    let output = Command::new(program)
        .args(["retirement", "--once", "--keep", &keep.to_string(), "--batch", "3", "--rest", "0", "--pause-ms", "0"])
        .env("HOLDFAST_DATABASE_URL", url)
        .env("HOLDFAST_TRACE_MOVES", holdfast.moves_file())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn f12_a_server_that_resumes_below_the_floor_loads_everything() {
    let holdfast = Holdfast::start();
    let zone = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\nold A 192.0.2.2\nwww A 192.0.2.3\n";
    let begun = holdfast.post_text(&format!("{GROUP}/import?zone=away.test.&base=0&wait=served"), zone);
    assert_eq!(begun.status, 201, "{}", begun.body);
    assert_eq!(holdfast.dig_short("old.away.test", "A"), ["192.0.2.2"]);

    holdfast.signal("server", Signal::STOP);
    admit(&holdfast, &json!({"base": 1, "zones": {"away.test.": {"delete": [{"name": "old"}]}}}));
    for base in 2..=12 {
        put(&holdfast, base, "www", base);
    }
    let said = retire(&holdfast, 2);
    assert!(said.contains("retired"), "{said}");
    assert_eq!(holdfast.get(GROUP).json()["floor"], 12);
    holdfast.signal("server", Signal::CONT);

    eventually("the server serves the tip", Duration::from_secs(20), || {
        holdfast.dig_short("www.away.test", "A") == ["192.0.2.12"]
    });
    assert!(
        holdfast.dig_short("old.away.test", "A").is_empty(),
        "its tombstone was retired, and it is gone all the same"
    );
    let log = std::fs::read_to_string(holdfast.data().join("log/server.log")).unwrap();
    assert!(log.contains("loading the group in full"), "{log}");

    // And it goes on from there by increments; started anew, it serves the same.
    put(&holdfast, 13, "www", 77);
    eventually("the server follows", Duration::from_secs(20), || {
        holdfast.dig_short("www.away.test", "A") == ["192.0.2.77"]
    });
    holdfast.signal("server", Signal::KILL);
    eventually("the server is back", Duration::from_secs(30), || {
        let answer = ask_udp(holdfast.dns(), &query("www.away.test.", "A"));
        answer.is_ok_and(|answer| answer.answers.iter().any(|record| record.data.to_string() == "192.0.2.77"))
    });
    assert!(holdfast.dig_short("old.away.test", "A").is_empty());
}
