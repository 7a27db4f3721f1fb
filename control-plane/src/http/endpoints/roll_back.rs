//! `POST /v1/groups/{group}/rollback`: a plan whose changes are the old values.

use crate::http::ApiState;
use crate::http::acts::need_reason;
use crate::http::json::Json;
use crate::http::parameters::Parameters;
use crate::http::paths::GroupInPath;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::submission::{AdmissionView, Options, may_admit, submit};
use crate::http::upload::read_json;
use crate::http::violations::{Fields, Violations, boolean, text, whole_number};
use crate::tokens::Caller;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use plan_rules::{Role, RollbackRequest, Tip};
use zone_model::{Base, Digest, Generation, GroupName, Id};

/// Restores what was answered at an earlier generation: records, and neither guards nor settings. It is a plan like others,
/// in a new generation: judged by its base, and exempt from change budgets. With `through_freeze` it goes through freezes,
/// alone, and the same generation closes the group to planners until an operator reopens it with
/// `{"settings": {"closed": null}}`. For operators.
#[utoipa::path(
    post,
    path = "/v1/groups/{group}/rollback",
    tag = "acts",
    request_body(content = super::openapi::RollbackBody, content_type = "application/json"),
    params(
        ("group" = String, Path, description = "The group"),
        ("dry_run" = Option<bool>, Query, description = "Decide for the tip as it is, and write nothing"),
        ("wait" = Option<String>, Query, description = "`enacted` or `served`: answer when the generation is in force, or served by every live server of the ring"),
        ("timeout_s" = Option<u64>, Query, description = "Seconds to wait, 0 to 60, by default 10; afterwards the answer says how it stands"),
        ("ring" = Option<String>, Query, description = "The ring to wait for, by default the last that is not delayed"),
        ("If-Match" = Option<String>, Header, description = "`\"ID\"`: admit only if this is the tip's id, and the base is the tip"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request under the same key is admitted once, and told its first result"),
    ),
    responses(
        (status = 201, description = "Admitted, now or before under the same key", body = AdmissionView),
        (status = 200, description = "All is answered as then already; or a dry run", body = AdmissionView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn roll_back(
    State(state): State<ApiState>,
    caller: Caller,
    GroupInPath(group): GroupInPath,
    mut parameters: Parameters,
    request: Request<Body>,
) -> Result<Response, Problem> {
    may_admit(&caller, &group)?;
    caller.author.needs(Role::Operator, "a rollback")?;
    let options = Options::take(&mut parameters);
    parameters.finish()?;
    let (body, room) = read_json(&state, request).await?;
    let wished = parse(&body, &group)?;
    drop(room);
    let found = state.reading.group(&group).await?;
    found.generation(Some(wished.to.get()))?;
    // An epoch skips numbers, so to be between floor and tip is not enough.
    state.reading.plan(&found, wished.to.get()).await?;
    let formers = state.admissions.formers(found.number, wished.to).await?;
    // Of the tip only the number counts here: whether there is a generation to go back to.
    let tip = Tip { version: found.tip, digest: found.digest, answers: Digest::EMPTY, deletes_spent: 0 };
    let mut plan = plan_rules::rollback(&wished, tip, formers)?;
    plan.if_match = options.if_match;
    let hash = options.identity().update(&body).finalize();
    submit(&state, caller, plan, options, hash).await
}

fn parse(body: &[u8], group: &GroupName) -> Result<RollbackRequest, Problem> {
    let mut violations = Violations::default();
    let known = ["to", "base", "base_id", "reason", "through_freeze"];
    let fields = Fields::open(Json::parse(body)?, "", &known, &mut violations);
    match fields.and_then(|mut fields| read(&mut fields, group, &mut violations)) {
        Some(wished) if violations.is_empty() => Ok(wished),
        _ => Err(Problem::InvalidRequest { violations }),
    }
}

fn read(fields: &mut Fields<'_>, group: &GroupName, violations: &mut Violations) -> Option<RollbackRequest> {
    let to = fields.need("to", violations).and_then(|field| whole_number(field, 1..=i64::MAX, violations));
    let base = fields.need("base", violations).and_then(|field| whole_number(field, 1..=i64::MAX, violations));
    let base_id = fields.take("base_id").and_then(|field| {
        let (id, place) = text(field, violations)?;
        let read = Id::parse(&id);
        if read.is_none() {
            violations.at(place, None, "an id is 64 hexadecimal digits");
        }
        read
    });
    let through_freeze = fields.take("through_freeze").and_then(|field| boolean(field, violations));
    let reason = need_reason(fields, violations);
    Some(RollbackRequest {
        group: group.clone(),
        to: Generation::new(to?)?,
        base: Base::new(base?)?,
        base_id,
        reason: reason?,
        through_freeze: through_freeze.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told() {
        let group = GroupName::parse("example.com").unwrap();
        let Err(Problem::InvalidRequest { violations }) =
            parse(br#"{"to":0,"base_id":"x","reason":"","through_freeze":1,"too":1}"#, &group)
        else {
            panic!()
        };
        let mut places: Vec<&str> = violations.listed().iter().map(|one| one.place.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["base", "base_id", "reason", "through_freeze", "to", "too"]);
    }
}
