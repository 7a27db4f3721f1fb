//! `GET /openapi.json`, made from the endpoints' own types.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

/// The description of the API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Holdfast", description = "Changes DNS safely. Errors are `application/problem+json` (RFC 9457); each type has a page at its own address."),
    paths(
        super::submit_plan::submit_plan,
        super::import_zone::import_zone,
        super::list_groups::list_groups,
        super::show_group::show_group,
        super::list_plans::list_plans,
        super::show_plan::show_plan,
        super::show_diff::show_diff,
        super::list_zones::list_zones,
        super::show_zone::show_zone,
        super::export_zone::export_zone,
        super::list_record_sets::list_record_sets,
        super::show_history::show_history,
        super::explain::explain,
        super::list_servers::list_servers,
        super::list_enactors::list_enactors,
        super::list_acts::list_acts,
        super::list_tokens::list_tokens,
        super::give_token::give_token,
        super::end_token::end_token,
        super::show_problem::show_problem,
        super::health::show_live,
        super::health::show_ready,
        super::show_metrics::show_metrics,
        show_openapi,
    ),
    modifiers(&BearerToken),
    security(("token" = [])),
    tags(
        (name = "plans", description = "Changing things"),
        (name = "groups", description = "Zones that change together, and their histories"),
        (name = "zones", description = "What stands in DNS"),
        (name = "fleet", description = "Who carries it out"),
        (name = "tokens", description = "Who may do what, and who did what"),
        (name = "about", description = "About the API itself; open to everybody"),
    ),
)]
pub(crate) struct Description;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        description.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// A plan. Unlike what a schema can say, unknown fields are refused.
#[derive(ToSchema)]
#[schema(as = PlanRequest)]
#[expect(dead_code, reason = "describes what http/body.rs reads")]
pub(crate) struct PlanBody {
    /// The generation that the plan's author had read; 0 for a new group.
    base: i64,
    /// Its id. Optional for people; without it a base of an older epoch is refused.
    base_id: Option<String>,
    /// Why.
    reason: Option<String>,
    /// What changes, by zone (absolute); at least one.
    zones: BTreeMap<String, ZoneChangeBody>,
    /// Names that must not have changed since `base`, besides those that the plan changes.
    reads: Option<Vec<ReadBody>>,
    /// False: admit only if `base` is the tip. By default true.
    rebase: Option<bool>,
    /// Guards that do not apply to this plan. For operators.
    acknowledge: Option<Vec<AcknowledgementBody>>,
}

/// What changes in a zone: `upsert`, `delete` or both; or `replace`.
#[derive(ToSchema)]
#[schema(as = ZoneChange)]
#[expect(dead_code, reason = "describes what http/body.rs reads")]
pub(crate) struct ZoneChangeBody {
    /// Record sets as they shall be, each as a whole.
    upsert: Option<Vec<RecordSetBody>>,
    /// Record sets that shall not be.
    delete: Option<Vec<DeleteBody>>,
    /// The zone's whole contents, with SOA and NS; also how a zone begins.
    replace: Option<Vec<RecordSetBody>>,
}

/// A record set.
#[derive(ToSchema)]
#[schema(as = RecordSetRequest)]
#[expect(dead_code, reason = "describes what http/body.rs reads")]
pub(crate) struct RecordSetBody {
    /// The owner: absolute, relative to the zone, or `@`.
    name: String,
    /// Such as `A`, or `TYPE65280`.
    #[schema(rename = "type")]
    rtype: String,
    /// Seconds that resolvers may keep it.
    ttl: u32,
    /// At least one, as in a zone file; names are absolute or relative to the zone.
    records: Vec<String>,
}

/// A record set, or without `type` a whole name.
#[derive(ToSchema)]
#[schema(as = DeleteRequest)]
#[expect(dead_code, reason = "describes what http/body.rs reads")]
pub(crate) struct DeleteBody {
    /// The owner: absolute, relative to the zone, or `@`.
    name: String,
    /// Such as `A`.
    #[schema(rename = "type")]
    rtype: Option<String>,
}

/// A name that must not have changed since the base.
#[derive(ToSchema)]
#[schema(as = Read)]
#[expect(dead_code, reason = "describes what http/body.rs reads")]
pub(crate) struct ReadBody {
    /// The zone, absolute.
    zone: String,
    /// The owner: absolute, relative to the zone, or `@`.
    name: String,
}

/// A guard that does not apply to this plan.
#[derive(ToSchema)]
#[schema(as = Acknowledgement)]
#[expect(dead_code, reason = "describes what http/body.rs reads")]
pub(crate) struct AcknowledgementBody {
    /// `serial-range` or `signed-zone`.
    guard: String,
    /// Why; it is recorded with the plan.
    reason: String,
}

/// A token to give.
#[derive(ToSchema)]
#[schema(as = TokenRequest)]
#[expect(dead_code, reason = "describes what give_token.rs reads")]
pub(crate) struct TokenBody {
    /// Letters, digits and `._-@:`; unlike that of all other living tokens.
    name: String,
    /// `reader`, `planner`, `operator` or `admin`.
    role: String,
    /// The groups that its plans may change; left out for all.
    groups: Option<Vec<String>>,
    /// The names that its plans may change stand at or below one of these (absolute); left out for all.
    suffixes: Option<Vec<String>>,
}

/// The description, written out once.
static TEXT: LazyLock<String> = LazyLock::new(|| Description::openapi().to_json().unwrap_or_default());

/// This description. Open to everybody.
#[utoipa::path(get, path = "/openapi.json", tag = "about", security(()), responses((status = 200, description = "OpenAPI", body = Object, content_type = "application/json")))]
pub(crate) async fn show_openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}
