//! The database goes back in time, under the running programs: a backup is restored, twice.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use private_postgres::Installation;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use test_support::{Answer, Holdfast, ask_udp, eventually, query};

const GROUP: &str = "/v1/groups/shop.test";
const PLANS: &str = "/v1/groups/shop.test/plans";
const EPOCH: i64 = 1_000_000_000;
const SOON: Duration = Duration::from_secs(60);

fn program(name: &str) -> PathBuf {
    let newest = Installation::all().into_iter().next().expect("a Postgres installation");
    newest.program(name)
}

/// The superuser's address of another database.
fn of_database(holdfast: &Holdfast, database: &str) -> String {
    let url = holdfast.superuser_url();
    let (before, options) = url.split_once('?').map_or((url.as_str(), ""), |(before, options)| (before, options));
    let place = before.rsplit_once('/').unwrap().0;
    if options.is_empty() { format!("{place}/{database}") } else { format!("{place}/{database}?{options}") }
}

fn database(holdfast: &Holdfast) -> String {
    holdfast.rows("select current_database() as name")[0]["name"].as_str().unwrap().to_owned()
}

fn run(command: &mut Command) {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

fn back_up(holdfast: &Holdfast, file: &Path) {
    run(Command::new(program("pg_dump")).args(["--format=custom", "--file"]).arg(file).arg(holdfast.superuser_url()));
}

/// The backup is made ready beside the database, and takes its place in a moment. All programs go on running.
fn restore(holdfast: &Holdfast, file: &Path) {
    let name = database(holdfast);
    let admin = of_database(holdfast, "postgres");
    let say = |statement: &str| {
        run(Command::new(program("psql")).args([
            "--quiet",
            "--no-psqlrc",
            "-v",
            "ON_ERROR_STOP=1",
            "--command",
            statement,
            &admin,
        ]));
    };
    let owner = holdfast.rows("select current_user as name")[0]["name"].as_str().unwrap().to_owned();
    say(&format!("create database restored owner \"{owner}\" template template0"));
    run(Command::new(program("pg_restore"))
        .arg("--exit-on-error")
        .arg("--dbname")
        .arg(of_database(holdfast, "restored"))
        .arg(file));
    say(&format!("drop database \"{name}\" with (force)"));
    // Nobody reaches either of them here.
    holdfast.tell_restored();
    say(&format!("alter database restored rename to \"{name}\""));
}

fn www(base: i64, last: u32) -> Value {
    json!({"base": base, "zones": {"shop.test.": {"upsert": [
        {"name": "www", "type": "A", "ttl": 60, "records": [address(last)]}]}}})
}

fn address(last: u32) -> String {
    format!("192.0.{}.{}", last / 256, last % 256)
}

fn tip(holdfast: &Holdfast) -> i64 {
    holdfast.get(GROUP).json()["tip"].as_i64().unwrap()
}

/// Tells the asker that it is over, also when this thread panics: else the scope would wait for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Posts, and again while the API finds out that its connections are of a database that is gone.
fn post(holdfast: &Holdfast, path: &str, body: &Value) -> Answer {
    let mut answer = holdfast.post(path, body);
    eventually("the API has connections again", SOON, || {
        let is_away = answer.status == 503;
        if is_away {
            answer = holdfast.post(path, body);
        }
        !is_away
    });
    answer
}

/// Admits `count` plans, the last one's address being `last`, and waits until that is served.
fn go_on(holdfast: &Holdfast, count: u32, last: u32) -> i64 {
    let mut base = tip(holdfast);
    for step in (0..count).rev() {
        let wait = if step == 0 { "?wait=served&timeout_s=60" } else { "" };
        let answer = post(holdfast, &format!("{PLANS}{wait}"), &www(base, last - step));
        assert_eq!(answer.status, 201, "{}", answer.body);
        base = answer.json()["generation"].as_i64().unwrap();
        assert!(step > 0 || answer.json()["reached"] == true, "{}", answer.body);
    }
    base
}

fn served(holdfast: &Holdfast) -> String {
    holdfast.dig_short("www.shop.test", "A").join(" ")
}

fn serial(holdfast: &Holdfast) -> u32 {
    holdfast.dig_short("shop.test", "SOA")[0].split(' ').nth(2).unwrap().parse().unwrap()
}

fn is_refused(holdfast: &Holdfast) -> bool {
    let metrics = holdfast.get_admin("/metrics").map(|answer| answer.body).unwrap_or_default();
    metrics
        .lines()
        .any(|line| line.starts_with("holdfast_server_group_refused{group=\"shop.test\"") && line.ends_with(" 1"))
}

fn is_behind(holdfast: &Holdfast) -> bool {
    // While the database is away this is a problem, and no group.
    let group = holdfast.get(GROUP).json();
    group["frozen"].as_array().into_iter().flatten().any(|stop| stop["kind"] == "history-behind")
}

/// Takes away what was reported, and what came of it. The server says it again within a second.
fn unfreeze(holdfast: &Holdfast) {
    let unfreeze =
        "set session_replication_role = replica; delete from report; delete from stop where kind = 'history-behind'";
    holdfast.execute_as_superuser(unfreeze).unwrap();
}

/// What a fault of the guard would look like: a group grows a fork although servers have reported. Only a superuser can.
fn grow_a_fork(holdfast: &Holdfast, upto: i64) {
    unfreeze(holdfast);
    let mut base = tip(holdfast);
    while base < upto {
        let answer = post(holdfast, PLANS, &www(base, 60_000 + u32::try_from(base % 1_000).unwrap()));
        if answer.status == 423 {
            unfreeze(holdfast);
            continue;
        }
        assert_eq!(answer.status, 201, "{}", answer.body);
        base = answer.json()["generation"].as_i64().unwrap();
    }
}

#[test]
fn f08_a_restored_database_moves_no_server_back_nor_onto_a_fork_and_a_raised_epoch_heals() {
    let holdfast = Holdfast::start();
    let begun = post(
        &holdfast,
        &format!("{PLANS}?wait=served"),
        &json!({"base": 0, "zones": {"shop.test.": {"replace": [
        {"name": "@", "type": "SOA", "ttl": 60, "records": ["ns h 1 60 60 60 60"]},
        {"name": "@", "type": "NS", "ttl": 60, "records": ["ns"]},
        {"name": "ns", "type": "A", "ttl": 60, "records": ["192.0.2.53"]},
        {"name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.1"]}]}}}),
    );
    assert_eq!(begun.status, 201, "{}", begun.body);
    go_on(&holdfast, 9, 10);
    let backup = holdfast.data().join("backup");
    let mut wanted = 10;
    for round in 1..=2_i64 {
        back_up(&holdfast, &backup);
        let backed_up = wanted;
        let old_base = tip(&holdfast);
        let old_id = holdfast.get(GROUP).json()["id"].clone();
        wanted += 50;
        let lost_tip = go_on(&holdfast, 50, wanted);
        let serial_before = serial(&holdfast);

        // From here on somebody asks all the time, and only ever hears the newest.
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| {
                let mut asked = 0;
                while !done.load(Ordering::SeqCst) {
                    let answer = ask_udp(holdfast.dns(), &query("www.shop.test.", "A")).unwrap();
                    let text = answer.answers.first().map(|record| record.data.to_string());
                    assert_eq!(text, Some(address(wanted)), "round {round}: {answer:?}");
                    asked += 1;
                }
                asked
            });
            let over = Over(&done);
            restore(&holdfast, &backup);
            eventually("the report freezes the group", SOON, || is_behind(&holdfast));
            assert_eq!(tip(&holdfast), old_base);
            // Neither on the old line nor on the restored one is anything admitted.
            let refused = post(&holdfast, PLANS, &www(old_base, 9));
            assert_eq!((refused.status, refused.problem().as_str()), (423, "history-behind"), "{}", refused.body);
            let refused = post(&holdfast, PLANS, &www(lost_tip, 9));
            assert_eq!((refused.status, refused.problem().as_str()), (409, "unknown-base"), "{}", refused.body);
            let through = json!({"to": old_base - 1, "base": old_base, "reason": "x", "through_freeze": true});
            let refused = post(&holdfast, &format!("{GROUP}/rollback"), &through);
            assert_eq!((refused.status, refused.problem().as_str()), (423, "history-behind"), "{}", refused.body);
            let thawed = post(&holdfast, &format!("{GROUP}/thaw"), &json!({"reason": "x"})).json();
            assert_eq!((&thawed["thawed"], &thawed["stopped"][0]["kind"]), (&json!(0), &json!("history-behind")));

            // Even a fork that grows is followed by nobody: not below what servers hold, nor at it, nor above.
            for upto in [lost_tip - 1, lost_tip, lost_tip + 5] {
                grow_a_fork(&holdfast, upto);
                eventually("a head stands on the fork", SOON, || {
                    unfreeze(&holdfast);
                    holdfast.get(GROUP).json()["heads"]["fleet"]["generation"] == upto
                });
                eventually("the server refuses it", SOON, || is_refused(&holdfast));
                assert_eq!(served(&holdfast), address(wanted), "round {round}: at {upto}");
            }
            drop(over);
            assert!(asker.join().unwrap() > 100);
        });

        // What heals.
        let raised = post(&holdfast, "/v1/epoch/raise", &json!({"reason": "restored"}));
        assert_eq!((raised.status, &raised.json()["failed"]), (200, &json!([])), "{}", raised.body);
        assert_eq!(raised.json()["raised"][0]["generation"], round * EPOCH, "{}", raised.body);
        let fork = address(60_000 + u32::try_from((lost_tip + 4) % 1_000).unwrap());
        eventually("servers follow again", SOON, || served(&holdfast) == fork);
        assert!(serial(&holdfast) > serial_before, "{} after {serial_before}", serial(&holdfast));
        eventually("nothing is stopped any more", SOON, || holdfast.get(GROUP).json()["frozen"].is_null());

        // A client of the old line is told, with and without the id; and life goes on.
        for base_id in [Value::Null, old_id] {
            let mut stale = www(lost_tip, 9);
            stale["base_id"] = base_id;
            let refused = post(&holdfast, PLANS, &stale);
            assert_eq!((refused.status, refused.problem().as_str()), (409, "unknown-base"), "{}", refused.body);
        }
        wanted = backed_up + 50;
        go_on(&holdfast, 1, wanted);
        assert_eq!(served(&holdfast), address(wanted));
    }
}
