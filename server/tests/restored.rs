//! A database that went back in time: nobody follows its fork, and a raised epoch heals.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::snapshot::ZoneNumber;
use sqlx::Row;
use std::process::Command;
use support::postgres::{Postgres, run};
use support::program::{Program, eventually};
use support::wire::{Question, to_text};
use support::{Change, History, changes_of, name_of, put};
use zone_model::{Content, Key, RecordType, Serial};

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n";
/// When the backup was made.
const BACKED_UP_AT: usize = 5;
/// What was in force when the database was lost.
const LOST_AT: usize = 55;
const EPOCH: i64 = 1_000_000_000;

fn history(group: i64, zone: &str) -> History {
    let mut history = History::new(group, &[(group, zone), (group + 100, "later.test.")]);
    let mut changes = changes_of(ZoneNumber(group), &name_of(zone), ZONE);
    changes.retain(|(_, key, _)| *key != Key::Serial);
    history.admit(changes);
    history
}

fn www(address: u8, line: &str) -> Vec<Change> {
    vec![put(1, "www.example.", RecordType::A, 300, &[&format!("192.0.{line}.{address}")])]
}

fn answer(program: &Program, owner: &str, rtype: RecordType) -> String {
    to_text(&program.ask_udp(&Question::new(&name_of(owner), rtype).to_wire()))
}

fn is_served(program: &Program, address: &str) -> bool {
    answer(program, "www.example.", RecordType::A).contains(&format!(" A {address}\n"))
}

fn is_refused(program: &Program, why: &str) -> bool {
    let line = format!("holdfast_server_group_refused{{group=\"group-1\",outcome=\"{why}\"}} 1");
    program.get("/metrics").1.contains(&line)
}

fn polled_again(program: &Program) {
    let count = || {
        let metrics = program.get("/metrics").1;
        let lines = metrics.lines().filter(|line| line.starts_with("holdfast_server_installs_total"));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    let before = count();
    eventually("another look", || count() > before);
}

fn signal(program: &Program, signal: &str) {
    assert!(Command::new("kill").args([signal, &program.pid().to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn f08_a_restored_database_moves_nobody_and_a_raised_epoch_heals_twice() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut old = history(1, "example.");
    while old.tip() < BACKED_UP_AT {
        old.admit(www(1 + u8::try_from(old.tip()).unwrap(), "2"));
    }
    postgres.write(&old, 0).await;
    let mut restored = old.clone();
    postgres.back_up().await;
    let mut other = history(2, "example.org.");
    let here = Program::start(&postgres.url(), "here");
    let away = Program::start(&postgres.url(), "away");
    while old.tip() < LOST_AT {
        old.admit(www(1 + u8::try_from(old.tip()).unwrap(), "2"));
    }
    // A zone that the backup knows nothing of.
    old.admit(changes_of(ZoneNumber(101), &name_of("later.test."), ZONE));
    postgres.write(&old, BACKED_UP_AT).await;
    for program in [&here, &away] {
        eventually("the newest generation", || is_served(program, "192.0.2.55"));
        eventually("the newest zone", || {
            answer(program, "later.test.", RecordType::NS).contains(" NS ns1.later.test.")
        });
    }
    signal(&away, "-STOP");

    // Back in time. The head is below what is held.
    postgres.restore().await;
    postgres.write(&other, 0).await;
    eventually("the older head is refused", || is_refused(&here, "older"));
    // The fork grows: below what is held, up to its very number, and above it.
    while restored.tip() < LOST_AT {
        restored.admit(www(1 + u8::try_from(restored.tip()).unwrap(), "3"));
    }
    postgres.write_by_force(&restored, BACKED_UP_AT).await;
    polled_again(&here);
    assert!(is_refused(&here, "older") && is_served(&here, "192.0.2.55"));
    restored.admit(www(56, "3"));
    assert_eq!(restored.tip(), old.tip());
    postgres.write_by_force(&restored, LOST_AT).await;
    eventually("the same number is refused", || is_refused(&here, "fork"));
    restored.admit(www(57, "3"));
    postgres.write_by_force(&restored, LOST_AT + 1).await;
    other.admit(vec![put(2, "www.example.org.", RecordType::A, 300, &["192.0.2.9"])]);
    postgres.write(&other, 1).await;
    // The one that was away finds the head above what it holds, and that only.
    signal(&away, "-CONT");
    for program in [&here, &away] {
        eventually("the other group goes on", || {
            answer(program, "www.example.org.", RecordType::A).contains("192.0.2.9")
        });
        eventually("the number above is refused", || is_refused(program, "fork"));
        polled_again(program);
        assert!(is_served(program, "192.0.2.55"));
        assert!(answer(program, "later.test.", RecordType::NS).contains(" NS ns1.later.test."));
    }
    let mut owner = postgres.owner().await;
    for tries in 0.. {
        let faults = "select count(*) from server join report using (server, instance) \
                      where fault like 'group group-1: %a fork' and zone_group = 1 and generation = 56";
        let said: i64 = sqlx::query(faults).fetch_one(&mut owner).await.unwrap().get(0);
        if said == 2 {
            break;
        }
        assert!(tries < 500, "both say that they hold another history");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    // A raised epoch ends the fork, and with it what the old line had and this one has not.
    signal(&away, "-STOP");
    let serial = |number| (ZoneNumber(1), Key::Serial, Some(Content::Serial(Serial(number))));
    restored.admit_as(EPOCH, vec![serial(58)]);
    postgres.write_by_force(&restored, LOST_AT + 2).await;
    eventually("the raised generation", || is_served(&here, "192.0.3.57"));
    assert!(answer(&here, "example.", RecordType::SOA).contains(" 58 3600 "));
    assert!(answer(&here, "later.test.", RecordType::NS).starts_with("REFUSED"));
    eventually("nothing is refused any more", || !here.get("/metrics").1.contains("group_refused{"));

    // Twice in a row, and for one that saw neither the first nor the fork's end.
    restored.admit(www(58, "3"));
    restored.admit_as(2 * EPOCH, vec![serial(60)]);
    restored.admit(www(59, "3"));
    postgres.write_by_force(&restored, LOST_AT + 3).await;
    signal(&away, "-CONT");
    for program in [&here, &away] {
        eventually("the second raise", || is_served(program, "192.0.3.59"));
        assert!(answer(program, "example.", RecordType::SOA).contains(" 61 3600 "));
        eventually("no refusals", || !program.get("/metrics").1.contains("group_refused{"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_below_the_floor_loads_everything() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history(1, "example.");
    postgres.write(&history, 0).await;
    let program = Program::start(&postgres.url(), "away");
    program.wait_ready();
    signal(&program, "-STOP");
    history.admit(vec![put(1, "new.example.", RecordType::A, 300, &["192.0.2.7"])]);
    history.admit(vec![support::gone(1, "www.example.", RecordType::A)]);
    history.admit(vec![put(1, "new.example.", RecordType::A, 300, &["192.0.2.8"])]);
    postgres.write(&history, 1).await;
    // Retired up to generation 4: the deletion of www is gone as well, having nothing left to delete.
    let mut owner = postgres.owner().await;
    let retire = "set session_replication_role = replica; update zone_group set floor = 4 where zone_group = 1; \
                  delete from change where owner = 'www'; \
                  delete from change where owner = 'new' and plan = (select plan from generation where generation = 2); \
                  delete from head_move where generation < 4; delete from generation where generation = 2";
    run(&mut owner, retire).await;
    signal(&program, "-CONT");
    eventually("generation 4", || answer(&program, "new.example.", RecordType::A).contains("192.0.2.8"));
    assert!(answer(&program, "www.example.", RecordType::A).starts_with("NXDOMAIN"));
    program.logged("loading the group in full");
}

/// A pooler keeps a server's connection while the database behind it is replaced, so that nothing tells the server.
#[tokio::test(flavor = "multi_thread")]
async fn f08_a_server_whose_report_was_lost_says_again_what_it_serves() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history(1, "example.");
    while history.tip() < LOST_AT {
        history.admit(www(1 + u8::try_from(history.tip()).unwrap(), "2"));
    }
    postgres.write(&history, 0).await;
    let here = Program::start(&postgres.url(), "here");
    eventually("the newest generation", || is_served(&here, "192.0.2.55"));
    let mut owner = postgres.owner().await;
    said_by_now(&mut owner, LOST_AT).await;

    // What a backup of ten minutes ago would have: an older head, and an older report.
    let older = format!(
        "set session_replication_role = replica;
         delete from head_move where generation > {BACKED_UP_AT}; delete from generation where generation > {BACKED_UP_AT};
         update report set generation = {BACKED_UP_AT}, id = (select id from generation where generation = {BACKED_UP_AT});
         insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', {BACKED_UP_AT}, 'backup') on conflict do nothing;
         reset session_replication_role"
    );
    run(&mut owner, &older).await;
    eventually("the older head is refused", || is_refused(&here, "older"));
    said_by_now(&mut owner, LOST_AT).await;
    let stops = sqlx::query("select 1 from stop where kind = 'history-behind'").fetch_all(&mut owner).await.unwrap();
    assert_eq!(stops.len(), 1);
    assert!(is_served(&here, "192.0.2.55"));
}

async fn said_by_now(owner: &mut sqlx::PgConnection, generation: usize) {
    let generation = i64::try_from(generation).unwrap();
    for tries in 0.. {
        let said: Option<i64> =
            sqlx::query("select max(generation) from report").fetch_one(&mut *owner).await.unwrap().get(0);
        if said == Some(generation) {
            return;
        }
        assert!(tries < 100, "the report says {said:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
