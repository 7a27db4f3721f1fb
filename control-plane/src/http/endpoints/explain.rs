//! `GET /v1/explain`: why a name answers what it answers, in one call.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::read_zone;
use crate::http::problem::{Problem, ProblemBody, VersionView};
use crate::http::views::{PlanView, RecordsView};
use crate::http::violations::Violations;
use crate::reading::{Explanation, Finding, Gone, RingSeen, ServerStands, Standing, Stands, Step, StopSeen};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use zone_model::RecordType;

/// Why a name answers what it answers, all of it as of one snapshot of the database.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct ExplanationView {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    /// When the snapshot was taken.
    at: DateTime<Utc>,
    /// The ring whose answer is explained.
    ring: String,
    /// What the last step found.
    outcome: FindingView,
    /// The zone that the question is in; null where no zone is at or above the name.
    zone: Option<String>,
    group: Option<String>,
    /// The group's generation in force in the ring; null if none is.
    head: Option<VersionView>,
    /// The group's newest generation.
    tip: Option<VersionView>,
    /// How the answer comes about; the last step is what is answered.
    steps: Vec<StepView>,
    /// What will be answered when the tip is in force; null if the same.
    at_tip: Option<Vec<StepView>>,
    /// The plans that made the generations of the steps: who, when, and why.
    plans: BTreeMap<i64, PlanView>,
    /// Every ring, the first one first: what is in force there, and whether it answers the same.
    rings: Vec<RingView>,
    /// What keeps heads from moving.
    stops: Vec<StopView>,
    /// Every server, a thousand at most: what it serves, and whether it answers the same.
    servers: Vec<ServerStandsView>,
}

/// What was found at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Finding)]
enum FindingView {
    /// Data of the type.
    Answer,
    /// The name exists, and has no data of the type.
    NoData,
    /// There is no such name.
    NoSuchName,
    /// The name is at or below a delegation: the name servers of `records` know.
    Referral,
    /// The name is an alias; the next step is about what it stands for.
    Alias,
    /// The name is below a DNAME; the next step is about the name that it makes.
    Redirection,
    /// The name is in no zone that is in force here.
    Elsewhere,
    /// The name is in a zone of another group; ask about it there.
    AnotherGroup,
    /// More aliases than a server follows, or one that comes back to where it was.
    Endless,
}

/// A step on the way to the answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplanationStep)]
struct StepView {
    /// The name that is asked for here.
    name: String,
    zone: Option<String>,
    group: Option<String>,
    finding: FindingView,
    /// Whose record sets they are: another name than the step's at a wildcard, a delegation or a DNAME.
    owner: Option<String>,
    /// What is answered. More than one set only of RRSIG.
    sets: Vec<SetView>,
    /// The closest name above that exists, where the name itself does not.
    closest_encloser: Option<String>,
    /// What stood at the name last and was taken away, where nothing is found.
    gone: Option<GoneView>,
}

/// A record set, and the generation that made it so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedSet)]
struct SetView {
    #[serde(rename = "type")]
    rtype: String,
    #[serde(flatten)]
    records: RecordsView,
    /// One of `plans`.
    generation: i64,
}

/// A record set that is gone, and the generation that took it away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GoneSet)]
struct GoneView {
    #[serde(rename = "type")]
    rtype: String,
    /// One of `plans`.
    generation: i64,
}

/// What is in force in a ring.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RingExplained)]
struct RingView {
    ring: String,
    /// Null if the group never moved there.
    head: Option<VersionView>,
    /// Whether it answers what is explained.
    same: bool,
    /// What it answers, if that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepView>>,
}

/// A stop in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StopExplained)]
struct StopView {
    /// `freeze`, `history-behind` or `auditor`.
    kind: String,
    /// Whether it covers every group, and not this one alone.
    every_group: bool,
    /// Null for every ring.
    ring: Option<String>,
    reason: String,
    by: String,
    at: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

/// How what a server serves stands to its ring's head.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum StandsView {
    /// It is the head.
    Current,
    /// It is older.
    Lagging,
    /// It serves nothing of the group.
    Nothing,
    /// It is something that the history does not have, or newer than the head.
    Foreign,
}

/// A server, and whether it has what is explained.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServerExplained)]
struct ServerStandsView {
    server: String,
    ring: String,
    /// Whether it said anything within the last 3 seconds.
    live: bool,
    seen_age_ms: i64,
    fault: Option<String>,
    /// What it says it serves of the group; null for nothing.
    serving: Option<VersionView>,
    /// Milliseconds since it installed that.
    serving_age_ms: Option<i64>,
    standing: StandsView,
    /// Whether it answers what is explained; null where nobody looked, because many generations are served at once.
    same: Option<bool>,
}

/// Why a name answers what it answers: zone, group and generation; what stands, which plan set it, whose that was and why; what
/// each ring and server has; and what keeps heads from moving. In one call, as of one snapshot.
#[utoipa::path(
    get,
    path = "/v1/explain",
    tag = "zones",
    params(
        ("name" = String, Query, description = "The name, absolute, with or without its last dot; the root is `@root`"),
        ("type" = Option<String>, Query, description = "The record type, by default `A`"),
        ("ring" = Option<String>, Query, description = "Whose answer, by default of the last ring that is not delayed"),
    ),
    responses(
        (status = 200, description = "Why", body = ExplanationView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn explain(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Json<ExplanationView>, Problem> {
    let name = parameters.need("name", "an absolute name", read_zone);
    let rtype = parameters
        .read("type", "a type of records", |text| text.parse::<RecordType>().ok().filter(|rtype| rtype.is_data()));
    let ring = parameters.text("ring");
    parameters.finish()?;
    let Some(name) = name else { return Err(Problem::InvalidRequest { violations: Violations::default() }) };
    let ring = state.reading.ring(ring.as_deref()).await?.ok_or_else(|| {
        let mut violations = Violations::default();
        violations.at("query ring", None, "there is no such ring");
        Problem::InvalidRequest { violations }
    })?;
    let rtype = rtype.unwrap_or(RecordType::A);
    let explanation = state.reading.explain(&name, rtype, &ring).await?;
    Ok(Json(view(name.to_string(), rtype, explanation)))
}

fn view(name: String, rtype: RecordType, explanation: Explanation) -> ExplanationView {
    let Explanation { at, ring, place, steps } = explanation;
    let mut view = ExplanationView {
        name,
        rtype: rtype.to_string(),
        at,
        ring,
        outcome: steps.last().map_or(FindingView::Elsewhere, |step| step.finding.into()),
        zone: None,
        group: None,
        head: None,
        tip: None,
        steps: steps_view(steps),
        at_tip: None,
        plans: BTreeMap::new(),
        rings: Vec::new(),
        stops: Vec::new(),
        servers: Vec::new(),
    };
    if let Some(place) = place {
        view.zone = Some(place.zone.to_string());
        view.group = Some(place.group);
        view.head = place.version.map(VersionView::from);
        view.tip = Some(place.tip.into());
        view.at_tip = place.at_tip.map(steps_view);
        view.plans = place.plans.into_iter().map(|(generation, plan)| (generation, plan.into())).collect();
        view.rings = place.rings.into_iter().map(RingView::from).collect();
        view.stops = place.stops.into_iter().map(StopView::from).collect();
        view.servers = place.servers.into_iter().map(ServerStandsView::from).collect();
    }
    view
}

fn steps_view(steps: Vec<Step>) -> Vec<StepView> {
    steps.into_iter().map(StepView::from).collect()
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let (zone, group) = step.zone.map(|(zone, group)| (zone.to_string(), group)).unzip();
        Self {
            name: step.name.to_string(),
            zone,
            group,
            finding: step.finding.into(),
            owner: step.owner.map(|owner| owner.to_string()),
            sets: step.sets.iter().map(SetView::from).collect(),
            closest_encloser: step.encloser.map(|encloser| encloser.to_string()),
            gone: step.gone.map(GoneView::from),
        }
    }
}

impl From<&Standing> for SetView {
    fn from(Standing { set, generation }: &Standing) -> Self {
        Self { rtype: set.rtype().to_string(), records: RecordsView::from(set), generation: *generation }
    }
}

impl From<Gone> for GoneView {
    fn from(gone: Gone) -> Self {
        Self { rtype: gone.rtype.to_string(), generation: gone.generation }
    }
}

impl From<RingSeen> for RingView {
    fn from(RingSeen { ring, head, steps, same }: RingSeen) -> Self {
        let steps = (!same && head.is_some()).then(|| steps_view(steps));
        Self { ring, head: head.map(VersionView::from), same, steps }
    }
}

impl From<StopSeen> for StopView {
    fn from(stop: StopSeen) -> Self {
        let StopSeen { kind, every_group, ring, reason, by, at, until } = stop;
        Self { kind, every_group, ring, reason, by, at, until }
    }
}

impl From<ServerStands> for ServerStandsView {
    fn from(server: ServerStands) -> Self {
        Self {
            server: server.server,
            ring: server.ring,
            live: server.live,
            seen_age_ms: server.seen_age_ms,
            fault: server.fault,
            serving: server.serving.map(VersionView::from),
            serving_age_ms: server.age_ms,
            standing: match server.standing {
                Stands::Current => StandsView::Current,
                Stands::Lagging => StandsView::Lagging,
                Stands::Nothing => StandsView::Nothing,
                Stands::Foreign => StandsView::Foreign,
            },
            same: server.same,
        }
    }
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Answer => Self::Answer,
            Finding::NoData => Self::NoData,
            Finding::NoSuchName => Self::NoSuchName,
            Finding::Referral => Self::Referral,
            Finding::Alias => Self::Alias,
            Finding::Redirection => Self::Redirection,
            Finding::Elsewhere => Self::Elsewhere,
            Finding::AnotherGroup => Self::AnotherGroup,
            Finding::Endless => Self::Endless,
        }
    }
}
