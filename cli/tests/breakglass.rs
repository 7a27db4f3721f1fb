//! Break-glass: `holdfast breakglass` with everything dead but the database and a DNS server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use test_support::{Holdfast, Options, TestPostgres, eventually};

const SOON: Duration = Duration::from_secs(30);

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// A DNS server alone, at the address where the others had theirs.
fn server_alone(holdfast: &Holdfast, database_url: &str) -> Running {
    let program = Path::new(env!("CARGO_BIN_EXE_holdfast")).with_file_name("holdfast-server");
    assert!(program.is_file(), "build first: cargo build --workspace");
    let mut command = Command::new(program);
    command.args(["--dns", &holdfast.dns().to_string(), "--admin", &holdfast.admin().to_string()]);
    command.args(["--name", "server", "--database-url", database_url]).stderr(Stdio::null());
    command.env("HOLDFAST_TRACE_MOVES", holdfast.moves_file());
    Running(command.spawn().unwrap())
}

struct Ended {
    code: i32,
    out: String,
    err: String,
}

/// `holdfast breakglass …`, as somebody called alice.
fn breakglass(holdfast: &Holdfast, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.arg("breakglass").args(arguments).env_remove("DATABASE_URL").env_remove("SUDO_USER").env("USER", "alice");
    command.env("HOLDFAST_DATA_DIR", holdfast.data()).env("HOLDFAST_TRACE_MOVES", holdfast.moves_file());
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn done(holdfast: &Holdfast, arguments: &[&str]) -> String {
    let ended = breakglass(holdfast, arguments);
    assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.out, ended.err);
    ended.out
}

fn refused(holdfast: &Holdfast, arguments: &[&str]) -> String {
    let ended = breakglass(holdfast, arguments);
    assert_eq!(ended.code, 1, "{arguments:?}: {}{}", ended.out, ended.err);
    ended.err
}

fn put(holdfast: &Holdfast, base: u64, address: &str, wait: &str) {
    let www = json!({"name": "www", "type": "A", "ttl": 60, "records": [address]});
    let zone = if base == 0 {
        json!({"replace": [
            {"name": "@", "type": "SOA", "ttl": 60, "records": ["ns.shop.test. h.shop.test. 1 60 60 60 60"]},
            {"name": "@", "type": "NS", "ttl": 60, "records": ["ns.shop.test."]},
            {"name": "ns", "type": "A", "ttl": 60, "records": ["192.0.2.53"]},
            www,
        ]})
    } else {
        json!({ "upsert": [www] })
    };
    let plan = json!({"base": base, "reason": "by a plan", "zones": {"shop.test.": zone}});
    let posted = holdfast.post(&format!("/v1/groups/shop.test/plans{wait}"), &plan);
    assert_eq!(posted.status, 201, "{}", posted.body);
}

#[test]
fn f26_tools_work_with_api_planner_and_enactors_dead() {
    let postgres = TestPostgres::start_empty_blocking();
    let url = postgres.owner_url().to_owned();
    let mut holdfast = Holdfast::start_with(Options { database_url: Some(url.clone()), ..Options::default() });
    put(&holdfast, 0, "192.0.2.1", "?wait=served");
    let said = done(&holdfast, &["freeze", "shop.test", "--reason", "a drill", "--for", "2h"]);
    assert!(said.contains("frozen: group shop.test in every ring, for 7200 s"), "{said}");
    assert!(said.contains("alice") && said.contains("breakglass thaw shop.test"), "{said}");
    put(&holdfast, 1, "192.0.2.2", "");
    put(&holdfast, 2, "192.0.2.3", "");

    // All programs end with `up`. What is left: Postgres, and a server that somebody starts.
    holdfast.kill_up();
    eventually("its programs are gone", SOON, || {
        ["api", "enactor-1", "enactor-2", "server", "auditor"].iter().all(|name| holdfast.pid(name).is_none())
    });
    let _server = server_alone(&holdfast, &url);
    let www = || holdfast.dig_short("www.shop.test", "A");
    eventually("the server answers", SOON, || {
        holdfast.get_admin("/health/ready").is_some_and(|answer| answer.status == 200)
    });
    assert_eq!(www(), ["192.0.2.1"]);

    eventually("the enactors are seen to be dead", SOON, || {
        let shown = done(&holdfast, &["show"]);
        assert!(shown.contains("fleet 1 (2 behind)") && shown.contains("a drill"), "{shown}");
        shown.matches("NOT LIVE").count() >= 2
    });
    let shown = done(&holdfast, &["show", "shop.test"]);
    assert!(shown.contains("GENERATION") && shown.contains("by a plan"), "{shown}");

    // Frozen means frozen, for break-glass as well.
    let enact = ["enact", "shop.test", "2", "--reason", "the newest that is known to be good"];
    let why = refused(&holdfast, &enact);
    assert!(why.contains("HF022") && why.contains("a drill"), "{why}");
    let said = done(&holdfast, &["thaw", "--all", "--reason", "nothing is stopped like this"]);
    assert!(said.contains("nothing stopped exactly every group") && said.contains("a drill"), "{said}");
    let said = done(&holdfast, &["thaw", "shop.test", "--reason", "the drill is over"]);
    assert!(said.contains("thawed: group shop.test in every ring (1 stop"), "{said}");

    let said = done(&holdfast, &enact);
    assert!(said.contains("shop.test in ring fleet is at generation 2"), "{said}");
    eventually("the server follows", SOON, || www() == ["192.0.2.2"]);
    assert!(done(&holdfast, &enact).contains("already; nothing was changed"));

    // Heads never move back, to what is not there, or without a reason.
    let back = refused(&holdfast, &["enact", "shop.test", "1", "--reason", "back"]);
    assert!(back.contains("heads never move back"), "{back}");
    assert!(refused(&holdfast, &["enact", "shop.test", "9", "--reason", "x"]).contains("23503"));
    assert!(refused(&holdfast, &["enact", "none.test", "2", "--reason", "x"]).contains("there is no group none.test"));
    let unknown = refused(&holdfast, &["freeze", "shop.test", "--ring", "canary", "--reason", "x"]);
    assert!(unknown.contains("there is no ring canary; there are: fleet"), "{unknown}");
    for wanting in
        [&["thaw", "shop.test"][..], &["freeze", "--reason", "x"], &["enact", "shop.test", "2", "--reason", " "]]
    {
        assert_eq!(breakglass(&holdfast, wanting).code, 2, "{wanting:?}");
    }
    assert_eq!(www(), ["192.0.2.2"]);

    // Rolled back, through a freeze: a new generation with the old answers, and still somebody has to move the head there.
    done(&holdfast, &["freeze", "--all", "--reason", "everything stands still"]);
    let said = done(&holdfast, &["rollback", "shop.test", "--to", "1", "--through-freeze", "--reason", "as it was"]);
    assert!(said.contains("generation 4") && said.contains("breakglass enact shop.test 4"), "{said}");
    assert_eq!(www(), ["192.0.2.2"]);
    assert!(refused(&holdfast, &["enact", "shop.test", "3", "--reason", "not this one"]).contains("HF022"));
    done(&holdfast, &["enact", "shop.test", "4", "--reason", "as it was"]);
    eventually("the server follows", SOON, || www() == ["192.0.2.1"]);
    let shown = done(&holdfast, &["show", "shop.test"]);
    assert!(shown.contains("break-glass") && shown.contains("as it was"), "{shown}");
    let again = refused(&holdfast, &["rollback", "shop.test", "--to", "9", "--reason", "x"]);
    assert!(again.contains("above the tip"), "{again}");

    let acts = holdfast.rows("select act, by, detail ->> 'reason' as reason from audit where act in ('freeze', 'thaw', 'enact', 'rollback') order by audit");
    let words: Vec<&str> = acts.iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(words, ["freeze", "thaw", "thaw", "enact", "enact", "freeze", "rollback", "enact"]);
    assert!(acts.iter().all(|act| act["by"].as_str().unwrap().starts_with("alice, as ")), "{acts:?}");
    assert_eq!(acts[3]["reason"], "the newest that is known to be good");
}
