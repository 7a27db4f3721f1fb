//! Updates that end half-way, and histories that change under them: the next update works, and nobody sees half.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use arc_swap::ArcSwap;
use server::replica::{FetchError, Identity, Replica, Waiting};
use server::snapshot::{Directory, ZoneNumber};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::str::FromStr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use support::postgres::{Postgres, Rule, run};
use support::{History, changes_of, gone, name_of, put};
use zone_model::{Content, Key, RecordType, SetKey};

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n";
/// How many looks are cut short, each at one of the first so many awaits, in turn. Whether an await waits is a matter of how
/// soon the database answers, so one look seldom meets them all.
const LOOKS: usize = 48;
const AWAITS: usize = 8;
/// At how many unlike awaits looks were cut, at the least.
const CUT_MIN: usize = 4;

fn history() -> History {
    let mut history = History::new(1, &[(1, "example.")]);
    history.admit(changes_of(ZoneNumber(1), &name_of("example."), ZONE));
    history
}

/// The next generation: another address for www, one name more and one less.
fn goes_on(history: &mut History) {
    let tip = history.tip();
    let mut changes = vec![
        put(1, "www.example.", RecordType::A, 300, &[&format!("192.0.2.{}", tip % 250 + 1)]),
        put(1, &format!("n{tip}.example."), RecordType::A, 300, &["192.0.2.1"]),
    ];
    if tip > 1 {
        changes.push(gone(1, &format!("n{}.example.", tip - 1), RecordType::A));
    }
    history.admit(changes);
}

fn replica(postgres: &Postgres) -> Replica {
    let identity = Identity {
        server: "test".to_owned(),
        instance: uuid::Uuid::new_v4(),
        ring: "fleet".to_owned(),
        answers_at: None,
    };
    let database = PgConnectOptions::from_str(&postgres.url()).unwrap();
    Replica::new(identity, database, Duration::from_secs(1), Arc::new(ArcSwap::<Directory>::default()))
}

async fn connect(postgres: &Postgres) -> PgConnection {
    PgConnection::connect(&postgres.url()).await.unwrap()
}

type Looked = Result<u64, FetchError>;

/// Lets a look go on up to its await of this number; none: it is over before.
async fn up_to<'l>(look: &mut Pin<&mut (impl Future<Output = Looked> + 'l)>, awaits: usize) -> Option<Looked> {
    let mut met = 0;
    poll_fn(|context| {
        if let Poll::Ready(looked) = look.as_mut().poll(context) {
            return Poll::Ready(Some(looked));
        }
        met += 1;
        if met > awaits { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

fn signal(program: &support::program::Program, signal: &str) {
    assert!(std::process::Command::new("kill").args([signal, &program.pid().to_string()]).status().unwrap().success());
}

fn held(replica: &Replica) -> i64 {
    replica.directory.load().groups().next().map_or(0, |(_, group)| group.version.generation.get())
}

fn tip(history: &History) -> i64 {
    i64::try_from(history.tip()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_an_update_cancelled_at_any_await_leaves_the_next_one_working() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history();
    postgres.write(&history, 0).await;
    let (replica, mut waiting) = (replica(&postgres), Waiting::default());
    let mut connection = connect(&postgres).await;
    let mut cut = BTreeSet::new();
    for awaits in (0..LOOKS).map(|look| look % AWAITS) {
        let before = held(&replica);
        let ended = up_to(&mut pin!(replica.look(&mut connection, &mut waiting)), awaits).await;
        if let Some(looked) = ended {
            looked.unwrap();
        } else {
            // It was dropped here, with its transaction open and maybe an answer on its way.
            cut.insert(awaits);
            assert_eq!(held(&replica), before);
            replica.look(&mut connection, &mut waiting).await.unwrap();
        }
        assert_eq!(held(&replica), tip(&history), "after {awaits} awaits");
        assert!(replica.status.refusals().is_empty());
        goes_on(&mut history);
        postgres.write(&history, history.tip() - 1).await;
    }
    assert!(cut.len() >= CUT_MIN, "looks were cut at {cut:?} only");
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_an_update_whose_backend_is_killed_at_any_await_leaves_the_next_one_working() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history();
    postgres.write(&history, 0).await;
    let (replica, mut waiting) = (replica(&postgres), Waiting::default());
    let mut owner = postgres.owner().await;
    let mut cut = BTreeSet::new();
    for awaits in (0..LOOKS).map(|look| look % AWAITS) {
        let mut connection = connect(&postgres).await;
        {
            let mut look = pin!(replica.look(&mut connection, &mut waiting));
            if let Some(looked) = up_to(&mut look, awaits).await {
                looked.unwrap();
            } else {
                cut.insert(awaits);
                let kill = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'resolver'";
                run(&mut owner, kill).await;
                let _lost_or_through = look.await;
            }
        }
        let mut connection = connect(&postgres).await;
        replica.look(&mut connection, &mut waiting).await.unwrap();
        assert_eq!(held(&replica), tip(&history), "after {awaits} awaits");
        assert!(replica.status.refusals().is_empty());
        goes_on(&mut history);
        postgres.write(&history, history.tip() - 1).await;
    }
    assert!(cut.len() >= CUT_MIN, "looks were cut at {cut:?} only");
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_clean_up_between_any_two_steps_of_a_read_shows_nobody_half_a_group() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history();
    goes_on(&mut history);
    postgres.write(&history, 0).await;
    let mut owner = postgres.owner().await;
    let mut cut = BTreeSet::new();
    for awaits in (0..LOOKS).map(|look| look % AWAITS) {
        // New each time, so that it loads everything.
        let (replica, mut waiting) = (replica(&postgres), Waiting::default());
        let mut connection = connect(&postgres).await;
        {
            let mut look = pin!(replica.look(&mut connection, &mut waiting));
            if let Some(looked) = up_to(&mut look, awaits).await {
                looked.unwrap();
                continue;
            }
            cut.insert(awaits);
            // The head moves on, and all that it has left behind is retired at once.
            goes_on(&mut history);
            postgres.write(&history, history.tip() - 1).await;
            let retire = "set session_replication_role = replica; \
                delete from head_move where generation < (select max(generation) from generation); \
                delete from change c using change newer where newer.zone = c.zone and newer.owner = c.owner \
                    and newer.type = c.type and newer.covered = c.covered and newer.plan > c.plan; \
                delete from change where value is null";
            run(&mut owner, retire).await;
            look.await.unwrap();
        }
        assert!(replica.status.refusals().is_empty(), "after {awaits} awaits: {:?}", replica.status.refusals());
        let held = held(&replica);
        assert!([tip(&history) - 1, tip(&history)].contains(&held), "after {awaits} awaits: {held}");
        let directory = replica.directory.load();
        let zone = directory.zone(&name_of("example.")).unwrap();
        // SOA, NS, ns1, www and the newest name.
        assert_eq!(zone.set_count(), 5, "after {awaits} awaits");
    }
    assert!(cut.len() >= CUT_MIN, "looks were cut at {cut:?} only");
}

#[tokio::test(flavor = "multi_thread")]
async fn f32_a_row_that_cannot_be_read_holds_its_group_at_the_last_good_one_and_heals_with_it() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history();
    let mut other = History::new(2, &[(2, "example.org.")]);
    other.admit(changes_of(ZoneNumber(2), &name_of("example.org."), ZONE));
    postgres.write(&history, 0).await;
    postgres.write(&other, 0).await;
    let program = support::program::Program::start(&postgres.url(), "one");
    program.wait_ready();
    let mut owner = postgres.owner().await;
    let served = |owner: &str| {
        let question = support::wire::Question::new(&name_of(owner), RecordType::A);
        support::wire::to_text(&program.ask_udp(&question.to_wire()))
    };

    // Generation 2 is damaged before anybody is told of it.
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.2"])]);
    signal(&program, "-STOP");
    run(&mut owner, "set session_replication_role = replica").await;
    postgres.write(&history, 1).await;
    let www =
        "owner = 'www' and zone = 1 and plan = (select plan from generation where zone_group = 1 and generation = 2)";
    let good: Vec<u8> = sqlx::query(sqlx::AssertSqlSafe(format!("select value from change where {www}")))
        .fetch_one(&mut owner)
        .await
        .unwrap()
        .get(0);
    run(&mut owner, &format!("update change set value = '\\x00' where {www}")).await;
    signal(&program, "-CONT");
    other.admit(vec![put(2, "www.example.org.", RecordType::A, 300, &["192.0.2.9"])]);
    postgres.write(&other, 1).await;

    let line = program.logged("poisoned-row");
    for part in ["group-1", "zone example.", "owner `www`", "type 1 "] {
        assert!(line.contains(part), "{part}: {line}");
    }
    support::program::eventually("the other group goes on", || served("www.example.org.").contains("192.0.2.9"));
    assert!(served("www.example.").contains("192.0.2.1"));
    let mut said = String::new();
    for _ in 0..500 {
        let fault = "select coalesce(string_agg(fault, ''), '') from server";
        said = sqlx::query(fault).fetch_one(&mut owner).await.unwrap().get(0);
        if said.contains("owner `www`") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(said.starts_with("group group-1: zone example., owner `www`, type 1 "), "{said}");

    // Nobody tells the server that the row has been mended.
    sqlx::query(sqlx::AssertSqlSafe(format!("update change set value = $1 where {www}")))
        .bind(good)
        .execute(&mut owner)
        .await
        .unwrap();
    let mended = std::time::Instant::now();
    support::program::eventually("it heals alone", || served("www.example.").contains("192.0.2.2"));
    assert!(mended.elapsed() < Duration::from_secs(5));
    support::program::eventually("and says so", || !program.get("/metrics").1.contains("group_refused{"));
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_a_poisoned_database_does_not_empty_a_guarded_name_on_the_wire() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history();
    let guard = Key::Guarded(SetKey::new(&name_of("www.example."), RecordType::A));
    history.admit(vec![(ZoneNumber(1), guard, Some(Content::Minimum(1)))]);
    postgres.write_by_force(&history, 0).await;
    let program = support::program::Program::start(&postgres.url(), "one");
    program.wait_ready();
    let question = support::wire::Question::new(&name_of("www.example."), RecordType::A).to_wire();
    let is_served = || support::wire::to_text(&program.ask_udp(&question)).contains(" A 192.0.2.1\n");
    assert!(is_served());

    // A superuser with the triggers off writes a generation without the records, with all the sums right.
    let mut emptied = history.clone();
    emptied.admit(vec![gone(1, "www.example.", RecordType::A)]);
    postgres.write_by_force(&emptied, 2).await;
    let line = program.logged("outcome=\"guarded\"");
    assert!(line.contains("www.example. A in zone example. is guarded: at least 1 records, and here are 0"), "{line}");
    assert!(is_served());

    // The guard's own row is taken out as well, and the sums are made right without it.
    let mut owner = postgres.owner().await;
    run(&mut owner, "set session_replication_role = replica; delete from change where type = 65538").await;
    let mut poisoned = self::history();
    poisoned.admit(vec![gone(1, "www.example.", RecordType::A)]);
    poisoned.admit(vec![put(1, "other.example.", RecordType::A, 300, &["192.0.2.4"])]);
    poisoned.admit(vec![put(1, "other.example.", RecordType::A, 300, &["192.0.2.5"])]);
    postgres.write_on(&poisoned, 3, emptied.head(3).version.id, Rule::Forced).await;
    program.logged("outcome=\"vanished-guard\"");
    assert!(is_served());
}
