//! Who is asking: a bearer token, looked up by its hash (RFC 6750).

use super::ApiState;
use super::problem::Problem;
use super::request::CallerSlot;
use crate::tokens::{Caller, Secret};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

/// Every endpoint that is not open has a `Caller` among its arguments, before the body, so nothing is read for strangers.
/// A test asks each of them without a token.
impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(AUTHORIZATION).iter();
        let header = given.next().ok_or(Problem::Unauthorized { token_given: false })?;
        let refused = Problem::Unauthorized { token_given: true };
        if given.next().is_some() {
            return Err(refused);
        }
        let secret = header.to_str().ok().and_then(bearer).and_then(|token| token.parse::<Secret>().ok());
        let Some(secret) = secret else { return Err(refused) };
        let caller = state.tokens.find(&secret).await?.ok_or(refused)?;
        if let Some(slot) = parts.extensions.get::<CallerSlot>() {
            slot.set(&caller.name);
        }
        Ok(caller)
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_matches(' '))
}
