//! Races of a rising floor, met for certain, as in `barriers.rs`: from `migrations/tests/fixture.sql`, with the head of group 1 at generation 3.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use test_support::{Act, Barriers};

const RAISE: &str = "update zone_group set floor = 3 where zone_group = 1";
const PIN: &str = "insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me')";
const MOVE: &str = "call enact('fleet', '{1}', '{2}', null, 'late', null)";

async fn refused(act: Act, code: &str) {
    assert_eq!(act.refusal().await.as_deref(), Some(code));
}

#[tokio::test]
async fn f49_a_pin_that_comes_while_the_floor_rises_is_refused() {
    for at in ["aa_floor_rises", "zz_floor_is_judged"] {
        let mut barriers = Barriers::on_the_fixture().await;
        let floor = barriers.stopped_at(at, RAISE).await;
        let pin = barriers.begin(PIN).await;
        barriers.waits(&pin).await;
        barriers.open().await;
        assert_eq!(floor.refusal().await, None, "{at}");
        refused(pin, "HF009").await;
    }
    // The pin is written, and has not looked yet.
    let mut barriers = Barriers::on_the_fixture().await;
    let pin = barriers.stopped_at("aa_pin_is_set", PIN).await;
    barriers.at_once(RAISE).await.unwrap();
    barriers.open().await;
    refused(pin, "HF009").await;
}

#[tokio::test]
async fn f49_a_floor_that_rises_while_a_pin_is_set_is_held() {
    let mut barriers = Barriers::on_the_fixture().await;
    let pin = barriers.stopped_at("zz_pin_is_judged", PIN).await;
    let floor = barriers.begin(RAISE).await;
    barriers.waits(&floor).await;
    barriers.open().await;
    assert_eq!(pin.refusal().await, None);
    refused(floor, "HF035").await;
    assert!(barriers.says("select floor = 1 from zone_group where zone_group = 1").await);
}

#[tokio::test]
async fn f10_no_move_gets_below_a_floor_that_rises() {
    for at in ["aa_floor_rises", "zz_floor_is_judged"] {
        let mut barriers = Barriers::on_the_fixture().await;
        barriers.at_once("delete from head_move where zone_group = 1 and generation < 3").await.unwrap();
        let floor = barriers.stopped_at(at, RAISE).await;
        let late = barriers.begin(MOVE).await;
        barriers.waits(&late).await;
        barriers.open().await;
        assert_eq!(floor.refusal().await, None, "{at}");
        refused(late, "HF009").await;
    }
    // The move is written, and has not looked yet.
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("delete from head_move where zone_group = 1 and generation < 3").await.unwrap();
    let late = barriers.stopped_at("aa_move_is_written", MOVE).await;
    barriers.at_once(RAISE).await.unwrap();
    barriers.open().await;
    refused(late, "HF009").await;
}

#[tokio::test]
async fn f11_the_floor_does_not_pass_the_head_that_a_ring_is_just_given() {
    let mut barriers = Barriers::on_the_fixture().await;
    barriers
        .at_once("insert into verdict (zone_group, generation, passed, why, by) values (1, 2, true, 'proved', 'e')")
        .await
        .unwrap();
    barriers.at_once("insert into ring (ring) values ('delayed')").await.unwrap();
    let begins = "insert into head_move (zone_group, ring, generation, by) values (1, 'delayed', 2, 'e'), (2, 'delayed', 1, 'e')";
    barriers
        .at_once("insert into verdict (zone_group, generation, passed, why, by) values (2, 1, true, 'proved', 'e')")
        .await
        .unwrap();
    let given = barriers.stopped_at("zz_move_is_judged", begins).await;
    let floor = barriers.begin(RAISE).await;
    barriers.waits(&floor).await;
    barriers.open().await;
    assert_eq!(given.refusal().await, None);
    refused(floor, "HF035").await;
}

#[tokio::test]
async fn f50_a_plan_whose_base_is_retired_while_it_is_on_its_way_is_refused() {
    let mut barriers = Barriers::on_the_fixture().await;
    // Plan 12, on generation 2, changes a name that nothing changed since; what would show a conflict may be gone.
    barriers.at_once("select fixture.stage(1, 2, 1, '{fresh}')").await.unwrap();
    let stale = barriers.stopped_at("aa_generation_is_written", "select fixture.name_it(1, 12)").await;
    barriers.at_once(RAISE).await.unwrap();
    barriers.open().await;
    refused(stale, "HF032").await;
    // The other way round: it has been judged by all that was there, and the floor rises unhindered.
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.stage(1, 2, 1, '{fresh}')").await.unwrap();
    let judged = barriers.stopped_at("zz_generation_is_judged", "select fixture.name_it(1, 12)").await;
    barriers.at_once(RAISE).await.unwrap();
    barriers.open().await;
    assert_eq!(judged.refusal().await, None);
}
