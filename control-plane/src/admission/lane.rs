//! A lane: small plans that wait at the same time are read, decided and written together.
//!
//! Clients who post at the same time would otherwise wait for each other's write to disk, one after the other. Each plan
//! is judged on the history as it is *after* those before it, and makes a generation of its own; all are written, or
//! none. Nobody is told anything before that: what was decided on a plan that was not written never was.

use super::turns::Turns;
use super::{AdmissionError, Admitted, Submission, TRIED_AGAIN_S_MAX, admitted_plan, known_by_its_key};
use crate::notices::Notices;
use crate::store::{HistoryStore, ReadHistory, StoreError, Write, Written};
use plan_rules::{Admission, Decision, admit};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};
use zone_model::GroupName;

/// How many plans are written together at most.
const TOGETHER_MAX: usize = 64;
/// The longest that a plan waits for those who posted a moment ago.
const GATHERS_MAX: Duration = Duration::from_millis(2);

/// A plan that waits for its result.
#[derive(Debug)]
pub(super) struct Waiting {
    submission: Submission,
    reply: oneshot::Sender<Result<Admitted, AdmissionError>>,
    since: Instant,
    /// Whether something went wrong when it was written with others.
    alone: bool,
}

impl Waiting {
    pub(super) fn new(submission: Submission, reply: oneshot::Sender<Result<Admitted, AdmissionError>>) -> Self {
        Self { submission, reply, since: Instant::now(), alone: false }
    }

    fn answer(self, result: Result<Admitted, AdmissionError>) {
        // A client that hung up is told nothing; its plan is in the history all the same.
        drop(self.reply.send(result));
    }
}

/// One of several; a group's plans are always in the same one.
#[derive(Debug)]
pub(super) struct Lane {
    store: HistoryStore,
    notices: Notices,
    turns: Arc<Turns>,
}

/// What was decided about a plan, on condition that those before it are written.
enum Decided {
    Admit(Box<Admission>),
    Answer(Result<Admitted, AdmissionError>),
}

impl Lane {
    pub(super) fn new(store: HistoryStore, notices: Notices, turns: Arc<Turns>) -> Self {
        Self { store, notices, turns }
    }

    /// Runs until nobody can post any more.
    pub(super) async fn run(self, mut inbox: mpsc::Receiver<Waiting>) {
        let mut waiting = VecDeque::new();
        let mut posting = 1;
        loop {
            if waiting.is_empty() {
                let Some(one) = inbox.recv().await else { return };
                waiting.push_back(one);
            }
            while let Ok(one) = inbox.try_recv() {
                waiting.push_back(one);
            }
            gather(&mut inbox, &mut waiting, posting).await;
            let (batch, turns) = self.next_batch(&mut waiting).await;
            let together = batch.len();
            let again = self.admit(batch).await;
            drop(turns);
            while let Ok(one) = inbox.try_recv() {
                waiting.push_back(one);
            }
            posting = together + waiting.len();
            for one in again.into_iter().rev() {
                // A race is only ever lost to a plan that was admitted, so somebody always gets on.
                if one.since.elapsed().as_secs() >= TRIED_AGAIN_S_MAX {
                    one.answer(Err(AdmissionError::Busy(TRIED_AGAIN_S_MAX)));
                } else {
                    waiting.push_front(one);
                }
            }
        }
    }

    /// Those of the waiting that can go together, and the turns of their groups. The others stay, in their order.
    async fn next_batch(&self, waiting: &mut VecDeque<Waiting>) -> (Vec<Waiting>, Vec<OwnedMutexGuard<()>>) {
        let mut turns: HashMap<GroupName, Option<OwnedMutexGuard<()>>> = HashMap::new();
        let mut keys: HashSet<(i64, String)> = HashSet::new();
        let mut batch: Vec<Waiting> = Vec::new();
        let mut stay = VecDeque::new();
        while let Some(one) = waiting.pop_front() {
            let plan = &one.submission.plan;
            let fits = batch.len() < TOGETHER_MAX && batch.first().is_none_or(|first| !first.alone && !one.alone);
            // The second of two with one key waits until the first has its result.
            let key = one.submission.idempotency.as_ref().map(|asked| (one.submission.token, asked.key.clone()));
            let is_twin = key.as_ref().is_some_and(|key| keys.contains(key));
            let mut has_turn =
                || turns.entry(plan.group.clone()).or_insert_with(|| self.turns.take_now(&plan.group)).is_some();
            if fits && !is_twin && has_turn() {
                keys.extend(key);
                batch.push(one);
            } else {
                stay.push_back(one);
            }
        }
        *waiting = stay;
        if batch.is_empty()
            && let Some(one) = waiting.pop_front()
        {
            // A large plan is at the door of every group that anybody here waits for.
            let turn = self.turns.take(&one.submission.plan.group).await;
            return (vec![one], vec![turn]);
        }
        (batch, turns.into_values().flatten().collect())
    }

    /// Reads, decides and writes; once. Gives back those that have to be decided again.
    ///
    /// 1. This reads tip 41, and decides that A is 42 and B is 43.
    /// 2. This is stopped for ten minutes, and another program's plans become 42 to 900.
    /// 3. This writes 42 and 43: the numbers are taken, so no row is written, and both are decided again, on 900.
    async fn admit(&self, mut batch: Vec<Waiting>) -> Vec<Waiting> {
        let plans: Vec<_> = batch.iter().map(|one| &one.submission.plan).collect();
        let mut read = match self.store.histories_for(&plans).await {
            Ok(read) => read,
            Err(error) => return alone_or_answered(batch, error),
        };
        let mut decided: Vec<Decided> = batch.iter().map(|one| decide(&one.submission, &mut read)).collect();
        match self.write(&batch, &decided, &read).await {
            Ok(Written::Admitted) => {}
            Ok(Written::LostRace) => return batch,
            Ok(Written::KeyKnown) => return self.without_known_keys(batch).await,
            Err(error) if error.is_overtaken() => {
                tracing::debug!(%error, "overtaken; deciding again");
                batch.iter_mut().for_each(|one| one.alone = true);
                return batch;
            }
            Err(error) => return alone_or_answered(batch, error),
        }
        for (one, decided) in batch.into_iter().zip(decided.drain(..)) {
            let result = match decided {
                Decided::Admit(admission) => Ok(Admitted::New(admitted_plan(&one.submission, &admission))),
                Decided::Answer(result) => result,
            };
            one.answer(result);
        }
        Vec::new()
    }

    async fn write(
        &self,
        batch: &[Waiting],
        decided: &[Decided],
        read: &BTreeMap<GroupName, ReadHistory>,
    ) -> Result<Written, StoreError> {
        let writes = batch.iter().zip(decided).filter_map(|(one, decided)| {
            let Decided::Admit(admission) = decided else { return None };
            let history = read.get(&one.submission.plan.group)?;
            let group = history.group.unwrap_or_default();
            Some(Write { submission: &one.submission, admission, group, zones: &history.zones, staged: None })
        });
        let writes: Vec<Write<'_>> = writes.collect();
        if writes.is_empty() {
            return Ok(Written::Admitted);
        }
        let written = self.store.write(&writes).await?;
        if written == Written::Admitted {
            self.notices.send();
        }
        Ok(written)
    }

    /// Somebody's key has its result already: gives it to them, and the others back.
    async fn without_known_keys(&self, batch: Vec<Waiting>) -> Vec<Waiting> {
        let mut again = Vec::with_capacity(batch.len());
        for one in batch {
            let known = match &one.submission.idempotency {
                Some(asked) => known_by_its_key(&self.store, one.submission.token, asked).await.transpose(),
                None => None,
            };
            match known {
                Some(result) => one.answer(result),
                None => again.push(one),
            }
        }
        again
    }
}

/// Clients who were just answered mostly post again at once: those who come first wait a moment for as many as were `posting`
/// (answered, or waiting while others were), or they would go in two halves for ever, each at the price of a whole. A client
/// alone waits for nobody.
async fn gather(inbox: &mut mpsc::Receiver<Waiting>, waiting: &mut VecDeque<Waiting>, posting: usize) {
    let until = tokio::time::Instant::now() + GATHERS_MAX;
    while waiting.len() < posting.min(TOGETHER_MAX) {
        match tokio::time::timeout_at(until, inbox.recv()).await {
            Ok(Some(one)) => waiting.push_back(one),
            Ok(None) | Err(_) => return,
        }
    }
}

/// Decides about one plan, on the history after those that were decided before it.
fn decide(submission: &Submission, read: &mut BTreeMap<GroupName, ReadHistory>) -> Decided {
    let history = read.entry(submission.plan.group.clone()).or_default();
    match admit(&submission.plan, &submission.author, history.on_base_of(&submission.plan)) {
        Ok(Decision::Admit(admission)) => {
            history.history.admitted(&admission);
            Decided::Admit(admission)
        }
        Ok(Decision::NoOp { tip, absent }) => Decided::Answer(Ok(Admitted::NoOp { tip, absent })),
        Err(refusal) => Decided::Answer(Err(AdmissionError::Refused(refusal))),
    }
}

/// One plan's trouble must not be everybody's: what fails together is tried alone, and what fails alone has failed.
fn alone_or_answered(mut batch: Vec<Waiting>, error: StoreError) -> Vec<Waiting> {
    if batch.len() > 1 {
        tracing::debug!(%error, "failed together; trying each alone");
        batch.iter_mut().for_each(|one| one.alone = true);
    } else if let Some(one) = batch.pop() {
        one.answer(Err(error.into()));
    }
    batch
}
