//! Admission carried out: read the history, ask the rules, write under the premise, and again when the race was lost.

use crate::notices::Notices;
use crate::store::{HistoryStore, ReadHistory, StoreError, Written};
use plan_rules::{Admission, Author, Counts, Decision, Refusal, Tip, admit, admit_on_newer_tip};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use zone_model::{Base, Digest, GroupName, Plan, Version};

/// A plan as it was posted.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The plan, valid in itself.
    pub plan: Plan,
    /// The number of the token that it was posted with.
    pub token: i64,
    /// What that token may do.
    pub author: Author,
    /// The client's key for retries, if any.
    pub idempotency: Option<Idempotency>,
    /// Decide only, and write nothing.
    pub dry_run: bool,
}

/// A client's key for retries, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// 1 to 255 characters, the client's choice.
    pub key: String,
    /// BLAKE3 of the request: method, path, options that matter and body.
    pub body_hash: [u8; 32],
}

/// How an admission ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// A new generation.
    New(AdmittedPlan),
    /// The plan had been admitted before, under the same idempotency key.
    Repeated(AdmittedPlan),
    /// It would be admitted; nothing was written.
    DryRun(AdmittedPlan),
    /// All is already as wished.
    NoOp {
        /// The tip.
        tip: Tip,
        /// Deletes of what was not there.
        absent: u32,
    },
}

/// A plan in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedPlan {
    /// The group.
    pub group: GroupName,
    /// The generation that the plan made, and its id.
    pub version: Version,
    /// The plan's base.
    pub base: Base,
    /// Whether it landed on a tip above its base.
    pub rebased: bool,
    /// The digest of all that stands at the generation.
    pub digest: Digest,
    /// How many record sets changed in which way.
    pub counts: Counts,
}

/// Why nothing was admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// The rules refused.
    #[error("the plan was refused: {0:?}")]
    Refused(Refusal),
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Lost too many races in a row, for too long.
    #[error("other plans were admitted first, for {0} seconds on end")]
    Busy(u64),
    /// The database could not be asked, or holds what was never written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For how long a plan that keeps losing races is tried again, in seconds.
const TRIED_AGAIN_S_MAX: u64 = 30;

/// Admits plans; cheap to clone.
#[derive(Clone, Debug)]
pub struct Admissions {
    store: HistoryStore,
    notices: Notices,
    queues: Arc<GroupQueues>,
}

impl Admissions {
    /// Admits into `store`, and lets the enactors know by `notices`.
    #[must_use]
    pub fn new(store: HistoryStore, notices: Notices) -> Self {
        Self { store, notices, queues: Arc::default() }
    }

    /// Admits a plan. It runs in a task of its own: a caller that stops waiting cancels nothing.
    ///
    /// # Errors
    /// Why nothing was admitted.
    pub async fn admit(&self, submission: Submission) -> Result<Admitted, AdmissionError> {
        let this = self.clone();
        match tokio::spawn(async move { this.admit_to_the_end(submission).await }).await {
            Ok(result) => result,
            Err(ended) => Err(StoreError::Damaged(format!("the admission ended early: {ended}")).into()),
        }
    }

    async fn admit_to_the_end(&self, submission: Submission) -> Result<Admitted, AdmissionError> {
        if let Some(repeated) = self.known_by_its_key(&submission).await? {
            return Ok(repeated);
        }
        let started = Instant::now();
        loop {
            match self.attempt(&submission).await {
                Ok(Attempt::Ended(admitted)) => return Ok(admitted),
                Ok(Attempt::KeyKnown) => {
                    if let Some(repeated) = self.known_by_its_key(&submission).await? {
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

    /// Reads, decides, writes; once.
    ///
    /// 1. This reads tip 41 and decides: generation 42.
    /// 2. This is stopped for ten minutes, and other plans become 42 to 900.
    /// 3. This writes 42: the key is taken, so no row is written, and it reads and decides again, on 900.
    async fn attempt(&self, submission: &Submission) -> Result<Attempt, AdmissionError> {
        // Within this process plans of a group wait in line, in place of racing each other; between processes they race.
        let mut turn = Some(self.queues.turn(&submission.plan.group).await);
        let mut read = self.store.history_for(&submission.plan).await?;
        let mut admission = match self.decide(submission, &read)? {
            Decision::Admit(admission) => *admission,
            Decision::NoOp { tip, absent } => return Ok(Attempt::Ended(Admitted::NoOp { tip, absent })),
        };
        if submission.dry_run {
            return Ok(Attempt::Ended(Admitted::DryRun(admitted_plan(submission, &admission))));
        }
        if read.group.is_none() || !admission.begins.is_empty() {
            // Another plan may have begun the same zone between the read above and this, so what is decided is what
            // is read afterwards.
            self.store.begin(&submission.plan, &admission.begins).await?;
            read = self.store.history_for(&submission.plan).await?;
            admission = match self.decide(submission, &read)? {
                Decision::Admit(admission) => *admission,
                Decision::NoOp { tip, absent } => return Ok(Attempt::Ended(Admitted::NoOp { tip, absent })),
            };
        }
        let mut staged = None;
        if HistoryStore::is_staged_first(&admission) {
            // Staging takes long and needs no premise: others go ahead meanwhile.
            turn = None;
            staged = Some(self.store.stage(submission, &admission, &read).await?);
        }
        loop {
            if turn.is_none() {
                turn = Some(self.queues.turn(&submission.plan.group).await);
            }
            match self.store.write(submission, &admission, &read, staged).await? {
                Written::Admitted => {
                    self.notices.send();
                    return Ok(Attempt::Ended(Admitted::New(admitted_plan(submission, &admission))));
                }
                Written::KeyKnown => return Ok(Attempt::KeyKnown),
                Written::LostRace => {}
            }
            let Some(plan) = staged else { return Ok(Attempt::DecideAgain) };
            // The rows are staged and stay right on any tip; only what is new has to be judged.
            let judged_on = admission.version.generation.get() - 1;
            let judged_on = Base::new(judged_on).unwrap_or(Base::NOTHING);
            let news = self.store.news_for(plan.0, judged_on).await?;
            match admit_on_newer_tip(admission, &news).map_err(AdmissionError::Refused)? {
                Some(on_newer_tip) => admission = on_newer_tip,
                None => return Ok(Attempt::DecideAgain),
            }
        }
    }

    fn decide(&self, submission: &Submission, read: &ReadHistory) -> Result<Decision, AdmissionError> {
        admit(&submission.plan, &submission.author, &read.history).map_err(AdmissionError::Refused)
    }

    async fn known_by_its_key(&self, submission: &Submission) -> Result<Option<Admitted>, AdmissionError> {
        let Some(asked) = &submission.idempotency else { return Ok(None) };
        match self.store.idempotent(submission.token, &asked.key).await? {
            None => Ok(None),
            Some((first, plan)) if first == *asked => Ok(Some(Admitted::Repeated(plan))),
            Some(_) => Err(AdmissionError::KeyReused),
        }
    }
}

/// How one attempt ended.
enum Attempt {
    Ended(Admitted),
    KeyKnown,
    DecideAgain,
}

fn admitted_plan(submission: &Submission, admission: &Admission) -> AdmittedPlan {
    AdmittedPlan {
        group: submission.plan.group.clone(),
        version: admission.version,
        base: admission.base,
        rebased: admission.rebased,
        digest: admission.digest,
        counts: admission.counts,
    }
}

/// One queue for each group that has plans under way.
#[derive(Debug, Default)]
struct GroupQueues {
    queues: Mutex<HashMap<GroupName, Arc<tokio::sync::Mutex<()>>>>,
}

impl GroupQueues {
    /// Waits for this plan's turn in its group, first come, first served.
    async fn turn(&self, group: &GroupName) -> tokio::sync::OwnedMutexGuard<()> {
        let queue = {
            let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
            // Only this map holds a queue that nobody waits in.
            if queues.len() > 1_024 {
                queues.retain(|_, queue| Arc::strong_count(queue) > 1);
            }
            Arc::clone(queues.entry(group.clone()).or_default())
        };
        queue.lock_owned().await
    }
}
