use super::*;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use zone_model::{Generation, Id, Name};

fn version(number: i64) -> Version {
    Version { generation: Generation::new(number).unwrap(), id: Id::GENESIS }
}

fn violations() -> Violations {
    let mut violations = Violations::default();
    violations.at("base", None, "expected a whole number");
    violations
}

async fn told(problem: Problem) -> (axum::http::response::Parts, Value) {
    let (parts, body) = problem.into_response().into_parts();
    (parts, serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap())
}

#[test]
fn every_kind_has_a_page_and_every_page_a_kind() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems");
    let pages: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let kinds: BTreeSet<String> = Kind::ALL.iter().map(|kind| format!("{}.md", kind.name())).collect();
    assert_eq!(pages, kinds);
    for kind in Kind::ALL {
        let start = format!("# {}\n\n`/problems/{}` · status {}\n", kind.title(), kind.name(), kind.status().as_u16());
        assert!(kind.page().starts_with(&start), "the page of {kind:?} starts with another title, name or status");
        for part in ["## What happened", "## Why", "## What to do"] {
            assert!(kind.page().contains(part), "the page of {kind:?} lacks {part}");
        }
    }
}

#[tokio::test]
async fn members_are_typed() {
    let zero = "0".repeat(64);
    let conflict = Conflict {
        zone: Name::parse("example.com.").unwrap(),
        name: Name::parse("api.example.com.").unwrap(),
        changed_in: Generation::new(42).unwrap(),
    };
    let cases = [
        (
            Problem::StaleBase { tip: version(42), conflicts: vec![conflict], conflict_count: 1 },
            json!({
                "type": "/problems/stale-base", "status": 409,
                "title": "Something that the plan touches changed after its base",
                "detail": "1 name(s) changed after the plan's base; the tip is 42",
                "tip": {"generation": 42, "id": zero},
                "conflicts": [{"zone": "example.com.", "name": "api.example.com.", "changed_in": 42}],
                "conflict_count": 1,
            }),
        ),
        (
            Problem::UnknownBase { tip: Some(version(2)), message: "the base 9 is above the tip 2".to_owned() },
            json!({
                "type": "/problems/unknown-base", "status": 409, "title": "The base is not of this group's history",
                "detail": "the base 9 is above the tip 2", "tip": {"generation": 2, "id": zero},
            }),
        ),
        (
            Problem::InvalidPlan { violations: violations() },
            json!({
                "type": "/problems/invalid-plan", "status": 422, "title": "The plan is not valid",
                "detail": "base: expected a whole number",
                "violations": [{"place": "base", "message": "expected a whole number"}], "violation_count": 1,
            }),
        ),
        (
            Problem::MalformedBody { line: 3, column: 7, message: "trailing comma".to_owned() },
            json!({
                "type": "/problems/malformed-body", "status": 400, "title": "The body is not JSON",
                "detail": "line 3, column 7: trailing comma", "line": 3, "column": 7,
            }),
        ),
        (
            Problem::GuardRefused {
                objections: vec![Objection {
                    guard: zone_model::Guard::DeletedShare,
                    limit: 1,
                    actual: 3,
                    zone: Some(Name::root()),
                    name: None,
                    message: "too much".to_owned(),
                }],
            },
            json!({
                "type": "/problems/guard-refused", "status": 422, "title": "A guard refused the plan",
                "detail": "deleted-share: too much", "guard": "deleted-share", "limit": 1, "actual": 3,
                "objections": [{
                    "guard": "deleted-share", "limit": 1, "actual": 3, "zone": ".", "message": "too much",
                }],
            }),
        ),
        (
            Problem::TooLarge { limit: 16 },
            json!({
                "type": "/problems/too-large", "status": 413, "title": "The body is too large",
                "detail": "at most 16 octets are read here", "limit": 16,
            }),
        ),
        (
            Problem::BelowFloor { generation: 3, floor: 7 },
            json!({
                "type": "/problems/below-floor", "status": 410, "title": "The generation was retired",
                "detail": "generation 3 was retired; the oldest that can be read is 7", "generation": 3, "floor": 7,
            }),
        ),
    ];
    for (problem, expected) in cases {
        let (parts, body) = told(problem).await;
        assert_eq!(body, expected);
        assert_eq!(parts.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(u64::from(parts.status.as_u16()), body["status"]);
    }
}

#[tokio::test]
async fn causes_go_to_the_log_and_nowhere_else() {
    for problem in [
        Problem::Internal { cause: "a table named secrets".to_owned() },
        Problem::DatabaseAway { cause: "host 10.1.2.3 refused the password hunter2".to_owned() },
    ] {
        let cause = problem.cause().unwrap().to_owned();
        let (parts, body) = told(problem).await;
        assert!(!body.to_string().contains(&cause));
        assert!(parts.headers.values().all(|value| value != cause.as_str()));
        assert_eq!(parts.extensions.get::<Cause>().unwrap().0, cause);
    }
}

#[tokio::test]
async fn headers_say_what_to_do_next() {
    let (parts, _) = told(Problem::Unauthorized { token_given: false }).await;
    assert_eq!(parts.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"holdfast\"");
    let (parts, _) = told(Problem::Unauthorized { token_given: true }).await;
    assert_eq!(parts.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"holdfast\", error=\"invalid_token\"");
    for problem in [Problem::Busy { message: "" }, Problem::DatabaseAway { cause: String::new() }] {
        assert_eq!(told(problem).await.0.headers[header::RETRY_AFTER], "1");
    }
}

#[test]
fn the_database_s_troubles_are_told_apart() {
    assert_eq!(Problem::from(sqlx::Error::PoolTimedOut).kind(), Kind::Busy);
    assert_eq!(Problem::from(sqlx::Error::PoolClosed).kind(), Kind::DatabaseAway);
    assert_eq!(Problem::from(sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into())).kind(), Kind::DatabaseAway);
    assert_eq!(Problem::from(sqlx::Error::RowNotFound).kind(), Kind::Internal);
}
