//! A problem as JSON.

use super::Problem;
use crate::http::violations::ViolationView;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::Version;

/// A problem (RFC 9457). Which members there are beside the first four depends on its type; the type's page says so.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The kind of problem, `/problems/NAME`: stable, and the address of a page about it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a sentence.
    pub title: &'static str,
    /// The status of the response.
    pub status: u16,
    /// What can be told about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is wrong in the request, where. At most a thousand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violations: Option<Vec<ViolationView>>,
    /// How many violations there are, listed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation_count: Option<usize>,
    /// The group's tip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tip: Option<VersionView>,
    /// What changed after the plan's base. At most a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<Vec<ConflictView>>,
    /// How many conflicts there are, listed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_count: Option<usize>,
    /// The first guard that objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<&'static str>,
    /// What the plan comes to, where the guard allows `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<u64>,
    /// Every guard that objects, and to what. At most a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objections: Option<Vec<ObjectionView>>,
    /// The generation that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The oldest generation that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<i64>,
    /// The most octets that are read, or what the guard allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The line of the body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column of the body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// A generation and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Version)]
pub struct VersionView {
    /// The number.
    pub generation: i64,
    /// What it is: 64 hexadecimal digits.
    pub id: String,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        Self { generation: version.generation.get(), id: version.id.to_string() }
    }
}

/// What a guard has against a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Objection)]
pub struct ObjectionView {
    /// The guard.
    pub guard: &'static str,
    /// What it allows.
    pub limit: u64,
    /// What the plan comes to.
    pub actual: u64,
    /// The zone, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The name, where it is about one, absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl From<plan_rules::Objection> for ObjectionView {
    fn from(objection: plan_rules::Objection) -> Self {
        Self {
            guard: objection.guard.as_str(),
            limit: objection.limit,
            actual: objection.actual,
            zone: objection.zone.map(|zone| zone.to_string()),
            name: objection.name.map(|name| name.to_string()),
            message: objection.message,
        }
    }
}

/// A name that changed after the plan's base.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conflict)]
pub struct ConflictView {
    /// The zone.
    pub zone: String,
    /// The owner, absolute.
    pub name: String,
    /// The newest generation that changed it.
    pub changed_in: i64,
}

impl From<Problem> for ProblemBody {
    fn from(problem: Problem) -> Self {
        let kind = problem.kind();
        let body = Self {
            kind: format!("/problems/{}", kind.name()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: problem.detail(),
            ..Self::default()
        };
        match problem {
            Problem::InvalidRequest { violations } | Problem::InvalidPlan { violations } => {
                Self { violation_count: Some(violations.count()), violations: Some(violations.into_listed()), ..body }
            }
            Problem::MalformedBody { line, column, .. } => Self { line: Some(line), column: Some(column), ..body },
            Problem::StaleBase { tip, conflicts, conflict_count } => Self {
                tip: Some(tip.into()),
                conflicts: Some(conflicts.into_iter().map(ConflictView::from).collect()),
                conflict_count: Some(conflict_count),
                ..body
            },
            Problem::UnknownBase { tip, .. } => Self { tip: tip.map(VersionView::from), ..body },
            Problem::FutureGeneration { generation, tip } => {
                Self { generation: Some(generation), tip: Some(tip.into()), ..body }
            }
            Problem::BelowFloor { generation, floor } => {
                Self { generation: Some(generation), floor: Some(floor), ..body }
            }
            Problem::GuardRefused { objections } => {
                let first = objections.first();
                Self {
                    guard: first.map(|first| first.guard.as_str()),
                    limit: first.map(|first| first.limit),
                    actual: first.map(|first| first.actual),
                    objections: Some(objections.into_iter().map(ObjectionView::from).collect()),
                    ..body
                }
            }
            Problem::TooLarge { limit } => Self { limit: Some(limit), ..body },
            Problem::Unauthorized { .. }
            | Problem::Forbidden { .. }
            | Problem::NotFound { .. }
            | Problem::MethodNotAllowed
            | Problem::SlowBody
            | Problem::HistoryFull
            | Problem::NameTaken { .. }
            | Problem::UnsupportedMediaType { .. }
            | Problem::KeyReused
            | Problem::HistoryBehind { .. }
            | Problem::ActRefused { .. }
            | Problem::Internal { .. }
            | Problem::Busy { .. }
            | Problem::DatabaseAway { .. }
            | Problem::SchemaUnlike { .. }
            | Problem::TimedOut => body,
        }
    }
}

impl From<plan_rules::Conflict> for ConflictView {
    fn from(conflict: plan_rules::Conflict) -> Self {
        Self { zone: conflict.zone.to_string(), name: conflict.name.to_string(), changed_in: conflict.changed_in.get() }
    }
}
