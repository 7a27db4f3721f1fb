//! Real enactors, as processes of their own, over all rings; servers are what their rows say.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{World, edit};

/// Generous: what is waited for is there long before, and a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running enactor; killed with this value.
struct Enactor(Child);

impl Enactor {
    async fn start(world: &World, name: &str) -> Self {
        Self::with_tick(world, name, "50").await
    }

    async fn with_tick(world: &World, name: &str, tick_ms: &str) -> Self {
        let url = world.login("enactor", &["holdfast_enact"]).await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast-control-plane"));
        command.args(["enactor", "--name", name, "--tick-ms", tick_ms, "--database-url", &url]);
        command.env_remove("HOLDFAST_TICK_MS").stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Enactor {
    fn drop(&mut self) {
        let _it_may_have_ended = self.0.kill();
        let _it_is_reaped = self.0.wait();
    }
}

async fn eventually(world: &World, what: &str, query: &str) {
    let begun = Instant::now();
    loop {
        let statement = AssertSqlSafe(format!("select coalesce(({query}), false)"));
        if sqlx::query_scalar(statement).fetch_one(world.owner()).await.unwrap() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn head_is(world: &World, ring: &str, generation: i64) {
    let query = format!("select max(generation) = {generation} from head_move where ring = '{ring}'");
    eventually(world, &format!("{ring} is at {generation}"), &query).await;
}

async fn head(world: &World, ring: &str) -> i64 {
    world.count(&format!("select coalesce(max(generation), 0) from head_move where ring = '{ring}'")).await
}

async fn post(world: &World, times: i64) -> i64 {
    for _ in 0..times {
        let tip = world.tip().await;
        world.post(edit(tip, &[("www", u8::try_from(tip % 200).unwrap())], &[])).await.unwrap();
    }
    world.tip().await
}

/// Canary proves, fleet follows.
async fn with_canary(world: &World) {
    world.run("call set_ring('canary', true, '0', '0', 1, 'prove first', null, 'test')").await;
}

/// Servers that do what they are told: each gives a heartbeat every tenth of a second, and serves its ring's head; all but a
/// poison, which they report as a fault.
struct Servers(tokio::task::JoinHandle<()>);

impl Servers {
    fn start(world: &World, servers: &'static [(&'static str, &'static str)], poison: Option<i64>) -> Self {
        let url = world.superuser_url().to_owned();
        Self(tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            loop {
                for (server, ring) in servers {
                    let poison = poison.unwrap_or(0);
                    let say = format!(
                        "insert into server (server, instance, ring) values ('{server}', '{INSTANCE}', '{ring}') \
                           on conflict (server, instance) do update set seen = now(); \
                         insert into report (server, instance, zone_group, generation, id) \
                           select '{server}', '{INSTANCE}', h.zone_group, h.generation, h.id from serving_head h where h.ring = '{ring}' and h.generation <> {poison} \
                           on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, at = now() \
                           where report.generation < excluded.generation; \
                         insert into fault (server, instance, zone_group, generation, id, why) \
                           select '{server}', '{INSTANCE}', h.zone_group, h.generation, h.id, 'poison' from serving_head h where h.ring = '{ring}' and h.generation = {poison} \
                           on conflict do nothing;"
                    );
                    sqlx::raw_sql(AssertSqlSafe(say)).execute(&mut connection).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

const INSTANCE: &str = "00000000-0000-0000-0000-000000000001";

/// Whoever writes in the name of `stale` waits at this point for as long as the test holds the lock.
async fn barrier(world: &World, table: &str, when: &str) -> PgConnection {
    world
        .superuser(&format!(
            "create function barrier() returns trigger language plpgsql set lock_timeout = 0 as $$ begin \
               if to_jsonb(new) ->> 'by' = 'stale' then perform pg_advisory_xact_lock_shared(1); end if; return new; end $$; \
             create trigger a_barrier {when} insert on {table} for each row execute function barrier();"
        ))
        .await;
    let mut holder = PgConnection::connect(world.superuser_url()).await.unwrap();
    sqlx::query("select pg_advisory_lock(1)").execute(&mut holder).await.unwrap();
    holder
}

async fn waits_at_the_barrier(world: &World) {
    let query = "select count(*) > 0 from pg_locks where locktype = 'advisory' and objid = 1 and not granted";
    eventually(world, "the stale enactor is at the barrier", query).await;
}

/// Told as moves: the stale enactor has read and decided; 200 plans land and another enactor puts the newest in force; the stale
/// one goes on, and its move comes to nothing.
async fn an_enactor_stopped_at_its_write(when: &str) {
    let world = World::with_example().await;
    let holder = barrier(&world, "head_move", when).await;
    let stale = Enactor::start(&world, "stale").await;
    waits_at_the_barrier(&world).await;
    stale.signal("-STOP");
    let tip = post(&world, 200).await;
    let other = Enactor::start(&world, "other").await;
    head_is(&world, "fleet", tip).await;
    drop(holder.close().await);
    // The door ends by itself, and needs its client no more; unless its time was over before.
    let over = "select not exists (select from pg_locks where locktype = 'advisory' and not granted)";
    eventually(&world, "the late move is written, or given up", over).await;
    let written = "select count(*) from head_move where by = 'stale' and generation > 1";
    assert_eq!(world.count(written).await, 0, "it was for the first one");
    assert_eq!(world.count("select generation from serving_head").await, tip, "the served generation never falls");
    stale.signal("-CONT");
    let tip = post(&world, 1).await;
    head_is(&world, "fleet", tip).await;
    drop(other);
    // Alone, it acts on the newest as well.
    let tip = post(&world, 1).await;
    head_is(&world, "fleet", tip).await;
}

#[tokio::test]
async fn f01_an_enactor_stopped_between_reading_and_writing_moves_nothing_back() {
    an_enactor_stopped_at_its_write("before").await;
}

#[tokio::test]
async fn f01_an_enactor_stopped_before_its_commit_moves_nothing_back() {
    // Another enactor's row of the same key would wait for this one; a newer one need not.
    an_enactor_stopped_at_its_write("after").await;
}

#[tokio::test]
async fn f01_an_enactor_stopped_at_its_verdict_says_nothing_about_what_came_later() {
    let world = World::with_example().await;
    with_canary(&world).await;
    let _servers = Servers::start(&world, &[("c1", "canary"), ("f1", "fleet")], None);
    eventually(&world, "a server is there", "select count(*) = 2 from server").await;
    let holder = barrier(&world, "verdict", "before").await;
    let stale = Enactor::start(&world, "stale").await;
    waits_at_the_barrier(&world).await;
    stale.signal("-STOP");
    let tip = post(&world, 200).await;
    let other = Enactor::start(&world, "other").await;
    head_is(&world, "fleet", tip).await;
    world.run(&format!("call fail(1, {tip}, 'an operator says so', null, 'test')")).await;
    drop(holder.close().await);
    stale.signal("-CONT");
    drop(other);
    let next = post(&world, 1).await;
    head_is(&world, "fleet", next).await;
    assert_eq!(world.count(&format!("select count(*) from verdict where generation = {tip} and passed")).await, 1);
    assert_eq!(
        world.count("select count(*) from verdict where by = 'stale' and generation between 2 and 200").await,
        0
    );
}

#[tokio::test]
async fn f33_a_poison_fails_in_the_first_ring_and_the_next_plan_goes_on() {
    let world = World::with_example().await;
    let _enactor = Enactor::start(&world, "enactor-1").await;
    head_is(&world, "fleet", 1).await;
    with_canary(&world).await;
    let _servers = Servers::start(&world, &[("c1", "canary"), ("f1", "fleet")], Some(2));
    eventually(&world, "the first is proved", "select passed from verdict where generation = 1").await;
    assert_eq!(post(&world, 1).await, 2);
    eventually(&world, "it fails", "select not passed from verdict where generation = 2").await;
    assert_eq!((head(&world, "canary").await, head(&world, "fleet").await), (2, 1));
    assert_eq!(post(&world, 1).await, 3);
    head_is(&world, "fleet", 3).await;
    assert_eq!(world.count("select count(*) from head_move where ring = 'fleet' and generation = 2").await, 0);
    assert!(world.count("select count(*) from verdict where generation = 3 and passed").await == 1);
}

#[tokio::test]
async fn f22_moves_that_were_lost_come_back_by_themselves() {
    let world = World::with_example().await;
    let _enactors = (Enactor::start(&world, "enactor-1").await, Enactor::start(&world, "enactor-2").await);
    let tip = post(&world, 3).await;
    head_is(&world, "fleet", tip).await;
    let lose = "set session_replication_role = replica; delete from head_move;";
    world.superuser(lose).await;
    head_is(&world, "fleet", tip).await;
    // With rings: fleet comes back to what its servers serve, whatever canary is proving.
    with_canary(&world).await;
    let _servers = Servers::start(&world, &[("c1", "canary"), ("f1", "fleet")], None);
    eventually(&world, "it is proved", &format!("select passed from verdict where generation = {tip}")).await;
    let served = world.count("select generation from report where server = 'f1'").await;
    assert_eq!(served, tip);
    post(&world, 1).await;
    world.superuser(lose).await;
    eventually(&world, "fleet has a head", "select count(*) > 0 from head_move where ring = 'fleet'").await;
    assert!(world.count("select min(generation) from head_move where ring = 'fleet'").await >= served);
    head_is(&world, "fleet", tip + 1).await;
}

#[tokio::test]
async fn a_move_that_is_refused_stops_no_other_group() {
    let world = World::with_example().await;
    for group in ["b", "c", "d"] {
        let zone = format!("{group}.");
        let change = support::replacement(&zone, 1, vec![]);
        let plan =
            zone_model::Plan { group: zone_model::GroupName::parse(group).unwrap(), ..support::plan(0, &zone, change) };
        world.post(plan).await.unwrap();
    }
    // Something that the rules know nothing of.
    world
        .superuser(
            "create function no() returns trigger language plpgsql as $$ begin \
               if new.zone_group = 2 then raise exception using errcode = 'HF025', message = 'no'; end if; return new; end $$; \
             create trigger a_no before insert on head_move for each row execute function no();",
        )
        .await;
    let _enactor = Enactor::start(&world, "enactor-1").await;
    eventually(&world, "all others are enacted", "select count(*) = 3 from head_move").await;
    assert_eq!(world.count("select count(*) from head_move where zone_group = 2").await, 0);
    world.superuser("drop trigger a_no on head_move").await;
    eventually(&world, "and this one when it may", "select count(*) = 4 from head_move").await;
}

#[tokio::test]
async fn f52_a_stream_of_plans_starves_nobody_and_a_repaired_poison_never_reaches_the_fleet() {
    let world = World::with_example().await;
    let _enactors = (Enactor::start(&world, "enactor-1").await, Enactor::start(&world, "enactor-2").await);
    head_is(&world, "fleet", 1).await;
    with_canary(&world).await;
    world.run("call set_ring('delayed', false, '0', '2 s', 1, 'later', null, 'test')").await;
    let _servers = Servers::start(&world, &[("c1", "canary"), ("f1", "fleet"), ("d1", "delayed")], Some(3));
    eventually(&world, "the first is proved", "select passed from verdict where generation = 1").await;
    // The second is proving while the third, the poison, and its repair come and go; and the stream does not end before the fleet has
    // moved on, for whoever waits for a pause in it would be starved.
    let begun = Instant::now();
    for plans in 1.. {
        post(&world, 1).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        if plans >= 12 && head(&world, "fleet").await > 2 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the fleet is starved, after {plans} plans");
    }
    let tip = world.tip().await;
    for ring in ["fleet", "delayed"] {
        head_is(&world, ring, tip).await;
    }
    assert_eq!(world.count("select count(*) from head_move where ring <> 'canary' and generation = 3").await, 0);
    // Later rings only ever took what had passed, long enough ago; the first that fleet began with was from when it was alone.
    let unproved = "select count(*) from head_move m join ring r using (ring) where not r.first and m.generation > 1 and not exists \
                    (select from verdict v where v.zone_group = m.zone_group and v.generation = m.generation and v.passed and v.at + r.delay <= m.at)";
    assert_eq!(world.count(unproved).await, 0);
}

#[tokio::test]
async fn an_operator_forgets_a_server_and_the_trial_goes_on() {
    let world = World::with_example().await;
    with_canary(&world).await;
    let servers = Servers::start(&world, &[("c1", "canary"), ("c2", "canary"), ("f1", "fleet")], None);
    eventually(&world, "servers are there", "select count(*) = 3 from server").await;
    let _enactor = Enactor::start(&world, "enactor-1").await;
    head_is(&world, "canary", 1).await;
    drop(servers);
    // c2 never reports; c1 goes on.
    let _servers = Servers::start(&world, &[("c1", "canary"), ("f1", "fleet")], None);
    world.superuser("delete from report where server = 'c2'").await;
    world.run("call forget_server('c2', 'it is gone', null, 'test')").await;
    head_is(&world, "fleet", 1).await;
}

#[tokio::test]
async fn f02_an_enactor_that_was_refused_a_thousand_times_acts_on_the_newest() {
    let world = World::with_example().await;
    world
        .superuser(
            "create sequence refused; grant usage, select on sequence refused to public; \
             create function no() returns trigger language plpgsql as $$ begin \
               perform nextval('refused'); raise exception using errcode = '55P03', message = 'no'; end $$; \
             create trigger a_no before insert on head_move for each row execute function no();",
        )
        .await;
    let enactor = Enactor::with_tick(&world, "enactor-1", "10").await;
    eventually(&world, "it was refused", "select last_value > 20 from refused").await;
    let tip = post(&world, 20).await;
    eventually(&world, "a thousand times", "select last_value > 1000 from refused").await;
    world.superuser("drop trigger a_no on head_move").await;
    head_is(&world, "fleet", tip).await;
    assert_eq!(world.count("select count(*) from head_move").await, 1, "nothing older was written on the way");
    drop(enactor);
}

/// A backlog costs one move: what lies between two heads is not looked at.
#[tokio::test]
async fn f43_a_queue_of_plans_is_one_move() {
    let world = World::with_example().await;
    let enactor = Enactor::start(&world, "enactor-1").await;
    let from = post(&world, 1).await;
    head_is(&world, "fleet", from).await;
    enactor.signal("-STOP");
    world
        .superuser(&format!(
            "set session_replication_role = replica; \
             create temporary table queued as select i as generation, nextval('plan_number') as plan from generate_series({from} + 1, {from} + 20000) i; \
             insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent) \
               select q.plan, 1, q.generation - 1, sha256('x'), 1, 0, 1, 0, 0 from queued q; \
             insert into generation (zone_group, generation, plan, id, digest) select 1, q.generation, q.plan, sha256(q.generation::text::bytea), sha256('x') from queued q"
        ))
        .await;
    let moves = world.count("select count(*) from head_move").await;
    enactor.signal("-CONT");
    let tip = world.tip().await;
    assert_eq!(tip, from + 20_000);
    head_is(&world, "fleet", tip).await;
    assert_eq!(world.count("select count(*) from head_move").await, moves + 1);
}
