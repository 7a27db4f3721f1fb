//! The whole server against a real Postgres: it follows, it reports, it goes on alone, and it refuses what it must.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::snapshot::ZoneNumber;
use sqlx::Row;
use support::postgres::{Postgres, Rule, run};
use support::program::{Program, ask_udp, eventually};
use support::wire::{Question, to_text};
use support::{History, changes_of, gone, name_of, put};
use zone_model::RecordType;

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n";

fn history(group: i64, zone: &str) -> History {
    let mut history = History::new(group, &[(group, zone)]);
    history.admit(changes_of(ZoneNumber(group), &name_of(zone), ZONE));
    history
}

fn address_of(program: &Program, owner: &str) -> String {
    let reply = to_text(&program.ask_udp(&Question::new(&name_of(owner), RecordType::A).to_wire()));
    let rcode = reply.split_whitespace().next().unwrap();
    let address = reply.split_once("300 A ").map(|(_, rest)| rest.lines().next().unwrap().to_owned());
    address.unwrap_or_else(|| rcode.to_owned())
}

async fn report(postgres: &Postgres, group: i64) -> Option<i64> {
    let mut owner = postgres.owner().await;
    let row = sqlx::query(
        "select generation from report join server using (server, instance) where zone_group = $1 and seen > now() - interval '3 s'",
    );
    row.bind(group).fetch_optional(&mut owner).await.unwrap().map(|row| row.get(0))
}

macro_rules! eventually_async {
    ($what:literal, $holds:expr) => {
        for tries in 0.. {
            if $holds {
                break;
            }
            assert!(tries < 500, "not in time: {}", $what);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_its_ring_reports_and_goes_on_without_postgres() {
    let Some(postgres) = Postgres::start().await else { return };
    let program = Program::start(&postgres.url(), "one");
    assert_eq!(program.get("/health/live").0, 200);
    assert_eq!(program.get("/health/ready").0, 503);
    assert_eq!(address_of(&program, "www.example."), "SERVFAIL");

    let mut history = history(1, "example.");
    postgres.write(&history, 0).await;
    program.wait_ready();
    assert_eq!(address_of(&program, "www.example."), "192.0.2.1");
    let on_v6 = ask_udp(program.dns[1], &Question::new(&name_of("www.example."), RecordType::A).to_wire());
    assert!(to_text(&on_v6).contains("192.0.2.1"));
    eventually_async!("generation 1 is reported", report(&postgres, 1).await == Some(1));

    // An increment, and the serial goes on by one.
    history.admit(vec![
        put(1, "www.example.", RecordType::A, 300, &["192.0.2.2"]),
        gone(1, "ns1.example.", RecordType::A),
    ]);
    postgres.write(&history, 1).await;
    eventually("the new address", || address_of(&program, "www.example.") == "192.0.2.2");
    let soa = to_text(&program.ask_udp(&Question::new(&name_of("example."), RecordType::SOA).to_wire()));
    assert!(soa.contains(" 41 3600 "), "{soa}");
    eventually_async!("generation 2 is reported", report(&postgres, 1).await == Some(2));

    // Several questions on one connection, answered in order.
    let questions = ["www.example.", "nothing.example.", "example."]
        .map(|name| Question::new(&name_of(name), RecordType::A).to_wire());
    let replies = program.ask_tcp(&questions);
    let codes: Vec<_> = replies.iter().map(|reply| to_text(reply).split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(codes, ["NOERROR", "NXDOMAIN", "NOERROR"]);

    postgres.end();
    assert_eq!(address_of(&program, "www.example."), "192.0.2.2");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!((program.get("/health/ready").0, address_of(&program, "www.example.").as_str()), (200, "192.0.2.2"));
    postgres.begin();
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.3"])]);
    postgres.write(&history, 2).await;
    eventually("following goes on", || address_of(&program, "www.example.") == "192.0.2.3");
    eventually_async!("generation 3 is reported", report(&postgres, 1).await == Some(3));
    let (_, metrics) = program.get("/metrics");
    for line in [
        "holdfast_server_group_generation{group=\"group-1\"} 3",
        "holdfast_server_ready 1",
        "holdfast_server_replies_total{rcode=\"NXDOMAIN\",transport=\"tcp\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }

    // A restart takes over from the instance before.
    assert!(program.stop().success());
    let again = Program::start(&postgres.url(), "one");
    again.wait_ready();
    let mut owner = postgres.owner().await;
    eventually_async!("only the new instance is left", {
        let count = sqlx::query("select count(*) from server").fetch_one(&mut owner).await.unwrap();
        count.get::<i64, _>(0) == 1 && report(&postgres, 1).await == Some(3)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hints_the_tick_does_it_alone() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history(1, "example.");
    postgres.write(&history, 0).await;
    let program = Program::start(&postgres.url(), "one");
    program.wait_ready();
    let mut owner = postgres.owner().await;
    run(&mut owner, "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'; alter role resolver connection limit 2").await;
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.2"])]);
    postgres.write(&history, 1).await;
    eventually("the new address", || address_of(&program, "www.example.") == "192.0.2.2");
}

#[tokio::test(flavor = "multi_thread")]
async fn forks_and_older_heads_are_refused_and_other_groups_go_on() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut first = history(1, "example.");
    first.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.2"])]);
    let mut second = history(2, "example.org.");
    postgres.write(&first, 0).await;
    postgres.write(&second, 0).await;
    let program = Program::start(&postgres.url(), "one");
    program.wait_ready();
    assert_eq!(address_of(&program, "www.example."), "192.0.2.2");

    // The database goes back in time: generation 2 is gone, and its head with it.
    let mut owner = postgres.owner().await;
    let back = "set session_replication_role = replica; delete from head_move where zone_group = 1 and generation >= 2; \
                insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 1, 'test'); \
                delete from change where plan in (select plan from generation where zone_group = 1 and generation >= 2); \
                delete from generation where zone_group = 1 and generation >= 2";
    run(&mut owner, back).await;
    let refused = |why: &str| {
        program
            .get("/metrics")
            .1
            .contains(&format!("holdfast_server_group_refused{{group=\"group-1\",outcome=\"{why}\"}} 1"))
    };
    eventually("the older head is refused", || refused("older"));
    assert_eq!(address_of(&program, "www.example."), "192.0.2.2");

    // And it goes on from there: another generation 2, and a 3 above it.
    let mut other = history(1, "example.");
    other.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.66"])]);
    postgres.write_by_force(&other, 1).await;
    eventually("the fork is refused", || refused("fork"));
    other.admit(vec![put(1, "mail.example.", RecordType::A, 300, &["192.0.2.67"])]);
    postgres.write_by_force(&other, 2).await;
    second.admit(vec![put(2, "www.example.org.", RecordType::A, 300, &["192.0.2.9"])]);
    postgres.write(&second, 1).await;
    eventually("the other group goes on", || address_of(&program, "www.example.org.") == "192.0.2.9");
    assert_eq!(address_of(&program, "www.example."), "192.0.2.2");
    assert_eq!(address_of(&program, "mail.example."), "NXDOMAIN");
    assert!(refused("fork"));
    eventually_async!("the fault is reported", {
        let row = sqlx::query("select coalesce(fault, '') from server").fetch_one(&mut owner).await.unwrap();
        row.get::<String, _>(0).contains("fork")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drift_is_reloaded_and_damage_is_refused() {
    let Some(postgres) = Postgres::start().await else { return };
    let (mut first, mut second) = (history(1, "example."), history(2, "example.org."));
    postgres.write(&first, 0).await;
    postgres.write(&second, 0).await;
    let program = Program::start(&postgres.url(), "one");
    program.wait_ready();
    let mut owner = postgres.owner().await;

    // What the server holds of generation 1 is not what the history has, while the ids agree. Generation 2 adds up only
    // to what the history has.
    let mut drifted = History::new(1, &[(1, "example.")]);
    drifted.admit(changes_of(ZoneNumber(1), &name_of("example."), &ZONE.replace("192.0.2.1\n", "192.0.2.7\n")));
    drifted.admit(vec![put(1, "new.example.", RecordType::A, 300, &["192.0.2.8"])]);
    let (_, rows, _) = drifted.changes(0, 1);
    let row = rows.iter().find(|row| row.owner == "www").unwrap();
    run(&mut owner, "set session_replication_role = replica").await;
    sqlx::query("update change set value = $1 where zone = 1 and owner = 'www'")
        .bind(&row.value)
        .execute(&mut owner)
        .await
        .unwrap();
    postgres.write_on(&drifted, 1, first.head(1).version.id, Rule::Forced).await;
    eventually("the group is loaded in full", || address_of(&program, "www.example.") == "192.0.2.7");
    assert_eq!(address_of(&program, "new.example."), "192.0.2.8");

    // A row that cannot be read condemns its group only.
    second.admit(vec![put(2, "www.example.org.", RecordType::A, 300, &["192.0.2.9"])]);
    postgres.write(&second, 1).await;
    eventually("generation 2", || address_of(&program, "www.example.org.") == "192.0.2.9");
    first = drifted;
    run(&mut owner, "update change set value = '\\x00' where zone = 2 and owner = 'www'").await;
    let again = Program::start(&postgres.url(), "two");
    again.wait_ready();
    assert_eq!(address_of(&again, "new.example."), "192.0.2.8");
    assert_eq!(address_of(&again, "www.example.org."), "REFUSED");
    let line = again.logged("poisoned-row");
    assert!(line.contains("owner `www`") && line.contains("example.org."), "{line}");
    assert_eq!(address_of(&program, "www.example.org."), "192.0.2.9");
    assert_eq!(first.tip(), 2);
}
