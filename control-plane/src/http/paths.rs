//! Names in paths.

use super::problem::Problem;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use plan_rules::RingName;
use zone_model::{Generation, GroupName, Name};

/// The longest name of a server, in characters.
const SERVER_NAME_LENGTH_MAX: usize = 255;

/// The `{group}` of a path.
#[derive(Debug)]
pub(crate) struct GroupInPath(pub(crate) GroupName);

/// The `{zone}` of a path: with or without its last dot, `/` as `%2F`, the root as `@root`.
#[derive(Debug)]
pub(crate) struct ZoneInPath(pub(crate) Name);

/// The `{generation}` of a path.
#[derive(Debug)]
pub(crate) struct GenerationInPath(pub(crate) Generation);

/// The `{ring}` of a path.
#[derive(Debug)]
pub(crate) struct RingInPath(pub(crate) RingName);

/// The `{server}` of a path.
#[derive(Debug)]
pub(crate) struct ServerInPath(pub(crate) String);

/// The `{pin}` of a path.
#[derive(Debug)]
pub(crate) struct PinInPath(pub(crate) i64);

/// The `{name}` of a path.
#[derive(Debug)]
pub(crate) struct NameInPath(pub(crate) String);

async fn parameter<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, state).await;
    // Not UTF-8 once it is decoded: nothing here has such a name.
    let parameters = parameters.map_err(|_| Problem::NotFound { what: format!("{name} of that name") })?;
    let value = parameters.iter().find(|(given, _)| *given == name).map(|(_, value)| value.to_owned());
    value.ok_or_else(|| Problem::NotFound { what: "such path".to_owned() })
}

impl<S: Send + Sync> FromRequestParts<S> for GroupInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "group").await?;
        GroupName::parse(&text).map(Self).map_err(|error| Problem::NotFound { what: format!("such group: {error}") })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ZoneInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "zone").await?;
        read_zone(&text).map(Self).ok_or_else(|| Problem::NotFound { what: format!("zone {}", shortened(&text)) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for GenerationInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "generation").await?;
        let generation = text.parse().ok().and_then(Generation::new).map(Self);
        generation.ok_or_else(|| Problem::NotFound { what: format!("generation {}", shortened(&text)) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RingInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "ring").await?;
        RingName::parse(&text).map(Self).ok_or_else(|| Problem::NotFound { what: format!("ring {}", shortened(&text)) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ServerInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "server").await?;
        let fits =
            !text.is_empty() && text.chars().count() <= SERVER_NAME_LENGTH_MAX && !text.contains(char::is_control);
        if fits { Ok(Self(text)) } else { Err(Problem::NotFound { what: format!("server {}", shortened(&text)) }) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PinInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = parameter(parts, state, "pin").await?;
        text.parse().map(Self).map_err(|_| Problem::NotFound { what: format!("pin {}", shortened(&text)) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "name").await.map(Self)
    }
}

/// Reads a zone's name as it stands in paths and queries. None where it is no name.
pub(crate) fn read_zone(text: &str) -> Option<Name> {
    match text {
        "@root" => Some(Name::root()),
        "@" => None,
        _ => Name::parse_relative(text, &Name::root()).ok(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_in_paths_have_their_last_dot_or_not() {
        for (text, expected) in [
            ("example.com", "example.com."),
            ("example.com.", "example.com."),
            ("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa."),
            ("@root", "."),
            (".", "."),
            (r"a\.", r"a\.."),
        ] {
            assert_eq!(read_zone(text).unwrap().to_string(), expected, "{text}");
        }
        for bad in ["", "@", "..", "a..b", " "] {
            assert!(read_zone(bad).is_none(), "{bad}");
        }
    }
}
