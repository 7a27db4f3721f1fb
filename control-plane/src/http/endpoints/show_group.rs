//! `GET /v1/groups/{group}`: a group, its tip and its heads.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody, VersionView};
use crate::reading::GroupFound;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

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
    /// The stop that lies on the group. There is none yet.
    #[schema(value_type = Option<Object>)]
    frozen: Option<()>,
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
            frozen: None,
            floor: group.floor,
            group: group.name,
        }
    }
}

/// A group, its tip and its heads.
#[utoipa::path(
    get,
    path = "/v1/groups/{group}",
    tag = "groups",
    params(("group" = String, Path, description = "The group")),
    responses(
        (status = 200, description = "The group", body = GroupView),
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
    let group = GroupView::from(state.reading.group(&group).await?);
    let tag = format!("\"{}\"", group.id);
    Ok(([(ETAG, tag)], Json(group)).into_response())
}
