//! An API on a database of its own, and a client that asks it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "test helpers: each file uses its own part, and panics are how a test fails"
)]

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use control_plane::admission::Admissions;
use control_plane::http::{ApiState, router};
use control_plane::notices::{ADMITTED, Notices};
use control_plane::store::HistoryStore;
use control_plane::{database, tokens};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::ops::Index;
use test_support::TestPostgres;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The admin's token of every API here.
pub(crate) const ADMIN: &str = "hf_0000000000000000000000000000000000000000000";

/// An API, asked without a network.
pub(crate) struct Api {
    pub(crate) state: ApiState,
    pub(crate) owner: PgPool,
    pub(crate) shutdown: CancellationToken,
    postgres: TestPostgres,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Index<&str> for Answer {
    type Output = Value;
    fn index(&self, member: &str) -> &Value {
        &self.json[member]
    }
}

impl Answer {
    /// That it is the problem of this name, with this status, as RFC 9457 has it.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str) -> &Self {
        assert_eq!(
            (self.status.as_u16(), &self["type"]),
            (status, &json!(format!("/problems/{name}"))),
            "{}",
            self.text
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self["status"], status);
        assert!(!self["title"].as_str().unwrap().is_empty());
        self
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// The places of all violations.
    pub(crate) fn places(&self) -> Vec<&str> {
        self["violations"].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap()).collect()
    }
}

impl Api {
    pub(crate) async fn empty() -> Self {
        let postgres = TestPostgres::start().await;
        let login = format!("{}_api", postgres.database());
        database::ensure_login(postgres.owner_url(), &login, "secret", &["holdfast_admit", "holdfast_read"])
            .await
            .unwrap();
        tokens::ensure_admin(postgres.owner_url(), "admin", ADMIN).await.unwrap();
        let url = postgres.url_of(&login, "secret");
        let pool = database::pool(&url, "test api", 6).unwrap();
        let own = database::pool(&url, "test api notices", 2).unwrap();
        let owner = database::pool(postgres.owner_url(), "test", 2).unwrap();
        let (store, shutdown) = (HistoryStore::new(pool), CancellationToken::new());
        let admissions = Admissions::new(store.clone(), Notices::start(own.clone(), ADMITTED, shutdown.clone()));
        let state = ApiState::new(store, admissions, own, shutdown.clone()).unwrap();
        Self { state, owner, shutdown, postgres }
    }

    /// With the group `example.com` and its zone at generation 1.
    pub(crate) async fn with_example() -> Self {
        let api = Self::empty().await;
        api.post("/v1/groups/example.com/plans", &json!({"base": 0, "zones": {"example.com.": whole_zone(1)}}))
            .await
            .is(201);
        api
    }

    pub(crate) fn owner_url(&self) -> &str {
        self.postgres.owner_url()
    }

    pub(crate) fn superuser_url(&self) -> &str {
        self.postgres.superuser_url()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let (parts, body) = router(self.state.clone()).oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(parts.headers.contains_key("x-request-id"));
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, text, json }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request("GET", path, ADMIN, &[], Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_as(ADMIN, path, &[], body).await
    }

    pub(crate) async fn post_as(&self, token: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.ask(request("POST", path, token, &all, Body::from(body.to_string()))).await
    }

    /// Posts a plan that gives `owner` in example.com an address.
    pub(crate) async fn put(&self, base: i64, owner: &str, last: u8) -> Answer {
        self.post("/v1/groups/example.com/plans", &put(base, owner, last)).await
    }

    pub(crate) async fn import(&self, query: &str, file: &str) -> Answer {
        let path = format!("/v1/groups/example.com/import?{query}");
        self.ask(request("POST", &path, ADMIN, &[("content-type", "text/dns")], Body::from(file.to_owned()))).await
    }

    /// Gives a token.
    pub(crate) async fn token(&self, body: &Value) -> String {
        let given = self.post("/v1/tokens", body).await;
        given.is(201)["secret"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(query).fetch_one(&self.owner).await.unwrap()
    }

    /// Runs statements as one whom no refusal binds: how a test damages what Holdfast would never write, or turns the clock.
    pub(crate) async fn superuser(&self, statements: &str) {
        let pool = database::pool(self.postgres.superuser_url(), "test", 1).unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    pub(crate) async fn run(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&self.owner).await.unwrap();
    }
}

pub(crate) fn request(method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body).unwrap()
}

pub(crate) fn record_set(name: &str, rtype: &str, records: &[&str]) -> Value {
    json!({"name": name, "type": rtype, "ttl": 60, "records": records})
}

/// A zone of SOA, NS and the server's address, as a replacement.
pub(crate) fn whole_zone(serial: u32) -> Value {
    let soa = format!("ns1 hostmaster {serial} 3600 900 604800 300");
    json!({"replace": [record_set("@", "SOA", &[&soa]), record_set("@", "NS", &["ns1"]), record_set("ns1", "A", &["192.0.2.53"])]})
}

pub(crate) fn put(base: i64, owner: &str, last: u8) -> Value {
    let address = format!("192.0.2.{last}");
    json!({"base": base, "zones": {"example.com.": {"upsert": [record_set(owner, "A", &[&address])]}}})
}
