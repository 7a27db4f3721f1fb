//! Large plans: whole zones, new ones among them, and long lists of changes.

use super::turns::Turns;
use super::{AdmissionError, Admitted, Submission, TRIED_AGAIN_S_MAX, admitted_plan, known_by_its_key};
use crate::notices::Notices;
use crate::store::{HistoryStore, ReadHistory, StagedPlan, StoreError, Write, Written};
use plan_rules::{Admission, Decision, admit_on_newer_tip};
use std::sync::Arc;
use std::time::Instant;
use zone_model::Base;

/// Admits a large plan. Reading, deciding and staging may take seconds; others in its group go on meanwhile.
pub(super) async fn admit(
    store: &HistoryStore,
    notices: &Notices,
    turns: &Turns,
    submission: Submission,
) -> Result<Admitted, AdmissionError> {
    let started = Instant::now();
    let submission = Arc::new(submission);
    loop {
        match attempt(store, turns, &submission).await {
            Ok(Attempt::Ended(admitted)) => {
                if matches!(admitted, Admitted::New(_)) {
                    notices.send();
                }
                return Ok(admitted);
            }
            Ok(Attempt::KeyKnown) => {
                if let Some(asked) = &submission.idempotency
                    && let Some(repeated) = known_by_its_key(store, submission.token, asked).await?
                {
                    return Ok(repeated);
                }
            }
            Ok(Attempt::DecideAgain) => {}
            Err(AdmissionError::Store(error)) if error.is_overtaken() => {
                tracing::debug!(group = %submission.plan.group, %error, "overtaken; deciding again");
            }
            Err(error) => return Err(error),
        }
        // A race is only ever lost to a plan that was admitted, so somebody always gets on.
        if started.elapsed().as_secs() >= TRIED_AGAIN_S_MAX {
            return Err(AdmissionError::Busy(TRIED_AGAIN_S_MAX));
        }
    }
}

/// How one attempt ended.
enum Attempt {
    Ended(Admitted),
    KeyKnown,
    DecideAgain,
}

async fn attempt(store: &HistoryStore, turns: &Turns, submission: &Arc<Submission>) -> Result<Attempt, AdmissionError> {
    let read = store.history_for(&submission.plan).await?;
    let (mut read, decision) = decide(submission, read).await?;
    let mut admission = match decision {
        Decision::Admit(admission) => *admission,
        Decision::NoOp { tip, absent } => return Ok(Attempt::Ended(Admitted::NoOp { tip, absent })),
    };
    if read.group.is_none() || !admission.begins.is_empty() {
        // Another plan may have begun the same zone between the read above and this, so what counts is what is read
        // afterwards.
        store.begin(&submission.plan, &admission.begins).await?;
        let decision;
        (read, decision) = decide(submission, store.history_for(&submission.plan).await?).await?;
        admission = match decision {
            Decision::Admit(admission) => *admission,
            Decision::NoOp { tip, absent } => return Ok(Attempt::Ended(Admitted::NoOp { tip, absent })),
        };
    }
    let staged = store.stage(submission, &admission, &read).await?;
    let _turn = turns.take(&submission.plan.group).await;
    write_until_judged(store, submission, admission, &read, staged).await
}

/// Off the threads that answer others: a decision about a million record sets takes a second.
async fn decide(
    submission: &Arc<Submission>,
    mut read: ReadHistory,
) -> Result<(ReadHistory, Decision), AdmissionError> {
    let submission = Arc::clone(submission);
    let deciding = tokio::task::spawn_blocking(move || {
        let decision = plan_rules::admit(&submission.plan, &submission.author, read.on_base_of(&submission.plan));
        decision.map(|decision| (read, decision)).map_err(AdmissionError::Refused)
    });
    deciding.await.map_err(|_| AdmissionError::Store(StoreError::Ended))?
}

/// The rows are staged, and stay right on any tip; after a lost race only what is new has to be judged.
///
/// 1. This decided on tip 41, and staged a million rows.
/// 2. Meanwhile small plans became 42 to 900.
/// 3. This writes 42: the number is taken. It reads what 42 to 900 changed within its footprint: nothing. So it is
///    generation 901, with the same rows and the same difference to the digest.
async fn write_until_judged(
    store: &HistoryStore,
    submission: &Submission,
    mut admission: Admission,
    read: &ReadHistory,
    staged: StagedPlan,
) -> Result<Attempt, AdmissionError> {
    let group = read.group.unwrap_or_default();
    loop {
        let write = Write { submission, admission: &admission, group, zones: &read.zones, staged: Some(staged) };
        match store.write(&[write]).await? {
            Written::Admitted => return Ok(Attempt::Ended(Admitted::New(admitted_plan(submission, &admission)))),
            Written::KeyKnown => return Ok(Attempt::KeyKnown),
            Written::LostRace => {}
        }
        let judged_on = Base::new(admission.version.generation.get() - 1).unwrap_or(Base::NOTHING);
        let news = store.news_for(staged.0, judged_on).await?;
        match admit_on_newer_tip(admission, &news).map_err(AdmissionError::Refused)? {
            Some(on_newer_tip) => admission = on_newer_tip,
            None => return Ok(Attempt::DecideAgain),
        }
    }
}
