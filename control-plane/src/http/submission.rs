//! What plans and imports have in common: their options, and how their admission is told.

use super::ApiState;
use super::acts::{StopView, stopped};
use super::parameters::Parameters;
use super::problem::Problem;
use super::waiting::{self, Waiting};
use crate::admission::{Admitted, AdmittedPlan, Idempotency, Submission};
use crate::reading::{State, StateInRing};
use crate::tokens::Caller;
use axum::Json;
use axum::http::header::{ETAG, HeaderValue, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use plan_rules::{Counts, Role};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{GroupName, Id, Plan, Version};

/// What a request to admit something says beside the plan.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) dry_run: bool,
    pub(crate) if_match: Option<Id>,
    waiting: Option<Waiting>,
    idempotency_key: Option<String>,
    identity: blake3::Hasher,
}

impl Options {
    /// Takes the options that all plans have.
    pub(crate) fn take(parameters: &mut Parameters) -> Self {
        Self {
            identity: parameters.identity(),
            dry_run: parameters.flag("dry_run"),
            waiting: Waiting::take(parameters),
            if_match: parameters.if_match(),
            idempotency_key: parameters.idempotency_key(),
        }
    }

    /// The hash that tells requests under one idempotency key apart, before the body went into it.
    pub(crate) fn identity(&self) -> blake3::Hasher {
        self.identity.clone()
    }
}

/// Says no to those who may never admit anything into this group, before their body is read. The rules say it again, of
/// the plan.
pub(crate) fn may_admit(caller: &Caller, group: &GroupName) -> Result<(), Problem> {
    caller.author.needs(Role::Planner, "admitting a plan")?;
    match &caller.author.scope.groups {
        Some(groups) if !groups.contains(group) => {
            Err(Problem::Forbidden { message: format!("this token's scope does not include the group {group}") })
        }
        _ => Ok(()),
    }
}

/// How an admission ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AdmissionOutcome {
    /// The plan made this generation.
    Admitted,
    /// It had made this generation before, under the same idempotency key.
    Repeated,
    /// All was as wished at this generation, the tip. There is no new one.
    NoOp,
    /// It would make this generation on the tip as it is. Nothing was written.
    DryRun,
}

/// How many record sets a plan changed in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Changes)]
pub(crate) struct ChangesView {
    /// Were not there.
    pub(crate) added: u32,
    /// Were otherwise.
    pub(crate) replaced: u32,
    /// Are gone.
    pub(crate) deleted: u32,
    /// Deletes of what was not there.
    pub(crate) absent: u32,
}

impl From<Counts> for ChangesView {
    fn from(counts: Counts) -> Self {
        Self { added: counts.added, replaced: counts.replaced, deleted: counts.deleted, absent: counts.absent }
    }
}

/// A plan and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Admission)]
pub(crate) struct AdmissionView {
    group: String,
    generation: i64,
    /// What the generation is: 64 hexadecimal digits, also the response's `ETag`.
    id: String,
    /// The plan's base; for a no-op, the tip.
    base: i64,
    /// Whether the plan landed on a tip above its base.
    rebased: bool,
    /// The digest of all that stands at the generation.
    digest: String,
    changes: ChangesView,
    outcome: AdmissionOutcome,
    /// Where the generation stands. Left out for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// The ring that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    ring: Option<String>,
    /// Whether what was waited for came to be in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
    /// Live servers of the ring that do not report this generation or a later one yet, a hundred at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    laggards: Option<Vec<String>>,
    /// What stops its heads, where something was waited for in vain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    frozen: Vec<StopView>,
}

/// Asks for the plan's admission, waits if that was asked for, and tells.
pub(crate) async fn submit(
    state: &ApiState,
    caller: Caller,
    plan: Plan,
    options: Options,
    body_hash: blake3::Hash,
) -> Result<Response, Problem> {
    let group = plan.group.clone();
    // An unknown ring is told before anything is admitted.
    let ring = match &options.waiting {
        Some(waiting) => Some(waiting.ring(state).await?),
        None => None,
    };
    // A dry run writes nothing, so it can have no first result.
    let key = options.idempotency_key.filter(|_| !options.dry_run);
    let idempotency = key.map(|key| Idempotency { key, body_hash: *body_hash.as_bytes() });
    let submission =
        Submission { plan, token: caller.token, author: caller.author, idempotency, dry_run: options.dry_run };
    let admitted = state.admissions.admit(submission).await;
    state.metrics.admission_ended(admitted.as_ref());
    let (outcome, plan) = told(admitted?, &group);
    let mut view = view(outcome, &plan);
    match (options.waiting, ring, outcome) {
        (_, _, AdmissionOutcome::DryRun) => {}
        (Some(waiting), Some(ring), _) => {
            let waited = waiting::wait(state, &waiting, &group, plan.version, &ring).await?;
            if !waited.reached {
                view.frozen = stopped(state, Some(&group)).await?;
            }
            view.state = Some(waited.standing.state);
            view.reached = Some(waited.reached);
            view.laggards = Some(waited.standing.laggards);
            view.ring = Some(ring);
        }
        // Nobody can have enacted it and have told us already.
        (_, _, AdmissionOutcome::Admitted) => view.state = Some(State::Admitted),
        _ => view.state = Some(standing_now(state, &group, plan.version).await?.state),
    }
    let status = match outcome {
        AdmissionOutcome::Admitted | AdmissionOutcome::Repeated => StatusCode::CREATED,
        AdmissionOutcome::NoOp | AdmissionOutcome::DryRun => StatusCode::OK,
    };
    Ok((status, headers(&group, outcome, plan.version), Json(view)).into_response())
}

async fn standing_now(state: &ApiState, group: &GroupName, version: Version) -> Result<StateInRing, Problem> {
    let ring = state.reading.ring(None).await?;
    Ok(state.reading.state_in_ring(group, version, &ring.unwrap_or_default()).await?)
}

fn told(admitted: Admitted, group: &GroupName) -> (AdmissionOutcome, AdmittedPlan) {
    match admitted {
        Admitted::New(plan) => (AdmissionOutcome::Admitted, plan),
        Admitted::Repeated(plan) => (AdmissionOutcome::Repeated, plan),
        Admitted::DryRun(plan) => (AdmissionOutcome::DryRun, plan),
        Admitted::NoOp { tip, absent } => {
            let plan = AdmittedPlan {
                group: group.clone(),
                version: tip.version,
                base: tip.version.generation.into(),
                rebased: false,
                digest: tip.digest,
                counts: Counts { absent, ..Counts::default() },
            };
            (AdmissionOutcome::NoOp, plan)
        }
    }
}

fn view(outcome: AdmissionOutcome, plan: &AdmittedPlan) -> AdmissionView {
    AdmissionView {
        group: plan.group.to_string(),
        generation: plan.version.generation.get(),
        id: plan.version.id.to_string(),
        base: plan.base.get(),
        rebased: plan.rebased,
        digest: plan.digest.to_string(),
        changes: plan.counts.into(),
        outcome,
        state: None,
        ring: None,
        reached: None,
        laggards: None,
        frozen: Vec::new(),
    }
}

fn headers(group: &GroupName, outcome: AdmissionOutcome, version: Version) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if outcome == AdmissionOutcome::DryRun {
        return headers;
    }
    let location = format!("/v1/groups/{group}/plans/{}", version.generation);
    // Both are ASCII by construction: a group's name, digits, hexadecimal digits.
    if let (Ok(location), Ok(tag)) =
        (HeaderValue::from_str(&location), HeaderValue::from_str(&format!("\"{}\"", version.id)))
    {
        headers.insert(LOCATION, location);
        headers.insert(ETAG, tag);
    }
    headers
}
