//! `GET /v1/servers`: DNS servers, and what each says it serves.

use crate::http::ApiState;
use crate::http::pages::{Page, place_from_text, place_to_text};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::{ServerSeen, Serving};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A DNS server. One that was started again is there twice for a while.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Server)]
pub(crate) struct ServerView {
    server: String,
    /// This start of it.
    #[schema(value_type = String)]
    instance: Uuid,
    ring: String,
    started: DateTime<Utc>,
    /// Milliseconds since it said anything, by the database's clock.
    seen_age_ms: i64,
    /// Whether that was within the last 3 seconds.
    live: bool,
    /// What it says is wrong with it.
    fault: Option<String>,
    /// Since when nothing waits for it any more, because an operator said so.
    forgotten: Option<DateTime<Utc>>,
    /// In how many groups it serves anything.
    serving_count: i64,
    /// What it says it serves, a hundred groups at most; ask with `group` for a certain one.
    serving: Vec<ServingView>,
}

/// What a server says it serves of a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Serving)]
pub(crate) struct ServingView {
    /// Null if nobody knows the group that the server speaks of.
    group: Option<String>,
    generation: i64,
    id: String,
    /// Milliseconds since it was installed, by the database's clock.
    age_ms: i64,
    /// The generation that it was told to install instead, and refuses.
    refused: Option<i64>,
    /// Why it refuses that.
    fault: Option<String>,
}

impl From<Serving> for ServingView {
    fn from(serving: Serving) -> Self {
        let Serving { group, version, age_ms, refused, fault } = serving;
        Self { group, generation: version.generation.get(), id: version.id.to_string(), age_ms, refused, fault }
    }
}

impl From<ServerSeen> for ServerView {
    fn from(server: ServerSeen) -> Self {
        Self {
            server: server.server,
            instance: server.instance,
            ring: server.ring,
            started: server.started,
            seen_age_ms: server.seen_age_ms,
            live: server.live,
            fault: server.fault,
            forgotten: server.forgotten,
            serving_count: server.serving_count,
            serving: server.serving.into_iter().map(ServingView::from).collect(),
        }
    }
}

/// DNS servers in order of their names, and what each says it serves.
#[utoipa::path(
    get,
    path = "/v1/servers",
    tag = "fleet",
    params(
        ("ring" = Option<String>, Query, description = "Only servers of this ring"),
        ("group" = Option<String>, Query, description = "Tell only what they serve of this group"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this place, which was `next` before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<ServerView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_servers(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<ServerView>>, Problem> {
    let (limit, ring, group) = (parameters.limit(), parameters.text("ring"), parameters.text("group"));
    let after = parameters.read("after", "what `next` said", place_from_text::<(String, Uuid)>);
    parameters.finish()?;
    let (name, instance) = after.unwrap_or_default();
    let found = state.reading.servers((&name, instance), limit + 1, ring.as_deref(), group.as_deref()).await?;
    let place = |server: &ServerSeen| place_to_text(&(&server.server, server.instance));
    Ok(Json(Page::new(found, limit, place, ServerView::from)))
}
