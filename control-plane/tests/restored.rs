//! A database that went back in time between a decision and its write.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use control_plane::admission::{AdmissionError, Submission};
use control_plane::store::{ReadHistory, Write, Written};
use plan_rules::{Admission, Decision, Refusal, admit, admit_on_newer_tip};
use support::{World, edit};
use zone_model::Base;

/// What an API decides about a plan, before it is stopped.
async fn decided(world: &World, submission: &Submission) -> (ReadHistory, Admission) {
    let mut read = world.store().history_for(&submission.plan).await.unwrap();
    match admit(&submission.plan, &submission.author, read.on_base_of(&submission.plan)) {
        Ok(Decision::Admit(admission)) => (read, *admission),
        other => panic!("{other:?}"),
    }
}

/// As it was at generation 1; and then another plan becomes 2.
async fn restore_and_go_on(world: &World) {
    world.superuser("set session_replication_role = replica; delete from generation where generation > 1").await;
    world.post(edit(1, &[("b", 2)], &[])).await.unwrap();
    assert_eq!(world.tip().await, 2);
}

/// 1. An API reads tip 2 with the id A, and decides that its plan is 3.
/// 2. The API is stopped; the database goes back to 1, and another plan makes a 2 with the id B.
/// 3. The API goes on: 3 is the next number, and nothing in its footprint changed above its base. But it is no child of B.
#[tokio::test]
async fn f08_what_was_decided_on_another_tip_of_the_same_number_is_decided_again() {
    let world = World::with_example().await;
    world.post(edit(1, &[("a", 1)], &[])).await.unwrap();
    let submission = world.submission(edit(2, &[("c", 3)], &[]));
    let (read, admission) = decided(&world, &submission).await;
    assert_eq!(admission.version.generation.get(), 3);
    let group = read.group.unwrap();
    restore_and_go_on(&world).await;
    let before = world.everything().await;
    let write = Write { submission: &submission, admission: &admission, group, zones: &read.zones, staged: None };
    assert_eq!(world.store().write(&[write]).await.unwrap(), Written::LostRace);
    assert_eq!(world.everything().await, before, "who lost has written nothing");
    // And again: on B.
    let (read, admission) = decided(&world, &submission).await;
    let write = Write { submission: &submission, admission: &admission, group, zones: &read.zones, staged: None };
    assert_eq!(world.store().write(&[write]).await.unwrap(), Written::Admitted);
    world.assert_that_digests_add_up().await;
}

/// Who staged a large plan judges only what is new above the number that it had read: of another history that tells nothing.
#[tokio::test]
async fn f08_a_staged_plan_of_another_history_is_decided_anew() {
    let world = World::with_example().await;
    world.post(edit(1, &[("a", 1)], &[])).await.unwrap();
    let submission = world.submission(edit(2, &[("c", 3)], &[]));
    let (read, admission) = decided(&world, &submission).await;
    let staged = world.store().stage(&submission, &admission, &read).await.unwrap();
    let group = read.group.unwrap();
    let write =
        Write { submission: &submission, admission: &admission, group, zones: &read.zones, staged: Some(staged) };
    restore_and_go_on(&world).await;
    assert_eq!(world.store().write(&[write]).await.unwrap(), Written::LostRace);
    let news = world.store().news_for(staged.0, Base::new(2).unwrap()).await.unwrap();
    assert_ne!(news.decided_on, admission.parent);
    assert!(news.changed.is_empty() && news.meanwhile.as_ref().is_some_and(Vec::is_empty), "{news:?}");
    assert_eq!(admit_on_newer_tip(admission, &news), Ok(None));
}

/// 1. An API stages a large plan as number N, and is stopped.
/// 2. The database goes back to before that; another plan is staged, and the sequence gives it N again.
/// 3. The API goes on: the tip is still what it decided on, and a plan N is there. But its rows are somebody else's.
#[tokio::test]
async fn f08_a_staged_plan_whose_number_is_another_ones_is_decided_anew() {
    let world = World::with_example().await;
    let (mine, theirs) = (world.submission(edit(1, &[("a", 1)], &[])), world.submission(edit(1, &[("b", 2)], &[])));
    let (read, admission) = decided(&world, &mine).await;
    let staged = world.store().stage(&mine, &admission, &read).await.unwrap();
    world
        .superuser(&format!(
            "set session_replication_role = replica; delete from change where plan = {0}; \
             delete from plan_read where plan = {0}; delete from plan where plan = {0}; \
             select setval('plan_number', {0}, false)",
            staged.0
        ))
        .await;
    let (read_by_them, decided_by_them) = decided(&world, &theirs).await;
    assert_eq!(world.store().stage(&theirs, &decided_by_them, &read_by_them).await.unwrap(), staged);
    let group = read.group.unwrap();
    let write = Write { submission: &mine, admission: &admission, group, zones: &read.zones, staged: Some(staged) };
    let before = world.everything().await;
    let refused = world.store().write(&[write]).await;
    assert!(refused.is_err_and(|refused| refused.is_overtaken()), "it is decided again");
    assert_eq!(world.everything().await, before);
    world.post(mine.plan).await.unwrap();
    world.assert_that_digests_add_up().await;
}

/// Several plans of a group in one call follow one another; and the chain is judged, not only its first link.
#[tokio::test]
async fn f08_plans_that_are_written_together_follow_one_another() {
    let world = World::with_example().await;
    let one = world.submission(edit(1, &[("a", 1)], &[]));
    let (mut read, first) = decided(&world, &one).await;
    let group = read.group.unwrap();
    read.history.admitted(&first);
    let other = world.submission(edit(1, &[("b", 2)], &[]));
    let Ok(Decision::Admit(second)) = admit(&other.plan, &other.author, read.on_base_of(&other.plan)) else { panic!() };
    assert_eq!(second.parent, first.version.id);
    let mut astray = (*second).clone();
    astray.parent = first.parent;
    let zones = &read.zones;
    let of_one = Write { submission: &one, admission: &first, group, zones, staged: None };
    let refused = world.store().write(&[of_one, Write { submission: &other, admission: &astray, ..of_one }]).await;
    assert!(refused.is_err_and(|refused| refused.is_overtaken()));
    let together = [of_one, Write { submission: &other, admission: &second, ..of_one }];
    assert_eq!(world.store().write(&together).await.unwrap(), Written::Admitted);
    assert_eq!(world.tip().await, 3);
    world.assert_that_digests_add_up().await;
}

/// The base that a plan was made on is gone: an author is told so, and not that the database failed.
#[tokio::test]
async fn f08_a_plan_on_a_base_that_is_gone_is_decided_again() {
    let world = World::with_example().await;
    world.post(edit(1, &[("a", 1)], &[])).await.unwrap();
    let submission = world.submission(edit(2, &[("c", 3)], &[]));
    let (read, admission) = decided(&world, &submission).await;
    world.superuser("set session_replication_role = replica; delete from generation where generation > 1").await;
    let group = read.group.unwrap();
    let write = Write { submission: &submission, admission: &admission, group, zones: &read.zones, staged: None };
    assert!(world.store().write(&[write]).await.is_err_and(|refused| refused.is_overtaken()));
    let again = world.post(submission.plan).await;
    assert!(matches!(again, Err(AdmissionError::Refused(Refusal::UnknownBase { .. }))), "{again:?}");
}

/// 1. An enactor finds that the servers do not live on generation 2 with the id A, and is stopped.
/// 2. The database goes back to 1, and another plan makes a 2 with the id B, which nobody has tried.
/// 3. The enactor goes on: its verdict is on A, and says nothing of B.
#[tokio::test]
async fn f08_a_verdict_on_a_generation_of_another_history_is_none() {
    let world = World::with_example().await;
    world.post(edit(1, &[("a", 1)], &[])).await.unwrap();
    world.run("create table judged as select zone_group, id from generation where generation = 2").await;
    restore_and_go_on(&world).await;
    let verdicts = "select count(*) from verdict where generation = 2";
    for (of, wanted) in [("judged", 0), ("(select * from generation where generation = 2) as now", 1)] {
        let (group, id): (i64, Vec<u8>) =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("select zone_group, id from {of}")))
                .fetch_one(world.owner())
                .await
                .unwrap();
        sqlx::query(
            "call judge(array [$1], array [2::bigint], array [false], array ['tried'], 'enactor-1', array [$2])",
        )
        .bind(group)
        .bind(id)
        .execute(world.owner())
        .await
        .unwrap();
        assert_eq!(world.count(verdicts).await, wanted, "{of}");
    }
}
