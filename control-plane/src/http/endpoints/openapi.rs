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
        super::roll_back::roll_back,
        super::raise_epoch::raise_group,
        super::raise_epoch::raise_all,
        super::fail_generation::fail_generation,
        super::freeze::freeze_group,
        super::thaw::thaw_group,
        super::freeze::freeze_all,
        super::thaw::thaw_all,
        super::list_stops::list_stops,
        super::list_groups::list_groups,
        super::show_group::show_group,
        super::list_plans::list_plans,
        super::show_plan::show_plan,
        super::show_diff::show_diff,
        super::list_pins::list_pins,
        super::pin_generation::pin_generation,
        super::unpin_generation::unpin_generation,
        super::list_zones::list_zones,
        super::show_zone::show_zone,
        super::export_zone::export_zone,
        super::list_record_sets::list_record_sets,
        super::show_history::show_history,
        super::explain::explain,
        super::follow_events::follow_events,
        super::list_servers::list_servers,
        super::forget_server::forget_server,
        super::list_rings::list_rings,
        super::list_rings::show_ring,
        super::set_ring::set_ring,
        super::end_ring::end_ring,
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
        (name = "acts", description = "Stopping things, and putting them right"),
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
    /// What changes, by zone (absolute); at least one, unless there are `settings`.
    zones: Option<BTreeMap<String, ZoneChangeBody>>,
    /// Settings of the group; null takes one back to its default. For operators.
    settings: Option<SettingsBody>,
    /// Names that must not have changed since `base`, besides those that the plan changes.
    reads: Option<Vec<ReadBody>>,
    /// False: admit only if `base` is the tip. By default true.
    rebase: Option<bool>,
    /// Guards that do not apply to this plan. For operators.
    acknowledge: Option<Vec<AcknowledgementBody>>,
}

/// Settings of a group.
#[derive(ToSchema)]
#[schema(as = SettingsRequest)]
#[expect(dead_code, reason = "describes what http/body/settings.rs reads")]
pub(crate) struct SettingsBody {
    /// How many record sets of a zone one plan may delete.
    #[schema(rename = "deleted-share")]
    deleted_share: Option<LimitBody>,
    /// How many record sets of a zone one plan may change.
    #[schema(rename = "changed-share")]
    changed_share: Option<LimitBody>,
    /// How many record sets of the group planners may delete within an hour, over all plans.
    velocity: Option<LimitBody>,
    /// False: what CNAME, NS, MX and SRV point to inside the group need not exist.
    references: Option<bool>,
    /// Why planners are shut out; null lets them in again.
    closed: Option<String>,
}

/// So many are always allowed, and this share of what stands.
#[derive(ToSchema)]
#[schema(as = Limit)]
#[expect(dead_code, reason = "describes what http/body/settings.rs reads")]
pub(crate) struct LimitBody {
    /// Always allowed.
    at_least: u32,
    /// Allowed of what stands, 0 to 100.
    percent: u8,
}

/// A record set that is guarded, or a guard that ends.
#[derive(ToSchema)]
#[schema(as = GuardRequest)]
#[expect(dead_code, reason = "describes what http/body/record_sets.rs reads")]
pub(crate) struct GuardBody {
    /// The owner: absolute, relative to the zone, or `@`.
    name: String,
    /// Such as `A`.
    #[schema(rename = "type")]
    rtype: String,
    /// The fewest records that the set may have, by default 1. Not in `unguard`.
    min: Option<u16>,
}

/// What changes in a zone: any of `upsert`, `delete`, `guard` and `unguard`; or `replace`, or `end`.
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
    /// Record sets that stand from now on, with a minimum of records, whatever plans say. For operators.
    guard: Option<Vec<GuardBody>>,
    /// Guards that end. For operators.
    unguard: Option<Vec<GuardBody>>,
    /// True: everything in the zone goes, and it exists no more. Nothing else is in such a plan. For operators.
    end: Option<bool>,
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
    /// `apex`, `references`, `deleted-share`, `changed-share`, `velocity`, `serial-range` or `signed-zone`.
    guard: String,
    /// Why; it is recorded with the plan.
    reason: String,
}

/// A freeze.
#[derive(ToSchema)]
#[schema(as = FreezeRequest)]
#[expect(dead_code, reason = "describes what freeze.rs reads")]
pub(crate) struct FreezeBody {
    /// Why; it is recorded, and shown wherever it has an effect.
    reason: String,
    /// Only in this ring.
    ring: Option<String>,
    /// Only until then, by the database's clock (RFC 3339). Left out: until it is thawed.
    until: Option<String>,
}

/// A thaw: of what was frozen with the same ring, or without one.
#[derive(ToSchema)]
#[schema(as = ThawRequest)]
#[expect(dead_code, reason = "describes what thaw.rs reads")]
pub(crate) struct ThawBody {
    /// Why; it is recorded.
    reason: String,
    /// What was frozen in this ring.
    ring: Option<String>,
}

/// What a ring shall be; what is left out stays.
#[derive(ToSchema)]
#[schema(as = RingRequest)]
#[expect(dead_code, reason = "describes what set_ring.rs reads")]
pub(crate) struct RingBody {
    /// True: it proves what the others take, in place of the ring that does so now.
    first: Option<bool>,
    /// For how many seconds the first ring serves a generation without a fault until it has passed.
    soak_s: Option<f64>,
    /// How many seconds after a generation passed this ring takes it.
    delay_s: Option<f64>,
    /// As few servers as these prove nothing.
    servers_min: Option<i32>,
    /// Why; it is recorded.
    reason: Option<String>,
}

/// A rollback.
#[derive(ToSchema)]
#[schema(as = RollbackRequest)]
#[expect(dead_code, reason = "describes what roll_back.rs reads")]
pub(crate) struct RollbackBody {
    /// The generation whose answers are wished back.
    to: i64,
    /// The generation that the operator had read: what changed after it and would be taken back is a conflict.
    base: i64,
    /// Its id; without it a base of an older epoch is refused.
    base_id: Option<String>,
    /// Why; with `through_freeze` it is also what planners are told.
    reason: String,
    /// True: it goes through freezes, and the group is closed to planners until an operator reopens it.
    through_freeze: Option<bool>,
}

/// An act that needs nothing but a reason.
#[derive(ToSchema)]
#[schema(as = ReasonRequest)]
#[expect(dead_code, reason = "describes what http/acts.rs reads")]
pub(crate) struct ReasonBody {
    /// Why; it is recorded.
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
