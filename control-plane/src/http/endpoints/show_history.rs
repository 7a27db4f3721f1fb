//! `GET /v1/zones/{zone}/history`: what became of a name, by whom, in which plan, and why.

use crate::http::ApiState;
use crate::http::pages::{Page, place_from_text, place_to_text};
use crate::http::parameters::Parameters;
use crate::http::paths::ZoneInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::views::{ContentView, Of};
use crate::reading::{Before, PlaceInHistory, VersionFound};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{Key, Name, RecordType};

/// What became of a name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = History)]
pub(crate) struct HistoryView {
    zone: String,
    /// The zone's group: the generations are of its history.
    group: String,
    /// The owner, absolute.
    name: String,
    /// The oldest generation that can still be read.
    floor: i64,
    /// Whether older versions may have been retired: then the list need not begin with the first, and what stood before a
    /// version at or below the floor is not known.
    retired: bool,
    /// The versions, the newest first.
    #[serde(flatten)]
    versions: Page<VersionView>,
}

/// What a plan made of a record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Made {
    /// It was not there.
    Added,
    /// It was otherwise.
    Replaced,
    /// It is gone.
    Deleted,
    /// It was set; what stood before was retired.
    Set,
}

/// A version of a record set, or of a guard on one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryVersion)]
pub(crate) struct VersionView {
    of: Of,
    /// The type of the record set, or of that which is guarded.
    #[serde(rename = "type")]
    rtype: String,
    /// The type that an RRSIG set covers; null for all others.
    covered: Option<String>,
    /// The generation that made it so.
    generation: i64,
    /// Its id.
    id: String,
    /// When it was admitted.
    at: DateTime<Utc>,
    /// The name of the token that the plan was posted with.
    by: Option<String>,
    /// Why, in the author's words.
    reason: Option<String>,
    /// The guards that did not apply to the plan, each with a reason.
    #[schema(value_type = Vec<Object>)]
    acknowledged: serde_json::Value,
    change: Made,
    /// Null where it was not there, or where `change` is `set`.
    before: Option<ContentView>,
    /// Null where it is gone.
    after: Option<ContentView>,
}

impl From<VersionFound> for VersionView {
    fn from(found: VersionFound) -> Self {
        let change = made(&found);
        let before = if let Before::Stood(stood) = &found.before { ContentView::of(stood) } else { None };
        let (rtype, covered) = match &found.key {
            Key::Records(key) => (key.rtype(), Some(key.covered()).filter(|covered| covered.0 != 0)),
            Key::Guarded(key) => (key.rtype(), None),
            // Of no name, so not in the history of one.
            Key::Serial | Key::Setting(_) => (RecordType::SOA, None),
        };
        Self {
            of: Of::from(&found.key),
            rtype: rtype.to_string(),
            covered: covered.map(|covered| covered.to_string()),
            generation: found.version.generation.get(),
            id: found.version.id.to_string(),
            at: found.at,
            by: found.by,
            reason: found.reason,
            acknowledged: found.acknowledged,
            change,
            before,
            after: found.after.as_ref().and_then(ContentView::of),
        }
    }
}

fn made(found: &VersionFound) -> Made {
    match (&found.before, &found.after) {
        (_, None) => Made::Deleted,
        (Before::Absent, Some(_)) => Made::Added,
        (Before::Stood(_), Some(_)) => Made::Replaced,
        (Before::Forgotten, Some(_)) => Made::Set,
    }
}

/// What became of the record sets of a name and of the guards on them, the newest version first: who changed them, in which plan, and why. What was
/// deleted is there too.
#[utoipa::path(
    get,
    path = "/v1/zones/{zone}/history",
    tag = "zones",
    params(
        ("zone" = String, Path, description = "The zone, with or without its last dot; the root is `@root`"),
        ("name" = String, Query, description = "The owner: absolute, relative to the zone, or `@`"),
        ("type" = Option<String>, Query, description = "Only of this type"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this place, which was `next` before"),
    ),
    responses(
        (status = 200, description = "A page", body = HistoryView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_history(
    State(state): State<ApiState>,
    _: Caller,
    ZoneInPath(zone): ZoneInPath,
    mut parameters: Parameters,
) -> Result<Json<HistoryView>, Problem> {
    let name = parameters.need("name", "a name in the zone", |text| {
        Name::parse_relative(text, &zone).ok().filter(|name| name.is_within(&zone))
    });
    let rtype = parameters.read("type", "a record type", |text| text.parse::<RecordType>().ok());
    let limit = parameters.limit();
    let after = parameters.read("after", "what `next` said", read_place);
    parameters.finish()?;
    let zone = state.reading.zone(&zone).await?;
    // Without a name `finish` has said so.
    let name = name.unwrap_or_else(|| zone.name.clone());
    let after = after.unwrap_or(PlaceInHistory::newest());
    let found = state.reading.history_of_name(&zone, &name, rtype, after, limit + 1).await?;
    Ok(Json(HistoryView {
        zone: zone.name.to_string(),
        group: zone.group.clone(),
        name: name.to_string(),
        floor: zone.floor,
        retired: zone.floor > 1,
        versions: Page::new(found, limit, place, VersionView::from),
    }))
}

fn place(found: &VersionFound) -> String {
    let PlaceInHistory(plan, rtype, covered) = found.place;
    place_to_text(&(plan, rtype, covered))
}

fn read_place(text: &str) -> Option<PlaceInHistory> {
    let (plan, rtype, covered) = place_from_text(text)?;
    Some(PlaceInHistory(plan, rtype, covered))
}
