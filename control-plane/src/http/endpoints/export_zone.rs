//! `GET /v1/zones/{zone}/file`: the zone as a zone file.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::ZoneInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::{KeyInOrder, Reading, ZoneFound};
use crate::tokens::Caller;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use zone_model::{RecordSet, RecordType, Serial, zone_file};

/// Record sets that are held at a time.
const SETS_A_PIECE: i64 = 10_000;
/// Pieces that wait for a slow reader; the database is asked no further meanwhile.
const PIECES_AHEAD: usize = 2;

/// The zone at the tip or at a generation, as a zone file: the SOA first, then by name.
#[utoipa::path(
    get,
    path = "/v1/zones/{zone}/file",
    tag = "zones",
    params(
        ("zone" = String, Path, description = "The zone, with or without its last dot; the root is `@root`"),
        ("at" = Option<i64>, Query, description = "A generation of the zone's group, by default the tip"),
    ),
    responses(
        (status = 200, description = "The zone", body = String, content_type = "text/dns"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn export_zone(
    State(state): State<ApiState>,
    _: Caller,
    ZoneInPath(zone): ZoneInPath,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let at = parameters.generation("at", 1);
    parameters.finish()?;
    let zone = state.reading.zone(&zone).await?;
    let generation = zone.generation(at)?;
    let (_, serial) = state.reading.zone_changed(&zone, generation).await?;
    let soa = state.reading.record_sets_of_name(&zone, generation, &zone.name, Some(RecordType::SOA)).await?;
    let soa = soa.into_iter().map(|found| found.set).collect();
    let (sender, body) = Channel::new(PIECES_AHEAD);
    // A generation never changes, so its pieces belong together without a snapshot that stays open as long as the
    // client is slow.
    tokio::spawn(send(state.reading.clone(), zone, (generation, serial), soa, sender));
    Ok(([(CONTENT_TYPE, "text/dns; charset=utf-8")], Body::new(body)).into_response())
}

async fn send(
    reading: Reading,
    zone: ZoneFound,
    (generation, serial): (i64, Serial),
    soa: Vec<RecordSet>,
    mut sender: Sender<Bytes, std::io::Error>,
) {
    let mut after = KeyInOrder::before_all();
    let mut piece = text(&zone, &soa, true);
    loop {
        let sent = match piece {
            Ok(piece) => sender.send_data(piece.into()).await,
            Err(error) => return sender.abort(std::io::Error::other(error)),
        };
        if sent.is_err() {
            // The client is gone.
            return;
        }
        let sets = match reading.zone_contents(&zone, (generation, serial), &after, SETS_A_PIECE).await {
            Ok(sets) => sets,
            // The status is out already. A body that breaks off cannot be taken for a whole one.
            Err(error) => {
                tracing::error!(zone = %zone.name, generation, cause = %error, "an export broke off");
                return sender.abort(std::io::Error::other(error));
            }
        };
        let Some((last, _)) = sets.last() else { return };
        after = last.clone();
        let sets: Vec<RecordSet> =
            sets.into_iter().map(|(_, set)| set).filter(|set| set.rtype() != RecordType::SOA).collect();
        piece = text(&zone, &sets, false);
    }
}

fn text(zone: &ZoneFound, sets: &[RecordSet], is_first: bool) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let records = sets
        .iter()
        .flat_map(|set| set.records().iter().map(move |record| (set.owner(), set.ttl(), set.rtype(), record)));
    zone_file::write(&mut text, &zone.name, records)?;
    // The origin stands once, at the top.
    if !is_first && let Some((_, rest)) = text.split_once('\n') {
        return Ok(rest.to_owned());
    }
    Ok(text)
}
