//! `GET /v1/zones/{zone}/rrsets`: record sets of a zone.

use crate::http::ApiState;
use crate::http::pages::{Page, place_from_text, place_to_text};
use crate::http::parameters::Parameters;
use crate::http::paths::ZoneInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::views::RecordsView;
use crate::reading::{KeyInOrder, ReadError, SetFound};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{Name, RecordType};

/// A record set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordSet)]
pub(crate) struct RecordSetView {
    /// The owner, absolute.
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    #[serde(flatten)]
    records: RecordsView,
    /// The generation that made it so.
    generation: i64,
}

impl From<SetFound> for RecordSetView {
    fn from(found: SetFound) -> Self {
        Self {
            name: found.set.owner().to_string(),
            rtype: found.set.rtype().to_string(),
            records: RecordsView::from(&found.set),
            generation: found.generation,
        }
    }
}

/// Record sets of a zone, in order of their owners' text relative to the zone. The SOA has the serial that the DNS world
/// sees.
#[utoipa::path(
    get,
    path = "/v1/zones/{zone}/rrsets",
    tag = "zones",
    params(
        ("zone" = String, Path, description = "The zone, with or without its last dot; the root is `@root`"),
        ("name" = Option<String>, Query, description = "Only of this owner: absolute, relative to the zone, or `@`"),
        ("type" = Option<String>, Query, description = "Only of this type"),
        ("at" = Option<i64>, Query, description = "A generation of the zone's group, by default the tip"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this place, which was `next` before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<RecordSetView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_record_sets(
    State(state): State<ApiState>,
    _: Caller,
    ZoneInPath(zone): ZoneInPath,
    mut parameters: Parameters,
) -> Result<Json<Page<RecordSetView>>, Problem> {
    let name = parameters.read("name", "a name in the zone", |text| {
        Name::parse_relative(text, &zone).ok().filter(|name| name.is_within(&zone))
    });
    let rtype = parameters.read("type", "a record type", |text| text.parse::<RecordType>().ok());
    let (at, limit) = (parameters.generation("at", 1), parameters.limit());
    let after = parameters.read("after", "what `next` said", read_place);
    parameters.finish()?;
    let after = after.unwrap_or_else(KeyInOrder::before_all);
    let found = loop {
        let zone = state.reading.zone(&zone).await?;
        let generation = zone.generation(at)?;
        let found = match &name {
            Some(name) => state.reading.record_sets_of_name(&zone, generation, name, rtype).await.map(|mut found| {
                found.retain(|set| {
                    (&set.key.owner, set.key.rtype, set.key.covered) > (&after.owner, after.rtype, after.covered)
                });
                found
            }),
            None => state.reading.record_sets(&zone, generation, rtype, &after, limit + 1).await,
        };
        match found {
            // What was the tip was retired while it was read. There is a newer one.
            Err(ReadError::BelowFloor { .. }) if at.is_none() => {}
            found => break found?,
        }
    };
    Ok(Json(Page::new(found, limit, place, RecordSetView::from)))
}

fn place(found: &SetFound) -> String {
    place_to_text(&(&found.key.owner, found.key.rtype, found.key.covered))
}

fn read_place(text: &str) -> Option<KeyInOrder> {
    let (owner, rtype, covered) = place_from_text(text)?;
    Some(KeyInOrder { owner, rtype, covered })
}
