//! What holds for all routes, without a database.

use super::endpoints::openapi::Description;
use super::*;
use crate::notices::{ADMITTED, Notices};
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::BTreeSet;
use std::time::Duration;
use tower::ServiceExt as _;
use utoipa::OpenApi as _;

/// An API whose database nobody answers for.
fn api() -> axum::Router {
    let nowhere = PgConnectOptions::new_without_pgpass().host("/nowhere").username("nobody");
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(200)).connect_lazy_with(nowhere);
    let (store, shutdown) = (HistoryStore::new(pool.clone()), CancellationToken::new());
    let admissions = Admissions::new(store.clone(), Notices::start(pool.clone(), ADMITTED, shutdown.clone()));
    router(ApiState::new(store, admissions, pool, shutdown).unwrap())
}

async fn ask(request: Request<Body>) -> Response<Body> {
    api().oneshot(request).await.unwrap()
}

async fn problem_of(response: Response<Body>) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status();
    let body: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(body["status"], u64::from(status.as_u16()));
    body["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned()
}

/// (method, path) of every route, as this folder's own route table has them.
fn routes() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for line in include_str!("../http.rs").lines().map(str::trim).filter(|line| line.starts_with(".route(")) {
        let path = line.split('"').nth(1).unwrap();
        for method in ["get", "post", "delete", "put", "patch"] {
            if line.contains(&format!("{method}(ep::")) {
                routes.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    routes
}

/// The operations of the description, and whether each is open to everybody.
fn described() -> Vec<(String, String, bool)> {
    let description: Value = serde_json::to_value(Description::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.clone(), path.clone(), operation.get("security").is_some()));
        }
    }
    operations
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let described: BTreeSet<(String, String)> =
        described().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(described, routes());
    assert!(described.len() > 15);
}

#[test]
fn the_description_refers_to_what_it_has() {
    let text = Description::openapi().to_json().unwrap();
    let description: Value = serde_json::from_str(&text).unwrap();
    for reference in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(!description["components"]["schemas"][reference].is_null(), "{reference} is not described");
    }
}

#[tokio::test]
async fn all_but_the_open_paths_need_a_token() {
    for (method, path, is_open) in described() {
        let path = path.replace(['{', '}'], "");
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path).body(Body::empty()).unwrap();
        let response = ask(request).await;
        assert_eq!(response.status() == StatusCode::UNAUTHORIZED, !is_open, "{method} {path}: {}", response.status());
        let opens = ["/health/", "/metrics", "/openapi.json", "/problems/"].iter().any(|open| path.starts_with(open));
        assert_eq!(is_open, opens, "{path}");
        assert!(response.headers().contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_anybody() {
    for header in ["Basic YTpi", "Bearer", "Bearer hunter2", "Bearer hf_short", "hf_AAAA"] {
        let request = Request::get("/v1/groups").header("authorization", header).body(Body::empty()).unwrap();
        let response = ask(request).await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"holdfast\", error=\"invalid_token\"");
        assert_eq!(problem_of(response).await, "unauthorized", "{header}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    for path in ["/", "/v2/groups", "/v1", "/v1/groups/", "/v1/groups/a/b/c", "/problems/nope", "/problems/%ff"] {
        let response = ask(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(problem_of(response).await, "not-found");
    }
    let request = Request::builder().method(Method::PUT).uri("/v1/groups/a/plans").body(Body::empty()).unwrap();
    let response = ask(request).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD,POST");
    assert_eq!(problem_of(response).await, "method-not-allowed");
}

#[tokio::test]
async fn a_database_that_is_away_is_said_to_be_so() {
    let token = format!("Bearer hf_{}", "A".repeat(43));
    let request = Request::get("/v1/groups").header("authorization", token).body(Body::empty()).unwrap();
    let response = ask(request).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(["database-away", "busy"].contains(&problem_of(response).await.as_str()));
    let live = ask(Request::get("/health/live").body(Body::empty()).unwrap()).await;
    assert_eq!(live.status(), StatusCode::OK);
    let ready = ask(Request::get("/health/ready").body(Body::empty()).unwrap()).await;
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn open_pages_answer() {
    for (path, media_type) in [
        ("/openapi.json", "application/json"),
        ("/problems/stale-base", "text/markdown; charset=utf-8"),
        ("/health/live", "text/plain; charset=utf-8"),
    ] {
        let response = ask(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], media_type, "{path}");
    }
}
