//! Retirement: the real program, killed, cut off and in company; what can be read stays what it was.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use control_plane::database;
use control_plane::retirement::{Gently, Retired, Retiring};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{World, addresses, edit, plan, replacement};
use tokio_util::sync::CancellationToken;
use zone_model::GroupName;

fn keep(keep: i64) -> Gently {
    Gently {
        keep,
        batch_max: 50,
        pause: Duration::ZERO,
        step: Duration::from_secs(1),
        rest: 0,
        every: Duration::from_millis(10),
    }
}

async fn pool(world: &World) -> PgPool {
    database::steady_pool(&world.login("retire", &["holdfast_retire"]).await, "test retirement", 1).unwrap()
}

async fn retire(world: &World, generations: i64) -> Retired {
    let mut retiring = Retiring::new(pool(world).await, keep(generations), CancellationToken::new());
    retiring.round().await.unwrap()
}

/// Moves the heads of every group to their tips.
async fn enact(world: &World) {
    world
        .run("insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', max(generation), 'test' from generation group by 1 on conflict do nothing")
        .await;
}

/// So many plans that change few names in turn, and delete some of them.
async fn history(world: &World, plans: i64) {
    for number in 0..plans {
        let tip = world.tip().await;
        let (name, last) = (format!("n{}", number % 7), u8::try_from(number % 200).unwrap());
        let deletes: &[&str] = if number % 5 == 4 { &["n1"] } else { &[] };
        let changed = if deletes.is_empty() { name.as_str() } else { "x" };
        world.post(edit(tip, &[(changed, last)], deletes)).await.unwrap();
    }
    enact(world).await;
}

/// All that is read at every generation from `from` on.
const WORLDS: &str = "select g.generation, md5(string_agg(format('%s %s %s %s %s', s.owner, s.type, s.covered, s.plan, s.value), ';' order by s.owner, s.type, s.covered)) \
     from generation g cross join zone z cross join lateral zone_at(z.zone, g.generation) s \
     where g.zone_group = z.zone_group and g.generation >= $1 and s.value is not null group by g.generation order by g.generation";

async fn worlds(connection: &mut PgConnection, from: i64) -> Vec<(i64, String)> {
    sqlx::query_as(WORLDS).bind(from).fetch_all(connection).await.unwrap()
}

async fn worlds_now(world: &World, from: i64) -> Vec<(i64, String)> {
    worlds(&mut world.owner().acquire().await.unwrap(), from).await
}

/// The real program; killed when it is dropped.
struct Program(Child);

impl Program {
    fn start(url: &str, generations: i64) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast-control-plane"));
        command.arg("retirement").args(["--keep", &generations.to_string(), "--batch", "12", "--every-ms", "20"]);
        command.args(["--pause-ms", "15", "--rest", "0"]).env("HOLDFAST_DATABASE_URL", url);
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
    }
}

/// Everything that retirement changes, as one text.
const PROGRESS: &str = "select concat_ws(' ', (select sum(floor) from zone_group), (select count(*) from change), (select count(*) from head_move), \
     (select count(*) from plan), (select count(*) from plan_read), (select sum(swept) from retirement))";

async fn progress(world: &World) -> String {
    sqlx::query_scalar(PROGRESS).fetch_one(world.owner()).await.unwrap()
}

/// Killed as soon as it has done a step, over and over, the program leaves everything readable, and gets to the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_killed_at_every_step_it_leaves_what_is_read_and_goes_on() {
    let world = World::with_example().await;
    history(&world, 120).await;
    let url = world.login("retire", &["holdfast_retire"]).await;
    let (tip, floor) = (world.tip().await, world.tip().await - 9);
    let before = worlds_now(&world, floor).await;
    assert_eq!(before.len(), 10);
    let swept = format!("select count(*) from retirement where swept = {floor}");
    let (mut kills, began) = (0, Instant::now());
    while world.count(&swept).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(120), "it does not get on: {}", progress(&world).await);
        let stood = progress(&world).await;
        let program = Program::start(&url, 10);
        while progress(&world).await == stood && began.elapsed() < Duration::from_secs(120) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(program);
        kills += 1;
        assert_eq!(worlds_now(&world, floor).await, before, "after {kills} kills");
    }
    assert!(kills >= 5, "killed {kills} times only");
    assert_eq!(world.count("select floor from zone_group").await, floor);
    // And all of it is done: nothing that nobody sees is left.
    let versions = "select count(*) from change c join generation g on g.plan = c.plan where c.owner ~ '^n[0-9]' and g.generation <= ";
    assert!(world.count(&format!("{versions}{floor}")).await <= 7);
    assert_eq!(world.tip().await, tip);
    world.post(edit(tip, &[("after", 1)], &[])).await.unwrap();
}

/// A reader that began before retirement goes on reading all of its world, whatever is deleted meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_a_reader_in_the_middle_of_a_read_sees_one_world() {
    let world = World::with_example().await;
    history(&world, 60).await;
    let owner = world.login("reader", &["holdfast_read"]).await;
    let mut reader = PgConnection::connect(&owner).await.unwrap();
    sqlx::raw_sql("begin isolation level repeatable read read only").execute(&mut reader).await.unwrap();
    let before = worlds(&mut reader, 1).await;
    assert_eq!(before.len(), 61);
    let retired = retire(&world, 3).await;
    assert!(retired.rows > 50, "{retired:?}");
    assert_eq!(worlds(&mut reader, 1).await, before);
    sqlx::raw_sql("commit").execute(&mut reader).await.unwrap();
    // A new one finds that the floor has risen, and from there on the same.
    let floor = world.count("select floor from zone_group").await;
    assert_eq!(floor, world.tip().await - 2);
    assert_eq!(worlds(&mut reader, floor).await, before[usize::try_from(floor - 1).unwrap()..]);
}

/// N is a number of generations of one group: neither of all groups, nor of zones, nor of numbers, of which an epoch skips many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_the_last_n_are_generations_of_the_group() {
    let world = World::with_example().await;
    for zone in ["two.example.", "three.example."] {
        world
            .post(plan(world.tip().await, zone, replacement(zone, 1, vec![addresses(&format!("ns1.{zone}"), &[1])])))
            .await
            .unwrap();
    }
    history(&world, 20).await;
    let mut other = plan(0, "other.test.", replacement("other.test.", 1, vec![]));
    other.group = GroupName::parse("other").unwrap();
    world.post(other).await.unwrap();
    enact(&world).await;
    assert_eq!(retire(&world, 15).await.floors, 1);
    let floors = "select count(*) from zone_group where (name, floor) in (('example', 9), ('other', 1))";
    assert_eq!((world.tip().await, world.count(floors).await), (23, 2));

    // Two generations of a new epoch: thirteen of the old one are still among the last fifteen.
    world
        .run(
            "insert into plan (zone_group, base, kind, digest_delta, changes, added, replaced, deleted, absent) select zone_group, 23, 'raise', sha256('x'), 0, 0, 0, 0, 0 from zone_group where name = 'example';
             insert into generation (zone_group, generation, plan, parent, id, digest) select zone_group, 1000000000, plan, (select g.id from generation g where g.zone_group = p.zone_group and g.generation = 23), sha256('a'), sha256('b') from plan p where kind = 'raise';
             insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) select zone_group, 1000000000, sha256('x'), 1, 1, 0, 0, 0 from zone_group where name = 'example';
             insert into change (zone, owner, type, plan, value) select z.zone, o.owner, o.type, p.plan, '\\x01' from zone z, (select max(plan) as plan from plan) p, (values ('', 65536), ('y', 1)) o (owner, type) where z.name = 'example.';
             insert into generation (zone_group, generation, plan, parent, id, digest) select zone_group, 1000000001, plan, sha256('a'), sha256('c'), sha256('d') from plan where base = 1000000000",
        )
        .await;
    enact(&world).await;
    retire(&world, 15).await;
    assert_eq!(world.count("select floor from zone_group where name = 'example'").await, 11);
    assert_eq!(world.count("select count(*) from generation g join zone_group z using (zone_group) where z.name = 'example' and generation >= floor").await, 15);
}

/// Many plans over few names: what is kept does not grow with what was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_history_does_not_grow_without_end() {
    let world = World::with_example().await;
    // So that it is a matter of hundreds here and not of a hundred thousand.
    world
        .run("create or replace function generations_remembered() returns int language sql immutable as 'select 100'")
        .await;
    let mut retiring = Retiring::new(pool(&world).await, keep(50), CancellationToken::new());
    let rows = "select (select count(*) from change) + (select count(*) from generation) + (select count(*) from plan) + (select count(*) from plan_read) \
                + (select count(*) from head_move) + (select count(*) from idempotency_key) + (select count(*) from leftover)";
    let mut counts = Vec::new();
    for _ in 0..8 {
        history(&world, 120).await;
        retiring.round().await.unwrap();
        counts.push(world.count(rows).await);
    }
    assert_eq!(world.tip().await, 961);
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*most < 600 && most - least < 60, "rows after each 120 plans: {counts:?}");
    // What stands is still known with who made it so, and when.
    let standing = "select count(*) from zone z cross join lateral zone_at(z.zone, 961) s ";
    let stands = world.count(&format!("{standing} where s.value is not null and s.type < 65536")).await;
    assert!(stands >= 8, "{stands}");
    let blamed = format!("{standing} join plan p on p.plan = s.plan where s.value is not null and s.type < 65536");
    assert_eq!(world.count(&blamed).await, stands);
}

/// What a plan that nobody had admitted staged is forgotten after an hour, and goes on being forgotten after a cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_plans_that_were_given_up_go_with_all_their_rows() {
    let world = World::with_example().await;
    world
        .run(
            "insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) select 1, 1, sha256('x'), 300, 300, 0, 0, 0 from generate_series(1, 2);
             insert into change (zone, owner, type, plan, value) select 1, '', 65536, plan, '\\x00' from plan where base = 1;
             insert into change (zone, owner, type, plan, value) select 1, 's' || i, 1, plan, '\\x01' from plan, generate_series(1, 300) i where base = 1;
             insert into plan_read (plan, zone, owner) select plan, 1, 'r' || i from plan, generate_series(1, 70) i where base = 1",
        )
        .await;
    world
        .superuser("set session_replication_role = replica; update plan set at = now() - interval '2 hours' where plan = (select min(plan) from plan where base = 1)")
        .await;
    let before = worlds_now(&world, 1).await;
    let retired = retire(&world, 10).await;
    assert_eq!(retired.given_up, 1);
    assert_eq!(world.count("select count(*) from change where owner ~ '^s[0-9]'").await, 300, "the younger one stays");
    assert_eq!(
        world
            .count(
                "select (select count(*) from plan_read where owner ~ '^r[0-9]') + 10 * (select count(*) from leftover)"
            )
            .await,
        70
    );
    assert_eq!(worlds_now(&world, 1).await, before);
}

/// Postgres has its own say, and so has the rule: neither lets a floor pass a head that is held back, or a pin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_retirement_stops_at_heads_and_pins() {
    let world = World::with_example().await;
    history(&world, 10).await;
    world.run("insert into pin (zone_group, generation, why, by) values (1, 4, 'test', 'test')").await;
    history(&world, 10).await;
    retire(&world, 1).await;
    assert_eq!(world.count("select floor from zone_group").await, 4);
    world.run("delete from pin").await;
    let tip = world.tip().await;
    for last in 1..=3 {
        world.post(edit(world.tip().await, &[("later", last)], &[])).await.unwrap();
    }
    let before = worlds_now(&world, tip).await;
    retire(&world, 1).await;
    assert_eq!(world.count("select floor from zone_group").await, tip, "the head is not enacted further");
    assert_eq!(worlds_now(&world, tip).await, before);
    enact(&world).await;
    world.run("insert into ring (ring) values ('delayed')").await;
    assert_eq!(retire(&world, 1).await.floors, 0, "a ring without a head holds it");
    let held =
        sqlx::query(AssertSqlSafe(format!("update zone_group set floor = {}", tip + 1))).execute(world.owner()).await;
    assert_eq!(held.unwrap_err().as_database_error().unwrap().code().unwrap(), "HF035");
}

/// Two programs at once do no harm, and end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_two_programs_at_once_leave_what_is_read() {
    let world = World::with_example().await;
    history(&world, 80).await;
    let floor = world.tip().await - 4;
    let before = worlds_now(&world, floor).await;
    let pool = pool(&world).await;
    let (another, stop) = (pool.clone(), CancellationToken::new());
    let (mut one, mut two) = (Retiring::new(pool, keep(5), stop.clone()), Retiring::new(another, keep(5), stop));
    let (one, two) = tokio::join!(one.round(), two.round());
    assert!(one.unwrap().rows + two.unwrap().rows > 60);
    retire(&world, 5).await;
    assert_eq!(world.count("select swept from retirement").await, floor);
    assert_eq!(worlds_now(&world, floor).await, before);
}
