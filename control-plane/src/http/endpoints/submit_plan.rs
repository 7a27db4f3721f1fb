//! `POST /v1/groups/{group}/plans`: admits a plan.

use crate::http::ApiState;
use crate::http::body::{Envelope, parse_plan};
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::submission::{AdmissionView, Options, may_admit, submit};
use crate::http::upload::{SMALL_OCTETS_MAX, off_the_async_threads, read_json};
use crate::tokens::Caller;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;

/// Admits a plan: JSON, at most 16 MiB.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/plans",
    tag = "plans",
    request_body(content = super::openapi::PlanBody, content_type = "application/json"),
    params(
        ("group" = String, Path, description = "The group; a new one is begun by an operator's plan with base 0"),
        ("dry_run" = Option<bool>, Query, description = "Decide for the tip as it is, and write nothing"),
        ("wait" = Option<String>, Query, description = "`enacted` or `served`: answer when the generation is in force, or served by every live server of the ring"),
        ("timeout_s" = Option<u64>, Query, description = "Seconds to wait, 0 to 60, by default 10; afterwards the answer says how it stands"),
        ("ring" = Option<String>, Query, description = "The ring to wait for, by default the last that is not delayed"),
        ("If-Match" = Option<String>, Header, description = "`\"ID\"`: admit only if this is the tip's id, and the base is the tip"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is admitted once, and told its first result"),
    ),
    responses(
        (status = 201, description = "Admitted, now or before under the same key", body = AdmissionView),
        (status = 200, description = "All is as wished at the tip already; or a dry run", body = AdmissionView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn submit_plan(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_admit(&caller, &group)?;
    let options = Options::take(&mut parameters);
    parameters.finish()?;
    let (body, room) = read_json(&state, request).await?;
    let mut identity = options.identity();
    let envelope = Envelope { group, if_match: options.if_match };
    let is_small = body.len() as u64 <= SMALL_OCTETS_MAX;
    let decode = move || Ok((parse_plan(&body, envelope)?, identity.update(&body).finalize()));
    let (plan, body_hash) = if is_small { decode()? } else { off_the_async_threads(decode).await? };
    drop(room);
    submit(&state, caller, plan, options, body_hash).await
}
