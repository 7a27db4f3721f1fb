//! Races met for certain: a statement is stopped by a barrier between two statements inside the database, another comes, and both orders are seen.
//!
//! They start from `migrations/tests/fixture.sql`: group 1 is at generation 3, and so is its head in `fleet`; the plans 5, 6 and 8 are staged on it, 6 two hours
//! ago, and 7 on generation 1 with a name that changed since.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use test_support::{Act, Barriers};

const FREEZE: &str = "call freeze(1, null, 'freeze', 'an incident', null, 'operator', null, null)";
const GIVE_UP_PLAN_6: &str = "delete from plan where plan = 6";
/// A change that leaves zone 1 without its NS.
const SPOIL_PLAN_5: &str = "insert into change (zone, owner, type, plan, value) values (1, '@', 2, 5, null)";

/// The call of the door for a plan that is staged.
fn admit(plan: i64, generation: i64) -> String {
    let nothing = "null, ".repeat(15);
    format!(
        "call fixture.admit(1, {plan}, {nothing}{generation}, fixture.h('id{plan}'), fixture.h('digest{plan}'), null, null)"
    )
}

fn enact(generation: i64) -> String {
    format!("call enact('fleet', '{{1}}', '{{{generation}}}', null, 'enactor', null)")
}

/// What the servers are told of group 1.
fn head_is(generation: i64) -> String {
    format!("select generation = {generation} from serving_head where zone_group = 1 and ring = 'fleet'")
}

fn tip_is(generation: i64, plan: i64) -> String {
    format!(
        "select (generation, plan) = ({generation}, {plan}) from generation where zone_group = 1 order by generation desc limit 1"
    )
}

async fn refused(act: Act, code: &str) {
    assert_eq!(act.refusal().await.as_deref(), Some(code));
}

#[tokio::test]
async fn f01_a_move_that_was_held_up_before_it_was_written_has_no_effect() {
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
    let late = barriers.stopped_at("zz_move_has_its_lock", &enact(4)).await;
    // Two hundred newer plans land, and are put in force.
    for _ in 0..200 {
        barriers.at_once("select fixture.name_it(1, fixture.stage(1, (select max(generation) from generation where zone_group = 1), 1, '{busy}'))").await.unwrap();
    }
    barriers.at_once(&enact(204)).await.unwrap();
    assert!(barriers.says(&head_is(204)).await);
    barriers.open().await;
    assert_eq!(late.refusal().await, None);
    assert!(barriers.says("select count(*) = 1 from head_move where zone_group = 1 and generation = 4").await);
    assert!(barriers.says(&head_is(204)).await);
    assert!(barriers.says("select generation = 204 from serving_tick where zone_group = 1 and ring = 'fleet'").await);
}

#[tokio::test]
async fn f01_a_move_that_was_held_up_after_it_was_written_has_no_effect() {
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
    barriers.at_once("select fixture.name_it(1, fixture.stage(1, 4, 1, '{busy}'))").await.unwrap();
    let late = barriers.stopped_at("zz_move_is_judged", &enact(4)).await;
    barriers.at_once(&enact(5)).await.unwrap();
    assert!(barriers.says(&head_is(5)).await);
    barriers.open().await;
    assert_eq!(late.refusal().await, None);
    assert!(barriers.says(&head_is(5)).await);
}

#[tokio::test]
async fn f01_clean_up_that_looked_too_early_does_not_delete_the_head() {
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
    // A move to 4 is on its way while the head, 3, is deleted: what is not committed supersedes nothing.
    let on_its_way = barriers.stopped_at("zz_move_is_judged", &enact(4)).await;
    let deletion = barriers.begin("delete from head_move where zone_group = 1 and generation = 3").await;
    refused(deletion, "HF010").await;
    barriers.open().await;
    assert_eq!(on_its_way.refusal().await, None);
    // The other way round: it looked at what is old, was held up, and meanwhile 3 was superseded.
    let deletion = barriers
        .stopped_at("aa_moves_are_deleted", "delete from head_move where zone_group = 1 and generation = 3")
        .await;
    assert!(barriers.says(&head_is(4)).await);
    barriers.open().await;
    assert_eq!(deletion.refusal().await, None);
    assert!(barriers.says(&head_is(4)).await);
}

#[tokio::test]
async fn f01_of_two_admissions_of_one_number_one_lands() {
    let mut barriers = Barriers::on_the_fixture().await;
    // Its rows are there, its number is decided, and another plan takes the number.
    let late = barriers.stopped_at("aa_generation_begins", &admit(5, 4)).await;
    barriers.at_once(&admit(6, 4)).await.unwrap();
    barriers.open().await;
    assert_eq!(late.refusal().await, None);
    assert!(barriers.says(&tip_is(4, 6)).await);
    // The other way round: it has taken the number, and is held up; the other one waits, and is told.
    barriers.at_once("select fixture.stage(1, 4, 1, '{one}'), fixture.stage(1, 4, 1, '{two}')").await.unwrap();
    let first = barriers.stopped_at("zz_generation_is_judged", &admit(12, 5)).await;
    let second = barriers.begin(&admit(13, 5)).await;
    barriers.waits(&second).await;
    barriers.open().await;
    assert_eq!((first.refusal().await, second.refusal().await), (None, None));
    assert!(barriers.says(&tip_is(5, 12)).await);
    assert!(barriers.says("select not exists (select from generation where plan in (5, 13))").await);
}

#[tokio::test]
async fn f05_what_lands_while_a_plan_is_on_its_way_is_judged_from_the_plans_base() {
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.stage(1, 3, 1, '{open}')").await.unwrap();
    // Decided as generation 5, when `open` had not changed; while it is on its way, plan 5 changes `open` as generation 4.
    let stale = barriers.stopped_at("aa_generation_begins", &admit(12, 5)).await;
    barriers.at_once(&admit(5, 4)).await.unwrap();
    barriers.open().await;
    refused(stale, "HF004").await;
    assert!(barriers.says(&tip_is(4, 5)).await);
}

#[tokio::test]
async fn f11_clean_up_and_an_admission_meet_over_one_plan() {
    // The generation is written, and has not locked its plan yet: the plan goes, and nothing dangles.
    let mut barriers = Barriers::on_the_fixture().await;
    let named = barriers.stopped_at("aa_generation_is_written", &admit(6, 4)).await;
    barriers.at_once(GIVE_UP_PLAN_6).await.unwrap();
    barriers.open().await;
    refused(named, "HF015").await;
    assert!(barriers.says("select max(generation) = 3 from generation where zone_group = 1").await);

    // It has locked its plan: clean-up waits, and then finds the plan in use.
    let mut barriers = Barriers::on_the_fixture().await;
    let named = barriers.stopped_at("zz_generation_is_judged", &admit(6, 4)).await;
    let clean_up = barriers.begin(GIVE_UP_PLAN_6).await;
    barriers.waits(&clean_up).await;
    barriers.open().await;
    assert_eq!(named.refusal().await, None);
    refused(clean_up, "HF003").await;

    // Clean-up was there first, and is held up before and after its own check: the admission waits, and finds no plan.
    for at in ["aa_plan_is_deleted", "zz_deletion_of_a_plan_is_judged"] {
        let mut barriers = Barriers::on_the_fixture().await;
        let clean_up = barriers.stopped_at(at, GIVE_UP_PLAN_6).await;
        let named = barriers.begin(&admit(6, 4)).await;
        barriers.waits(&named).await;
        barriers.open().await;
        assert_eq!(clean_up.refusal().await, None);
        refused(named, "HF015").await;
    }
}

#[tokio::test]
async fn f48_a_freeze_answers_when_the_move_before_it_is_over() {
    // Wherever the move stands, once it has begun to look: it cannot commit after a freeze that it did not see.
    for at in ["zz_move_has_its_lock", "aa_move_is_written", "move_k_is_judged", "zz_move_is_judged"] {
        let mut barriers = Barriers::on_the_fixture().await;
        barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
        let on_its_way = barriers.stopped_at(at, &enact(4)).await;
        let freeze = barriers.begin(FREEZE).await;
        barriers.waits(&freeze).await;
        assert!(barriers.says("select not exists (select from stop)").await);
        barriers.open().await;
        assert_eq!((on_its_way.refusal().await, freeze.refusal().await), (None, None), "{at}");
        assert!(barriers.says(&head_is(4)).await && barriers.says("select count(*) = 1 from stop").await);
    }
}

#[tokio::test]
async fn f48_a_move_that_waited_for_a_freeze_is_refused() {
    for at in ["zz_stop_has_its_lock", "zz_act_is_written"] {
        let mut barriers = Barriers::on_the_fixture().await;
        barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
        let freeze = barriers.stopped_at(at, FREEZE).await;
        let behind = barriers.begin(&enact(4)).await;
        barriers.waits(&behind).await;
        barriers.open().await;
        assert_eq!(freeze.refusal().await, None);
        refused(behind, "HF022").await;
        assert!(barriers.says(&head_is(3)).await);
    }
    // Not even one that had begun before the freeze did, and had no lock yet.
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
    let on_its_way = barriers.stopped_at("aa_move_begins", &enact(4)).await;
    barriers.at_once(FREEZE).await.unwrap();
    barriers.open().await;
    refused(on_its_way, "HF022").await;
    assert!(barriers.says(&head_is(3)).await);
}

#[tokio::test]
async fn f33_a_failed_verdict_and_a_move_see_each_other() {
    let verdict = "call judge('{1}', '{4}', '{false}', '{broken}', 'enactor', fixture.ids('{1}', '{4}'))";
    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
    let on_its_way = barriers.stopped_at("zz_move_is_judged", &enact(4)).await;
    let failed = barriers.begin(verdict).await;
    barriers.waits(&failed).await;
    barriers.open().await;
    assert_eq!((on_its_way.refusal().await, failed.refusal().await), (None, None));

    let mut barriers = Barriers::on_the_fixture().await;
    barriers.at_once("select fixture.name_it(1, 5)").await.unwrap();
    let failed = barriers.stopped_at("zz_verdict_is_judged", verdict).await;
    let behind = barriers.begin(&enact(4)).await;
    barriers.waits(&behind).await;
    barriers.open().await;
    assert_eq!(failed.refusal().await, None);
    refused(behind, "HF026").await;
    assert!(barriers.says(&head_is(3)).await);
}

#[tokio::test]
async fn f59_rows_that_come_while_a_plan_is_named_are_judged_or_refused() {
    // The generation is written, and has not looked yet: the late row is there when it does.
    let mut barriers = Barriers::on_the_fixture().await;
    let named = barriers.stopped_at("aa_generation_is_written", &admit(5, 4)).await;
    barriers.at_once(SPOIL_PLAN_5).await.unwrap();
    barriers.open().await;
    refused(named, "HF008").await;

    // It has looked: late rows wait, and find the plan closed.
    let mut barriers = Barriers::on_the_fixture().await;
    let named = barriers.stopped_at("zz_generation_is_judged", &admit(5, 4)).await;
    let change = barriers.begin(SPOIL_PLAN_5).await;
    let read = barriers.begin("insert into plan_read (plan, zone, owner) values (5, 1, 'late')").await;
    barriers.waits(&change).await;
    barriers.waits(&read).await;
    barriers.open().await;
    assert_eq!(named.refusal().await, None);
    refused(change, "HF003").await;
    refused(read, "HF003").await;
}

#[tokio::test]
async fn f59_a_plan_is_named_while_rows_come() {
    // The row is written, and has not looked yet: the plan is named without it, so the row is refused.
    let mut barriers = Barriers::on_the_fixture().await;
    let change = barriers.stopped_at("aa_changes_are_written", SPOIL_PLAN_5).await;
    barriers.at_once(&admit(5, 4)).await.unwrap();
    barriers.open().await;
    refused(change, "HF003").await;
    assert!(barriers.says("select not exists (select from change where plan = 5 and owner = '@')").await);

    // It has looked: the generation waits, and judges what has come.
    let mut barriers = Barriers::on_the_fixture().await;
    let change = barriers.stopped_at("zz_changes_are_judged", SPOIL_PLAN_5).await;
    let named = barriers.begin(&admit(5, 4)).await;
    barriers.waits(&named).await;
    barriers.open().await;
    assert_eq!(change.refusal().await, None);
    refused(named, "HF008").await;
}
