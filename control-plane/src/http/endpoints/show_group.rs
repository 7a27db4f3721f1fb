//! `GET /v1/groups/{group}`: a group, its tip and its heads.

use crate::http::ApiState;
use crate::http::acts::StopView;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody, VersionView};
use crate::reading::{GroupFound, SettingsFound};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use zone_model::{Limit, Setting, SettingValue};

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct GroupView {
    group: String,
    /// The newest generation: what a plan's `base` is.
    tip: i64,
    /// The tip's id, also the response's `ETag`.
    id: String,
    /// The digest of all that stands at the tip.
    digest: String,
    /// When the tip was admitted.
    at: DateTime<Utc>,
    /// What is in force, by ring.
    heads: BTreeMap<String, VersionView>,
    /// Every stop that lies on the group; null while it is free.
    frozen: Option<Vec<StopView>>,
    /// The oldest generation that can be read.
    floor: i64,
}

impl From<GroupFound> for GroupView {
    fn from(group: GroupFound) -> Self {
        let heads = group.heads.into_iter().map(|head| (head.ring, head.version.into()));
        Self {
            tip: group.tip.generation.get(),
            id: group.tip.id.to_string(),
            digest: group.digest.to_string(),
            at: group.at,
            heads: heads.collect(),
            frozen: (!group.stops.is_empty()).then(|| group.stops.into_iter().map(StopView::from).collect()),
            floor: group.floor,
            group: group.name,
        }
    }
}

/// A group with all that is set for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupInFull)]
struct GroupInFullView {
    #[serde(flatten)]
    group: GroupView,
    /// The settings in force at the tip, defaults among them: limits as `{"at_least":…,"percent":…}`, `references` whether
    /// targets have to exist, `closed` why planners are shut out, or null.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// Guarded record sets at the tip, a thousand at most.
    guards: Vec<GuardView>,
}

/// A guarded record set: it stands, with so many records at least.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Guard)]
struct GuardView {
    zone: String,
    /// The owner, absolute.
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    min: u16,
}

impl GroupInFullView {
    fn new(group: GroupView, found: SettingsFound) -> Self {
        let settings = Setting::ALL.iter().map(|setting| {
            let set = found.settings.iter().find(|(of, _)| of == setting).map(|(_, value)| value);
            let value = match set {
                Some(SettingValue::Limit(limit)) => limit_view(*limit),
                Some(SettingValue::Switch(on)) => json!(on),
                Some(SettingValue::Closed(reason)) => json!(reason),
                None => {
                    setting.default_limit().map_or(json!((*setting == Setting::References).then_some(true)), limit_view)
                }
            };
            (setting.as_str().to_owned(), value)
        });
        let guards = found.guards.into_iter().map(|(zone, key, min)| GuardView {
            zone: zone.to_string(),
            name: key.owner().to_string(),
            rtype: key.rtype().to_string(),
            min,
        });
        Self { group, settings: settings.collect(), guards: guards.collect() }
    }
}

fn limit_view(limit: Limit) -> Value {
    json!({"at_least": limit.at_least, "percent": limit.percent()})
}

/// A group, its tip and its heads, and what is set for it.
#[utoipa::path(
    get,
    path = "/v1/groups/{group}",
    tag = "groups",
    params(("group" = String, Path, description = "The group")),
    responses(
        (status = 200, description = "The group", body = GroupInFullView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_group(
    State(state): State<ApiState>,
    _: Caller,
    GroupInPath(group): GroupInPath,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let group = state.reading.group(&group).await?;
    let settings = state.reading.settings(&group).await?;
    let group = GroupInFullView::new(group.into(), settings);
    let tag = format!("\"{}\"", group.group.id);
    Ok(([(ETAG, tag)], Json(group)).into_response())
}
