//! Admission carried out: read the history, ask the rules, write under the premise, and again when the race was lost.

mod lane;
mod large;
mod raise;
mod turns;

use crate::notices::Notices;
use crate::store::{HistoryStore, StoreError};
use lane::{Lane, Waiting};
use plan_rules::{Admission, Author, Counts, Decision, Footprint, Former, Refusal, Tip, admit, footprint};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use turns::Turns;
use zone_model::{Base, Digest, Generation, GroupName, Plan, Version};

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
/// How many lanes there are: as many calls into the database at a time, for small plans. More lanes make smaller
/// batches, and a batch costs the database little more than a plan.
const LANES: usize = 1;
/// How many small plans may wait in a lane. More than that wait with their requests.
const WAITING_MAX: usize = 1_024;
/// A plan with more names than this is large: it is decided and staged by itself.
const NAMES_OF_A_SMALL_PLAN_MAX: usize = 200;

/// Admits plans; cheap to clone.
///
/// Small plans go through lanes: those that wait at the same time, in whatever groups, are read, decided and written
/// together, each as a generation of its own. Large ones are decided and staged side by side, and only then take a turn
/// in their group.
#[derive(Clone, Debug)]
pub struct Admissions {
    store: HistoryStore,
    notices: Notices,
    turns: Arc<Turns>,
    lanes: Vec<mpsc::Sender<Waiting>>,
}

impl Admissions {
    /// Admits into `store`, and lets the enactors know by `notices`. Must be called within the runtime, whose tasks the
    /// lanes are; they end with the last clone.
    #[must_use]
    pub fn new(store: HistoryStore, notices: Notices) -> Self {
        let turns = Arc::new(Turns::default());
        let lanes = (0..LANES).map(|_| {
            let (lane, inbox) = mpsc::channel(WAITING_MAX);
            tokio::spawn(Lane::new(store.clone(), notices.clone(), Arc::clone(&turns)).run(inbox));
            lane
        });
        let lanes = lanes.collect();
        Self { store, notices, turns, lanes }
    }

    /// Lets the enactors know that something else than a plan gives them reason to look.
    pub fn wake_enactors(&self) {
        self.notices.send();
    }

    /// Admits a plan. It goes on to its end even if the caller stops waiting.
    ///
    /// # Errors
    /// Why nothing was admitted.
    pub async fn admit(&self, submission: Submission) -> Result<Admitted, AdmissionError> {
        let Some(asked) = submission.idempotency.clone() else { return self.decided(submission).await };
        let token = submission.token;
        if let Some(repeated) = known_by_its_key(&self.store, token, &asked).await? {
            return Ok(repeated);
        }
        // 1. Two tries of one request come at once, and neither finds the key above.
        // 2. The first is admitted.
        // 3. The second is judged on what the first has done: a no-op, or stale.
        // What it saw was written together with the key, so by now the key is there to be found.
        match self.decided(submission).await {
            outcome @ (Ok(Admitted::NoOp { .. }) | Err(AdmissionError::Refused(_))) => {
                known_by_its_key(&self.store, token, &asked).await?.map_or(outcome, Ok)
            }
            outcome => outcome,
        }
    }

    /// Raises a group's epoch; none for a group that does not exist. It goes on to its end even if the caller stops waiting.
    ///
    /// # Errors
    /// Why nothing was admitted.
    pub async fn raise(
        &self,
        group: &GroupName,
        reason: &str,
        (token, author): (i64, &Author),
    ) -> Result<Option<AdmittedPlan>, AdmissionError> {
        let (store, notices, turns) = (self.store.clone(), self.notices.clone(), Arc::clone(&self.turns));
        let (wished, who) = ((group.clone(), reason.to_owned()), (token, author.clone()));
        let task = tokio::spawn(async move { raise::raise(&store, &notices, &turns, wished, who).await });
        task.await.map_err(|_| AdmissionError::Store(StoreError::Ended))?
    }

    /// The record sets that changed in a group after a generation, each as it stood there.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn formers(&self, group: i64, to: Generation) -> Result<Vec<Former>, StoreError> {
        self.store.formers(group, to).await
    }

    async fn decided(&self, submission: Submission) -> Result<Admitted, AdmissionError> {
        if submission.dry_run {
            return dry_run(&self.store, &submission).await;
        }
        let ended = || AdmissionError::Store(StoreError::Ended);
        if is_large(&submission.plan) {
            let (store, notices, turns) = (self.store.clone(), self.notices.clone(), Arc::clone(&self.turns));
            let task = tokio::spawn(async move { large::admit(&store, &notices, &turns, submission).await });
            return task.await.map_err(|_| ended())?;
        }
        let mut hasher = DefaultHasher::new();
        submission.plan.group.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default();
        let (reply, outcome) = oneshot::channel();
        self.lanes[lane].send(Waiting::new(submission, reply)).await.map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }
}

/// A plan whose decision reads much, or that begins a zone.
fn is_large(plan: &Plan) -> bool {
    let parts = footprint(plan).into_values();
    let names = parts.map(|part| match part {
        Footprint::WholeZone => NAMES_OF_A_SMALL_PLAN_MAX + 1,
        Footprint::Names(names) => names.len(),
    });
    names.sum::<usize>() > NAMES_OF_A_SMALL_PLAN_MAX
}

/// The same decision, for the tip that it holds for, and nothing written.
async fn dry_run(store: &HistoryStore, submission: &Submission) -> Result<Admitted, AdmissionError> {
    let mut read = store.history_for(&submission.plan).await?;
    match admit(&submission.plan, &submission.author, read.on_base_of(&submission.plan))
        .map_err(AdmissionError::Refused)?
    {
        Decision::Admit(admission) => Ok(Admitted::DryRun(admitted_plan(submission, &admission))),
        Decision::NoOp { tip, absent } => Ok(Admitted::NoOp { tip, absent }),
    }
}

async fn known_by_its_key(
    store: &HistoryStore,
    token: i64,
    asked: &Idempotency,
) -> Result<Option<Admitted>, AdmissionError> {
    match store.idempotent(token, &asked.key).await? {
        None => Ok(None),
        Some((first, plan)) if first == *asked => Ok(Some(Admitted::Repeated(plan))),
        Some(_) => Err(AdmissionError::KeyReused),
    }
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
