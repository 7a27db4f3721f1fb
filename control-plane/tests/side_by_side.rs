//! Plans beside other plans, and beside readers that never end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use control_plane::admission::Admitted;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use support::{World, addresses, edit, edits, plan, replacement};
use zone_model::ZoneChange;

/// So many names are staged in several batches.
const NAMES: u32 = 50_000;
/// Small plans that are at least admitted while the large one is on its way.
const BESIDE_MIN: i64 = 3;

/// A plan of many names to one zone of a group, and a stream of small ones to another: neither waits for the other to end, and the
/// large one gets through although the tip rises all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f54_large_and_small_plans_of_one_group_get_on_side_by_side() {
    let world = World::with_example().await;
    world.post(plan(1, "other.", replacement("other.", 1, vec![]))).await.unwrap();
    let names = (0..NAMES).map(|number| addresses(&format!("n{number}.example."), &[1])).collect();
    let large = plan(2, "example.", replacement("example.", 2, names));
    let api = world.another_api();
    let large = tokio::spawn(async move { api.post(large).await });
    let mut beside = 0;
    while !large.is_finished() {
        let small = edits("other.", &[("small", u8::try_from(beside % 250).unwrap() + 1)], &[]);
        let admitted = world.post(plan(2 + beside, "other.", ZoneChange::Edit(small))).await;
        match admitted {
            Ok(Admitted::New(_)) => beside += 1,
            // The large one came in between: what is next is judged on it.
            other => {
                assert!(large.is_finished() || world.tip().await > 2 + beside, "{other:?}");
                break;
            }
        }
    }
    let Ok(Ok(Admitted::New(large))) = large.await else { panic!("the large plan was not admitted") };
    assert!(large.rebased, "the tip rose while the large plan was staged");
    let before = large.version.generation.get() - 3;
    assert!(before >= BESIDE_MIN, "{before} small plans were admitted before the large one, of {beside}");
    world.assert_that_digests_add_up().await;
}

/// A row that is updated or deleted leaves a dead one behind for as long as an old snapshot could see it; the tenth thousand of them, at the
/// one place where every plan looks, is what throughput falls by (the bench `old-snapshot` measures it). Plans leave none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f53_plans_leave_no_dead_rows_for_an_old_snapshot_to_keep() {
    let world = World::with_example().await;
    let mut reader = PgConnection::connect(world.superuser_url()).await.unwrap();
    let mut snapshot = reader.begin_with("begin isolation level repeatable read").await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from generation").fetch_one(&mut *snapshot).await.unwrap();
    for base in 1..=40 {
        world.post(edit(base, &[("hot", u8::try_from(base).unwrap())], &[])).await.unwrap();
    }
    let moves = "insert into head_move (zone_group, ring, generation, by) select zone_group, 'fleet', g, 'test' from zone_group, generate_series(2, 41) g";
    sqlx::query(moves).execute(world.owner()).await.unwrap();
    // Postgres counts a while after the fact.
    let counted = "select coalesce(sum(n_tup_ins), 0)::bigint from pg_stat_user_tables where relname in ('generation', 'head_move')";
    while world.count(counted).await < 81 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let dead = "select coalesce(sum(n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables
        where relname in ('zone_group', 'zone', 'plan', 'plan_read', 'change', 'generation', 'head_move', 'verdict', 'idempotency_key', 'token')";
    assert_eq!(world.count(dead).await, 0);
    let still: i64 = sqlx::query_scalar("select count(*) from generation").fetch_one(&mut *snapshot).await.unwrap();
    assert_eq!((seen, still, world.tip().await), (1, 1, 41));
}
