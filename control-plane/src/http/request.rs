//! What happens around every request: its id, its time, its line in the log, its place in the metrics.

use super::ApiState;
use super::problem::{Cause, Kind, Problem};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The header that names a request, in responses and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LENGTH_MAX: usize = 128;

/// After this long, what only reads is given up. What writes has times of its own.
const READ_TIME_MAX: Duration = Duration::from_secs(30);
/// After this long, nobody waits for what writes; it goes on by itself. An import of 256 MiB over a slow line is within.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20 * 60);

/// Carries a request through: gives it an id and a time, tells log and metrics how it ended.
pub(super) async fn carry(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    // The route and not the path: metrics have as many series as there are routes, however many paths are tried.
    let route = request.extensions().get::<MatchedPath>().map_or("(none)".to_owned(), |path| path.as_str().to_owned());
    let time_max = if is_safe(&method) { READ_TIME_MAX } else { WRITE_TIME_MAX };
    let caller = CallerSlot::default();
    let mut request = request;
    request.extensions_mut().insert(caller.clone());
    let answered = tokio::time::timeout(time_max, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| Problem::TimedOut.into_response());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let elapsed = started.elapsed();
    state.metrics.request_ended(&method, &route, response.status(), elapsed);
    log(&id, &method, &route, caller.get(), elapsed, &response);
    response
}

/// Where authentication leaves the caller's name for the log.
#[derive(Clone, Debug, Default)]
pub(super) struct CallerSlot(Arc<std::sync::OnceLock<Arc<str>>>);

impl CallerSlot {
    pub(super) fn set(&self, name: &Arc<str>) {
        // Set twice by two extractors of one request, with the same name.
        let _ = self.0.set(Arc::clone(name));
    }

    fn get(&self) -> &str {
        self.0.get().map_or("-", |name| name)
    }
}

fn log(id: &str, method: &Method, route: &str, token: &str, elapsed: Duration, response: &Response) {
    let status = response.status().as_u16();
    let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let problem = response.extensions().get::<Kind>().map_or("-", |kind| kind.name());
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => {
            tracing::error!(request = id, %method, route, token, status, elapsed_us, problem, cause, "request failed");
        }
        None => tracing::info!(request = id, %method, route, token, status, elapsed_us, problem, "request"),
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The client's own id where it is one that can stand in a log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| {
        (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    });
    given.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_that_can_stand_in_a_log_is_taken_over() {
        let id_of = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(given).unwrap());
            request_id(&headers)
        };
        assert_eq!(id_of("deploy-42.1"), "deploy-42.1");
        for bad in ["", "a b", "a\u{9}b", &"a".repeat(129)] {
            assert_ne!(id_of(bad), bad);
        }
    }
}
