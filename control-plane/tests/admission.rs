//! Admission on a real Postgres: the compare-and-swap, races, staging, idempotency, and what is left behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use control_plane::admission::{AdmissionError, Admitted, Idempotency};
use plan_rules::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use support::{World, addresses, edit, name, plan, replacement};
use zone_model::{Edit, Guard, Key, Name, Placed, Plan, RecordData, RecordSet, RecordType, SetKey, ZoneChange};

fn generation(admitted: &Result<Admitted, AdmissionError>) -> i64 {
    match admitted {
        Ok(Admitted::New(plan) | Admitted::Repeated(plan) | Admitted::DryRun(plan)) => plan.version.generation.get(),
        other => panic!("not admitted: {other:?}"),
    }
}

fn is_stale(admitted: &Result<Admitted, AdmissionError>) -> bool {
    matches!(admitted, Err(AdmissionError::Refused(Refusal::StaleBase { .. })))
}

#[tokio::test]
async fn two_clients_from_one_base_disjoint_land_overlapping_conflict() {
    let world = World::with_example().await;
    assert_eq!(generation(&world.post(edit(1, &[("a", 1)], &[])).await), 2);
    assert_eq!(generation(&world.post(edit(1, &[("b", 1)], &[])).await), 3);
    match world.post(edit(1, &[("a", 2)], &[])).await {
        Err(AdmissionError::Refused(Refusal::StaleBase { tip, conflicts, .. })) => {
            assert_eq!(tip.generation.get(), 3);
            assert_eq!(conflicts.len(), 1);
            assert_eq!((conflicts[0].name.clone(), conflicts[0].changed_in.get()), (name("a.example."), 2));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn racing_programs_lose_no_update() {
    let world = World::with_example().await;
    // Each of them is an API of its own, with its own queue: they meet in the database only.
    let mut tasks = tokio::task::JoinSet::new();
    for program in 0..4_u8 {
        let api = world.another_api();
        tasks.spawn(async move {
            let mut generations = Vec::new();
            for round in 0..15_u8 {
                let owner = format!("p{program}r{round}");
                generations.push(generation(&api.post(edit(1, &[(&owner, round + 1)], &[])).await));
            }
            generations
        });
    }
    let all: Vec<i64> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(all.iter().copied().collect::<BTreeSet<i64>>(), (2..=61).collect());
    world.assert_that_digests_add_up().await;
}

#[tokio::test]
async fn racing_programs_that_want_the_same_name_let_one_through() {
    let world = World::with_example().await;
    let mut tasks = tokio::task::JoinSet::new();
    for program in 0..6_u8 {
        let api = world.another_api();
        tasks.spawn(async move { api.post(edit(1, &[("www", program + 1)], &[])).await });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(all.iter().filter(|one| is_stale(one)).count(), 5);
}

#[tokio::test]
async fn racing_programs_that_begin_one_zone_let_one_through() {
    let world = World::empty().await;
    let mut tasks = tokio::task::JoinSet::new();
    for program in 0..4_u8 {
        let api = world.another_api();
        tasks.spawn(async move {
            api.post(plan(0, "example.", replacement("example.", 1, vec![addresses("www.example.", &[program + 1])])))
                .await
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|one| is_stale(one)).count(), 3, "{all:?}");
    world.assert_that_digests_add_up().await;
}

#[tokio::test]
async fn a_zone_is_in_one_group_for_ever() {
    let world = World::with_example().await;
    let mut other = plan(0, "example.", replacement("example.", 1, vec![]));
    other.group = zone_model::GroupName::parse("other").unwrap();
    match world.post(other).await {
        Err(AdmissionError::Refused(Refusal::Invalid(violations))) => {
            assert!(violations[0].message.contains("belongs to the group example"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.count("select count(*) from zone_group").await, 1);
}

#[tokio::test]
async fn f09_a_retry_gets_the_first_result() {
    let world = World::with_example().await;
    let key = Idempotency { key: "once".to_owned(), body_hash: [1; 32] };
    let first = world.post_with_key(edit(1, &[("a", 1)], &[]), &key).await;
    assert_eq!(generation(&first), 2);
    world.post(edit(2, &[("a", 2)], &[])).await.unwrap();
    // By now the plan is stale; its key is looked up before conflicts are judged.
    match (first, world.post_with_key(edit(1, &[("a", 1)], &[]), &key).await) {
        (Ok(Admitted::New(first)), Ok(Admitted::Repeated(again))) => assert_eq!(first, again),
        other => panic!("{other:?}"),
    }
    let other_body = Idempotency { body_hash: [2; 32], ..key.clone() };
    assert!(matches!(
        world.post_with_key(edit(3, &[("b", 1)], &[]), &other_body).await,
        Err(AdmissionError::KeyReused)
    ));
    assert_eq!(world.count("select count(*) from generation").await, 3);
}

#[tokio::test]
async fn f09_retries_at_the_same_time_make_one_plan() {
    let world = World::with_example().await;
    // Some find the key at once, some lose the race for it, some see what the first has done before they see its key.
    for round in 0..10_u8 {
        let key = Idempotency { key: format!("once-{round}"), body_hash: [1; 32] };
        let base = world.tip().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (api, key) = (world.another_api(), key.clone());
            tasks.spawn(async move { api.post_with_key(edit(base, &[("a", round + 1)], &[]), &key).await });
        }
        let all = tasks.join_all().await;
        assert!(all.iter().all(|one| generation(one) == base + 1), "{all:?}");
        assert_eq!(all.iter().filter(|one| matches!(one, Ok(Admitted::New(_)))).count(), 1);
    }
}

#[tokio::test]
async fn a_large_plan_is_staged_and_small_ones_go_on_meanwhile() {
    let world = World::with_example().await;
    world.post(plan(1, "other.", replacement("other.", 1, vec![]))).await.unwrap();
    let many = (0..12_000_u32).map(|host| addresses(&format!("h{host}.other."), &[1])).collect();
    let (large, small) = (world.another_api(), world.another_api());
    let staged = tokio::spawn(async move { large.post(plan(2, "other.", replacement("other.", 2, many))).await });
    let mut landed = 0_u8;
    while !staged.is_finished() {
        landed += 1;
        generation(&small.post(edit(2, &[(&format!("s{landed}"), 1)], &[])).await);
    }
    let admitted = staged.await.unwrap();
    assert!(generation(&admitted) > 3, "nothing landed while the large plan was staged");
    world.assert_that_digests_add_up().await;
}

#[tokio::test]
async fn a_large_plan_that_became_stale_while_it_was_staged_is_refused() {
    let world = World::with_example().await;
    world.post(plan(1, "other.", replacement("other.", 1, vec![]))).await.unwrap();
    let many = (0..30_000_u32).map(|host| addresses(&format!("h{host}.other."), &[1])).collect();
    let large = world.another_api();
    let staged = tokio::spawn(async move { large.post(plan(2, "other.", replacement("other.", 2, many))).await });
    while world.count("select count(*) from plan where changes > 10000").await == 0 {
        tokio::task::yield_now().await;
    }
    let small = plan(2, "other.", ZoneChange::Edit(support::edits("other.", &[("h5", 9)], &[])));
    assert_eq!(generation(&world.post(small).await), 3);
    assert!(is_stale(&staged.await.unwrap()));
    assert_eq!(world.tip().await, 3);
}

#[tokio::test]
async fn what_a_staged_plan_leans_on_is_news_to_it() {
    let world = World::with_example().await;
    // It changes one name of the zone, and leans on all of it.
    let replace = plan(1, "example.", replacement("example.", 1, vec![addresses("mine.example.", &[1])]));
    let submission = world.submission(replace);
    let mut read = world.store().history_for(&submission.plan).await.unwrap();
    let decision = plan_rules::admit(&submission.plan, &submission.author, read.on_base_of(&submission.plan)).unwrap();
    let plan_rules::Decision::Admit(admission) = decision else { panic!("{decision:?}") };
    let staged = world.store().stage(&submission, &admission, &read).await.unwrap();
    world.post(edit(1, &[("theirs", 1)], &[])).await.unwrap();
    let news = world.store().news_for(staged.0, submission.plan.base).await.unwrap();
    assert!(news.changed.iter().any(|(_, owner, _)| *owner == name("theirs.example.")), "{news:?}");
}

#[tokio::test]
async fn who_points_at_a_name_is_written_with_the_change() {
    let world = World::with_example().await;
    let mx = |owner: &str| {
        let data = ["10 Mail.example.", r"20 a\032b.example."];
        let data = data.map(|text| RecordData::parse(RecordType::MX, text, &Name::root()).unwrap());
        RecordSet::new(name(owner), RecordType::MX, 60, data.to_vec()).unwrap()
    };
    let upserts = vec![Placed { place: String::new(), value: mx("www.example.") }];
    let small = plan(1, "example.", ZoneChange::Edit(Edit::new(&name("example."), upserts, vec![]).unwrap()));
    // Nothing stands there, and that is not what this is about.
    let anyway = |plan: Plan| Plan { acknowledged: BTreeMap::from([(Guard::References, "a test".to_owned())]), ..plan };
    world.post(anyway(small)).await.unwrap();
    let large = (0..300).map(|host| addresses(&format!("h{host}.other."), &[1])).chain([mx("www.other.")]).collect();
    world.post(anyway(plan(2, "other.", replacement("other.", 1, large)))).await.unwrap();
    let both = r"points_to = array ['a\032b.example.', 'mail.example.']";
    assert_eq!(world.count(&format!("select count(*) from change where owner = 'www' and {both}")).await, 2);
    assert_eq!(world.count("select count(*) from change where points_to @> '{ns1.example.}'").await, 2);
    assert_eq!(world.count("select count(*) from change where points_to is not null").await, 4);
}

#[tokio::test]
async fn a_dry_run_and_a_refusal_write_nothing() {
    let world = World::with_example().await;
    let before = world.everything().await;
    let tried = world.dry_run(edit(1, &[("a", 1)], &[])).await;
    assert_eq!(generation(&tried), 2);
    assert_eq!(generation(&world.dry_run(plan(1, "new.", replacement("new.", 1, vec![]))).await), 2);
    assert!(world.post(edit(1, &[], &["@"])).await.is_err());
    assert!(world.post(edit(7, &[("a", 1)], &[])).await.is_err());
    assert!(matches!(world.post(edit(1, &[], &["nowhere"])).await, Ok(Admitted::NoOp { absent: 1, .. })));
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_damaged_row_is_an_error_and_not_an_answer() {
    let world = World::with_example().await;
    world.post(edit(1, &[("a", 1)], &[])).await.unwrap();
    world
        .superuser("set session_replication_role = replica; update change set value = '\\x00' where owner = 'a'")
        .await;
    match world.post(edit(2, &[("a", 2)], &[])).await {
        Err(AdmissionError::Store(error)) => assert!(error.to_string().contains("damaged"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_history_reads_back_as_it_was_written() {
    let world = World::with_example().await;
    let mut wished = edit(1, &[("WWW", 1)], &[]);
    wished.zones.insert(name("other."), replacement("other.", 77, vec![addresses("*.other.", &[1, 2])]));
    world.post(wished.clone()).await.unwrap();
    assert!(matches!(world.post(wished.clone()).await, Ok(Admitted::NoOp { .. })));
    let read = world.store().history_for(&wished).await.unwrap();
    let other = &read.history.zones[&name("other.")];
    assert_eq!(other.serial_at_tip().unwrap().0, 77);
    let key = SetKey::new(&name("*.other."), RecordType::A);
    assert_eq!(other.sets[&key].set.as_ref().unwrap().records().len(), 2);
    let ours = &read.history.zones[&name("example.")];
    let spelled =
        ours.sets[&SetKey::new(&name("www.example."), RecordType::A)].set.as_ref().unwrap().owner().to_string();
    assert_eq!(spelled, "WWW.example.");
    assert_eq!(Key::Serial.to_columns(&name("other.")).owner, "@");
}
