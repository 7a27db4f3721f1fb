//! `GET /v1/groups/{group}/diff`: what differs between two generations.

use crate::http::ApiState;
use crate::http::pages::{Page, place_from_text, place_to_text};
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::views::{ContentView, Of};
use crate::reading::{Difference, KeyInOrder};
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{Content, Key};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Change {
    /// Was not there.
    Added,
    /// Was otherwise.
    Replaced,
    /// Is gone.
    Deleted,
}

/// A record set, guard or setting that differs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Difference)]
pub(crate) struct DifferenceView {
    of: Of,
    /// Null for a setting, which is the group's.
    zone: Option<String>,
    /// The owner, absolute; null for a setting.
    name: Option<String>,
    /// The type of the record set, or of that which is guarded; null for a setting.
    #[serde(rename = "type")]
    rtype: Option<String>,
    /// Which setting; null for all others.
    setting: Option<&'static str>,
    change: Change,
    /// Null where it was not there; for a setting: where the default held.
    before: Option<ContentView>,
    /// Null where it is gone.
    after: Option<ContentView>,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let Difference { zone, key, before, after, .. } = difference;
        let spelled = after.iter().chain(&before).find_map(|content| match content {
            Content::Records(set) => Some(set.owner().to_string()),
            Content::Serial(_) | Content::Minimum(_) | Content::Setting(_) => None,
        });
        let (name, rtype, setting) = match &key {
            Key::Records(key) | Key::Guarded(key) => {
                (spelled.or_else(|| Some(key.owner().to_string())), Some(key.rtype().to_string()), None)
            }
            Key::Setting(setting) => (None, None, Some(setting.as_str())),
            Key::Serial => (None, None, None),
        };
        Self {
            of: Of::from(&key),
            zone: zone.map(|zone| zone.to_string()),
            name,
            rtype,
            setting,
            change: change(before.as_ref(), after.as_ref()),
            before: before.as_ref().and_then(ContentView::of),
            after: after.as_ref().and_then(ContentView::of),
        }
    }
}

fn change(before: Option<&Content>, after: Option<&Content>) -> Change {
    match (before, after) {
        (None, _) => Change::Added,
        (Some(_), Some(_)) => Change::Replaced,
        (Some(_), None) => Change::Deleted,
    }
}

/// Where a list of differences goes on.
pub(super) fn place(difference: &Difference) -> String {
    let (zone, key) = &difference.place;
    place_to_text(&(zone, &key.owner, key.rtype, key.covered))
}

/// Where it starts.
pub(super) fn before_all() -> (i64, KeyInOrder) {
    (i64::MIN, KeyInOrder::before_all())
}

fn read_place(text: &str) -> Option<(i64, KeyInOrder)> {
    let (zone, owner, rtype, covered) = place_from_text(text)?;
    Some((zone, KeyInOrder { owner, rtype, covered }))
}

/// What differs between two generations of a group, in order of zones and names. A SOA is only among it where more than its
/// serial's steady rise differs.
#[utoipa::path(
    get,
    path = "/v1/groups/{group}/diff",
    tag = "groups",
    params(
        ("group" = String, Path, description = "The group"),
        ("from" = i64, Query, description = "The earlier generation; 0 for nothing at all"),
        ("to" = Option<i64>, Query, description = "The later generation, by default the tip"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 1000, by default 100"),
        ("after" = Option<String>, Query, description = "Go on after this place, which was `next` before"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<DifferenceView>),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_diff(
    State(state): State<ApiState>,
    _: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
) -> Result<Json<Page<DifferenceView>>, Problem> {
    let from = parameters.need("from", "a generation, 0 or more", |text| text.parse().ok().filter(|from| *from >= 0));
    let to = parameters.generation("to", 1);
    let limit = parameters.limit();
    let after = parameters.read("after", "what `next` said", read_place);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        parameters.fault("from", "`from` is above `to`");
    }
    parameters.finish()?;
    let group = state.reading.group(&group).await?;
    let from = match from.unwrap_or_default() {
        0 => 0,
        from => group.generation(Some(from))?,
    };
    let to = group.generation(to)?;
    let after = after.unwrap_or_else(before_all);
    let found = state.reading.differences(&group, (from, to), &after, limit + 1).await?;
    Ok(Json(Page::new(found, limit, place, DifferenceView::from)))
}
