//! Real runs tell their moves, and the model judges them. (As it does at the end of every test here; these look closer.)

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use model::trace::{Summary, check};
use move_trace::{At, Line, Move, When};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;
use test_support::{AnotherServer, Holdfast, eventually};

/// Generous: a trial takes three heartbeats and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);
const GROUP: &str = "/v1/groups/shop.test";

fn program(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join(name)
}

fn post(holdfast: &Holdfast, path: &str, body: &Value) -> Value {
    let answer = holdfast.post(&format!("{GROUP}{path}"), body);
    assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.body);
    answer.json()
}

fn www(last: i64) -> Value {
    json!([{"name": "www", "type": "A", "ttl": 60, "records": [format!("192.0.2.{last}")]}])
}

/// Gives `www` the address of the generation that this makes.
fn put(holdfast: &Holdfast, base: i64) {
    post(holdfast, "/plans", &json!({"base": base, "zones": {"shop.test.": {"upsert": www(base + 1)}}}));
}

fn begin(holdfast: &Holdfast) {
    let mut sets = vec![
        json!({"name": "@", "type": "SOA", "ttl": 60, "records": ["ns h 1 60 60 60 60"]}),
        json!({"name": "@", "type": "NS", "ttl": 60, "records": ["ns"]}),
        json!({"name": "ns", "type": "A", "ttl": 60, "records": ["192.0.2.53"]}),
    ];
    sets.extend(www(1).as_array().unwrap().iter().cloned());
    post(holdfast, "/plans?wait=served", &json!({"base": 0, "zones": {"shop.test.": {"replace": sets}}}));
}

/// Retires all but the tip, with the program's own login.
fn retire(holdfast: &Holdfast, trace: &str) -> Output {
    let password = std::fs::read_to_string(holdfast.data().join("passwords/retirement")).unwrap();
    let owner = holdfast.database_url();
    let url = format!("postgresql://holdfast_retirement:{}@{}", password.trim(), owner.split_once('@').unwrap().1);
    let mut command = Command::new(program("holdfast-control-plane"));
    command.args(["retirement", "--once", "--keep", "1", "--rest", "0", "--pause-ms", "0"]);
    let output = command.env("HOLDFAST_DATABASE_URL", url).env("HOLDFAST_TRACE_MOVES", trace).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn serves(holdfast: &Holdfast, canary: &AnotherServer, last: i64) -> bool {
    let answers = [canary.ask("www.shop.test.", "A").ok(), Some(holdfast.ask("www.shop.test.", "A"))];
    answers.into_iter().all(|answer| {
        let data = answer.and_then(|answer| Some(answer.answers.first()?.data.to_string()));
        data == Some(format!("192.0.2.{last}"))
    })
}

/// The trace with some of its lines changed.
fn forged(text: &str, change: impl Fn(&mut Line) -> bool) -> String {
    let mut changed = 0;
    let lines = text.lines().map(|line| {
        let mut line: Line = serde_json::from_str(line).unwrap();
        changed += usize::from(change(&mut line));
        serde_json::to_string(&line).unwrap() + "\n"
    });
    let text = lines.collect();
    assert!(changed > 0, "there is no such line");
    text
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let violations = check(text).unwrap_err();
    assert!(violations.iter().any(|one| one.why.contains(why)), "{why}: {violations:?}");
}

#[test]
fn f47_a_real_run_is_judged_by_what_it_told_and_a_forged_line_is_refused() {
    let holdfast = Holdfast::start();
    begin(&holdfast);
    holdfast.execute("call set_ring('canary', true, '0', '0', 1, 'prove first', null, 'test')").unwrap();
    let canary = holdfast.another_server("canary-1", "canary");
    let all_serve = |last| eventually("both rings serve it", PATIENCE, || serves(&holdfast, &canary, last));
    all_serve(1);
    put(&holdfast, 1);
    all_serve(2);
    let reason = json!({"reason": "a drill"});
    post(&holdfast, "/freeze", &reason);
    put(&holdfast, 2);
    // Long enough for every enactor to look.
    std::thread::sleep(Duration::from_secs(2));
    assert!(serves(&holdfast, &canary, 2), "a head moved");
    post(&holdfast, "/thaw", &reason);
    all_serve(3);
    post(&holdfast, "/rollback", &json!({"to": 1, "base": 3, "reason": "as it was"}));
    all_serve(1);
    let both_at_4 = || {
        let heads = holdfast.get(GROUP).json()["heads"].clone();
        ["canary", "fleet"].iter().all(|ring| heads[ring]["generation"] == 4)
    };
    eventually("all is told", PATIENCE, both_at_4);
    retire(&holdfast, holdfast.moves_file().to_str().unwrap());

    // Who moved or installed has told of it before anybody sees it, but for the very last lines.
    let expected = |told: &Summary| {
        let Summary { runs, admitted, moved, judged, raised, stops, installed } = *told;
        // Both enactors may have told of one verdict.
        (runs, admitted, moved, raised, stops, installed) == (8, 4, 8, 1, 2, 8) && judged >= 4
    };
    eventually("the trace tells what happened", PATIENCE, || expected(&holdfast.moves_judged().unwrap()));

    let text = std::fs::read_to_string(holdfast.moves_file()).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let admitted = lines.iter().find_map(|line| match &line.what {
        Move::Admit { to, .. } if to.generation == 1 => Some(to.clone()),
        _ => None,
    });
    let first = admitted.unwrap();
    let other_id = forged(&text, |line| match &mut line.what {
        Move::Install { to: At { generation: 4, id }, .. } => {
            *id = "ee".repeat(32);
            true
        }
        _ => false,
    });
    refused(&other_id, "never admitted with that id");
    let back = forged(&text, |line| match &mut line.what {
        Move::Install { to, .. } if to.generation == 3 => {
            *to = first.clone();
            true
        }
        _ => false,
    });
    refused(&back, "the server goes back, from 2 to 1");
    let unproved = forged(&text, |line| match &mut line.what {
        Move::Judge { generation: 2, passed, .. } => std::mem::replace(passed, false),
        _ => false,
    });
    refused(&unproved, "which has not passed");
    let frozen = forged(&text, |line| match &mut line.what {
        Move::Thaw { ring, .. } => {
            *ring = Some("elsewhere".to_owned());
            true
        }
        _ => false,
    });
    refused(&frozen, "after a freeze was acknowledged");
    let floor = forged(&text, |line| match &mut line.what {
        Move::RaiseFloor { floor, .. } => {
            *floor = 5;
            true
        }
        _ => false,
    });
    refused(&floor, "no generation that was admitted");

    // One line in another's place: a server installs before anybody was about to move the head.
    let place = |is: &dyn Fn(&Line) -> bool| lines.iter().position(is).unwrap();
    let about =
        place(&|line| matches!(&line.what, Move::MoveHead { to, ring, .. } if to.generation == 4 && ring == "fleet"));
    let install =
        place(&|line| matches!(&line.what, Move::Install { to, ring, .. } if to.generation == 4 && ring == "fleet"));
    assert!(about < install && lines[about].when == When::About, "{about} {install}");
    let mut swapped: Vec<&str> = text.lines().collect();
    swapped.swap(about, install);
    refused(&(swapped.join("\n") + "\n"), "nobody moved the head of ring fleet to generation 4");
}

#[test]
fn f47_a_door_that_does_not_tell_fails_the_test_that_uses_it() {
    let holdfast = Holdfast::start();
    begin(&holdfast);
    put(&holdfast, 1);
    let mut breakglass = Command::new(program("holdfast"));
    breakglass.args(["breakglass", "rollback", "shop.test", "--to", "1", "--reason", "told to nobody"]);
    breakglass.env_remove("DATABASE_URL").env_remove("HOLDFAST_TRACE_MOVES");
    let ended = breakglass.env("HOLDFAST_DATA_DIR", holdfast.data()).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    eventually("the head moves there", PATIENCE, || holdfast.get(GROUP).json()["heads"]["fleet"]["generation"] == 3);
    let panic = catch_unwind(AssertUnwindSafe(|| drop(holdfast))).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("generation 3 of group shop.test was never admitted with that id"), "{said}");
    assert!(said.contains("the database holds what nobody told"), "{said}");
    let kept = said.split("kept as ").nth(1).and_then(|rest| rest.split(".jsonl:").next()).unwrap();
    std::fs::remove_file(format!("{kept}.jsonl")).unwrap();
}

#[test]
fn f47_a_trace_that_cannot_be_written_stops_nobody_and_is_seen() {
    let holdfast = Holdfast::start();
    begin(&holdfast);
    put(&holdfast, 1);
    eventually("the head moves there", PATIENCE, || holdfast.get(GROUP).json()["heads"]["fleet"]["generation"] == 2);
    // Every write there fails.
    let said = String::from_utf8(retire(&holdfast, "/dev/full").stderr).unwrap();
    assert_eq!(said.matches("HOLDFAST_TRACE_MOVES: ").count(), 1, "said once: {said}");
    let said = String::from_utf8(retire(&holdfast, "/nowhere/moves").stderr).unwrap();
    assert!(said.contains("HOLDFAST_TRACE_MOVES: cannot append to /nowhere/moves"), "{said}");
    assert_eq!(holdfast.get(GROUP).json()["floor"], 2, "the floor rose all the same");
}
