//! `GET /v1/zones/{zone}`: a zone and its serial.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::ZoneInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::ZoneListed;
use crate::tokens::Caller;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// A zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Zone)]
pub(crate) struct ZoneView {
    /// Its name, absolute.
    zone: String,
    group: String,
    /// The generation that changed it last.
    changed_in: i64,
    /// The serial that its SOA has at the tip.
    serial: u32,
}

impl From<ZoneListed> for ZoneView {
    fn from(zone: ZoneListed) -> Self {
        Self { zone: zone.name, group: zone.group, changed_in: zone.changed_in, serial: zone.serial.0 }
    }
}

/// A zone and its serial.
#[utoipa::path(
    get,
    path = "/v1/zones/{zone}",
    tag = "zones",
    params(("zone" = String, Path, description = "The zone, with or without its last dot; the root is `@root`")),
    responses(
        (status = 200, description = "The zone", body = ZoneView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_zone(
    State(state): State<ApiState>,
    _: Caller,
    ZoneInPath(zone): ZoneInPath,
    parameters: Parameters,
) -> Result<Json<ZoneView>, Problem> {
    parameters.finish()?;
    let zone = state.reading.zone(&zone).await?;
    let (changed_in, serial) = state.reading.zone_changed(&zone, zone.tip.generation.get()).await?;
    Ok(Json(ZoneView { zone: zone.name.to_string(), group: zone.group, changed_in, serial: serial.0 }))
}
