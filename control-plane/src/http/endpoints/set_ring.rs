//! `PUT /v1/rings/{ring}`: adds a ring, or changes one.

use super::list_rings::{RingView, found};
use crate::acts::RingWish;
use crate::http::ApiState;
use crate::http::acts::read_act;
use crate::http::body::read_reason;
use crate::http::parameters::Parameters;
use crate::http::paths::RingInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::violations::{Fields, Rule, Violations, boolean, whole_number};
use crate::tokens::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};

/// The longest soak or delay: a month.
const SECONDS_MAX: f64 = 31.0 * 86_400.0;
/// The most servers that a proof may ask for.
const SERVERS_MAX: i64 = 10_000;

/// Adds a ring, or changes one; what is left out stays. Making one the first takes that from the other. For operators.
#[utoipa::path(
    put,
    path = "/v1/rings/{ring}",
    tag = "fleet",
    request_body(content = super::openapi::RingBody, content_type = "application/json"),
    params(("ring" = String, Path, description = "The ring")),
    responses(
        (status = 200, description = "The ring as it is now", body = RingView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn set_ring(
    State(state): State<ApiState>,
    caller: Caller,
    RingInPath(ring): RingInPath,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Json<RingView>, Problem> {
    caller.author.may_act_on(None, "changing rings")?;
    parameters.finish()?;
    let known = ["first", "soak_s", "delay_s", "servers_min", "reason"];
    let (wish, reason) = read_act(&state, request, &known, |fields, violations| {
        let first = fields.take("first").and_then(|field| boolean(field, violations));
        let soak_s = take_seconds("soak_s", fields, violations);
        let delay_s = take_seconds("delay_s", fields, violations);
        let servers_min = fields.take("servers_min").and_then(|field| whole_number(field, 1..=SERVERS_MAX, violations));
        let reason = fields.take("reason").and_then(|field| read_reason(field, violations));
        let servers_min = servers_min.and_then(|number| i32::try_from(number).ok());
        Some((RingWish { ring, first, soak_s, delay_s, servers_min }, reason))
    })
    .await?;
    state.acts.set_ring(&wish, reason.as_deref(), &caller).await?;
    tracing::warn!(?wish, by = %caller.name, "a ring was set");
    state.admissions.wake_enactors();
    found(&state, wish.ring.as_str()).await.map(Json)
}

fn take_seconds(name: &str, fields: &mut Fields<'_>, violations: &mut Violations) -> Option<f64> {
    let (json, place) = fields.take(name)?;
    let crate::http::json::Json::Number(number) = &json else {
        violations.at(place, Some(Rule::WrongType), format!("expected seconds, found {}", json.kind()));
        return None;
    };
    let seconds = number.as_f64().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds));
    if seconds.is_none() {
        violations.at(place, None, format!("expected seconds from 0 to {SECONDS_MAX}, found {number}"));
    }
    seconds
}
