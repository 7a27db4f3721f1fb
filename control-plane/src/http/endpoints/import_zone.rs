//! `POST /v1/groups/{group}/import`: a zone file as a plan that replaces the zone.

use crate::http::ApiState;
use crate::http::parameters::Parameters;
use crate::http::paths::{GroupInPath, read_zone};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::submission::{AdmissionView, Options, may_admit, submit};
use crate::http::upload::{Kind, Upload, off_the_async_threads, room_for_large_body};
use crate::http::zone_file::FileReader;
use crate::tokens::Caller;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use zone_model::{Base, Id, Plan, ZoneChange};

/// Pieces from the network are small; this much is read at a time.
const PIECE_OCTETS: usize = 1 << 20;

/// Replaces a zone by a zone file: text/dns, at most 256 MiB. `$INCLUDE` is refused.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/import",
    tag = "plans",
    request_body(content = String, content_type = "text/dns"),
    params(
        ("group" = String, Path, description = "The group; a new one is begun by an operator's plan with base 0"),
        ("zone" = String, Query, description = "The zone, with or without its last dot; the root is `@root`"),
        ("base" = i64, Query, description = "The generation that the author had read; 0 for a new group"),
        ("base_id" = Option<String>, Query, description = "Its id"),
        ("reason" = Option<String>, Query, description = "Why"),
        ("rebase" = Option<bool>, Query, description = "False: admit only if the base is the tip"),
        ("acknowledge" = Option<Vec<String>>, Query, description = "`GUARD:REASON`, any number of times"),
        ("dry_run" = Option<bool>, Query, description = "Decide for the tip as it is, and write nothing"),
        ("wait" = Option<String>, Query, description = "`enacted` or `served`: answer when the generation is in force, or served by every live server of the ring"),
        ("timeout_s" = Option<u64>, Query, description = "Seconds to wait, 0 to 60, by default 10; afterwards the answer says how it stands"),
        ("ring" = Option<String>, Query, description = "The ring to wait for, by default the last that is not delayed"),
        ("If-Match" = Option<String>, Header, description = "`\"ID\"`: admit only if this is the tip's id, and the base is the tip"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is admitted once, and told its first result"),
    ),
    responses(
        (status = 201, description = "Admitted, now or before under the same key", body = AdmissionView),
        (status = 200, description = "The zone is like this at the tip already; or a dry run", body = AdmissionView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn import_zone(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_admit(&caller, &group)?;
    let zone = parameters.need("zone", "a zone's name", read_zone);
    let base = parameters.need("base", "a generation, 0 or more", |text| text.parse().ok().and_then(Base::new));
    let base_id = parameters.read("base_id", "64 hexadecimal digits", Id::parse);
    let reason = parameters.reason();
    let rebase = parameters.read("rebase", "`true` or `false`", |text| bool::from_str(text).ok());
    let acknowledged = parameters.acknowledged();
    let options = Options::take(&mut parameters);
    parameters.finish()?;
    // Both were needed, and nothing was amiss.
    let (Some(zone), Some(base)) = (zone, base) else {
        return Err(Problem::Internal { cause: "a needed parameter is missing after all".to_owned() });
    };
    let mut upload = Upload::open(Kind::ZoneFile, request)?;
    let room = room_for_large_body(&state).await?;
    let mut identity = options.identity();
    let mut reader = FileReader::new(&zone);
    loop {
        let (piece, is_last) = next_piece(&mut upload).await?;
        identity.update(&piece);
        reader = off_the_async_threads(move || {
            reader.push(&piece);
            Ok(reader)
        })
        .await?;
        if is_last || reader.is_stopped() {
            break;
        }
    }
    let contents = off_the_async_threads(move || reader.finish()).await?;
    drop(room);
    let plan = Plan {
        base_id,
        reason,
        zones: BTreeMap::from([(zone, ZoneChange::Replace(contents))]),
        rebase: rebase.unwrap_or(true),
        if_match: options.if_match,
        acknowledged,
        ..Plan::new(group, base)
    };
    submit(&state, caller, plan, options, identity.finalize()).await
}

/// About a mebibyte, or what is left.
async fn next_piece(upload: &mut Upload) -> Result<(Vec<u8>, bool), Problem> {
    let mut piece = Vec::new();
    while piece.len() < PIECE_OCTETS {
        match upload.next().await? {
            Some(part) => piece.extend_from_slice(&part),
            None => return Ok((piece, true)),
        }
    }
    Ok((piece, false))
}
