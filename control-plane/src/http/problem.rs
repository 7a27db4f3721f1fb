//! The catalogue of problems: every way in which the API says no (RFC 9457).
//!
//! A problem's `type` is stable, and the address of its page. The pages stand in `docs/problems/`.

mod body;
mod causes;

pub use body::ProblemBody;
pub(crate) use body::VersionView;

use super::violations::Violations;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use plan_rules::{Conflict, Objection};
use zone_model::Version;

/// Everything that the API answers instead of what was asked for.
#[derive(Debug)]
pub enum Problem {
    /// A parameter, header or small body is wrong.
    InvalidRequest {
        /// What, where.
        violations: Violations,
    },
    /// The body is not JSON.
    MalformedBody {
        /// The line of the body, from 1.
        line: usize,
        /// The column, from 1; 0 where the line is empty.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// No token, or not a valid one.
    Unauthorized {
        /// Whether there was one.
        token_given: bool,
    },
    /// The token may not do this.
    Forbidden {
        /// What it would take.
        message: String,
    },
    /// There is nothing of this name.
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The path exists, and not for this method.
    MethodNotAllowed,
    /// The body did not come in time.
    SlowBody,
    /// Something in the plan's footprint changed after its base.
    StaleBase {
        /// The tip.
        tip: Version,
        /// What changed; not all, if there are many.
        conflicts: Vec<Conflict>,
        /// How many there are.
        conflict_count: usize,
    },
    /// The base is not of this group's history.
    UnknownBase {
        /// The tip; none if the group does not exist.
        tip: Option<Version>,
        /// What is wrong with the base.
        message: String,
    },
    /// No generation number is left.
    HistoryFull,
    /// A living token has this name.
    NameTaken {
        /// The name.
        name: String,
    },
    /// A generation that is not there yet.
    FutureGeneration {
        /// What was asked for.
        generation: i64,
        /// The tip.
        tip: Version,
    },
    /// A generation that is not there any more.
    BelowFloor {
        /// What was asked for.
        generation: i64,
        /// The oldest that is.
        floor: i64,
    },
    /// The body is too large.
    TooLarge {
        /// The most octets.
        limit: u64,
    },
    /// The body is of a type that is not read here.
    UnsupportedMediaType {
        /// What is.
        expected: &'static str,
    },
    /// The plan is not valid.
    InvalidPlan {
        /// What is wrong, where.
        violations: Violations,
    },
    /// Guards object to what the plan comes to.
    GuardRefused {
        /// Each objection; at least one.
        objections: Vec<Objection>,
    },
    /// The idempotency key stands for another request.
    KeyReused,
    /// Servers report what the group's history does not know: nothing is admitted until its epoch is raised.
    HistoryBehind {
        /// What they report, in words.
        message: String,
    },
    /// The act would bring about what cannot be.
    ActRefused {
        /// Why.
        message: String,
    },
    /// Something broke inside.
    Internal {
        /// For the log, never shown.
        cause: String,
    },
    /// Too much is going on.
    Busy {
        /// What.
        message: &'static str,
    },
    /// The database cannot be asked.
    DatabaseAway {
        /// For the log, never shown.
        cause: String,
    },
    /// The database's schema is not the one that this program was built for.
    SchemaUnlike {
        /// The version that this program was built for.
        expected: i64,
        /// The database's.
        found: Option<i64>,
    },
    /// The answer took too long.
    TimedOut,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $status:ident, $title:literal;)*) => {
        /// What kind of problem: all that is the same each time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $title] $kind,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The last part of the type's address.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The status of the response.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }

            /// The kind in a sentence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// The page about it, in Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$kind => include_str!(concat!("../../../docs/problems/", $name, ".md")),)* }
            }
        }

        impl Problem {
            /// What kind of problem this is.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind { .. } => Kind::$kind,)* }
            }
        }
    };
}

kinds! {
    InvalidRequest, "invalid-request", BAD_REQUEST, "The request is not valid";
    MalformedBody, "malformed-body", BAD_REQUEST, "The body is not JSON";
    Unauthorized, "unauthorized", UNAUTHORIZED, "A valid token is needed";
    Forbidden, "forbidden", FORBIDDEN, "This token may not do that";
    NotFound, "not-found", NOT_FOUND, "There is nothing of this name";
    FutureGeneration, "future-generation", NOT_FOUND, "The generation does not exist yet";
    MethodNotAllowed, "method-not-allowed", METHOD_NOT_ALLOWED, "This path does not have that method";
    SlowBody, "slow-body", REQUEST_TIMEOUT, "The body did not come in time";
    StaleBase, "stale-base", CONFLICT, "Something that the plan touches changed after its base";
    UnknownBase, "unknown-base", CONFLICT, "The base is not of this group's history";
    HistoryFull, "history-full", CONFLICT, "The group has no generation number left";
    NameTaken, "name-taken", CONFLICT, "The name is taken";
    ActRefused, "act-refused", CONFLICT, "The act cannot be done as things are";
    BelowFloor, "below-floor", GONE, "The generation was retired";
    TooLarge, "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType, "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body is of a type that is not read here";
    InvalidPlan, "invalid-plan", UNPROCESSABLE_ENTITY, "The plan is not valid";
    GuardRefused, "guard-refused", UNPROCESSABLE_ENTITY, "A guard refused the plan";
    KeyReused, "key-reused", UNPROCESSABLE_ENTITY, "The idempotency key stands for another request";
    HistoryBehind, "history-behind", LOCKED, "The database went back in time";
    Internal, "internal", INTERNAL_SERVER_ERROR, "Something broke inside";
    Busy, "busy", SERVICE_UNAVAILABLE, "Too much is going on";
    DatabaseAway, "database-away", SERVICE_UNAVAILABLE, "The database cannot be asked";
    SchemaUnlike, "schema-unlike", SERVICE_UNAVAILABLE, "The database's schema is of another version";
    TimedOut, "timed-out", GATEWAY_TIMEOUT, "The answer took too long";
}

/// For the log, in the response's extensions: what happened inside. Logged once, by the request's own line.
#[derive(Clone, Debug)]
pub(crate) struct Cause(pub(crate) String);

impl Problem {
    /// What can be told about this one.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::InvalidRequest { violations } | Self::InvalidPlan { violations } => {
                let shown = violations.listed().first()?;
                let more = violations.count() - 1;
                let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                Some(format!("{}: {}{more}", shown.place, shown.message))
            }
            Self::MalformedBody { line, column, message } => Some(format!("line {line}, column {column}: {message}")),
            Self::Unauthorized { token_given: true } => {
                Some("the token is unknown or has ended; it is given as `Authorization: Bearer hf_…`".to_owned())
            }
            Self::Unauthorized { token_given: false } => {
                Some("give a token as `Authorization: Bearer hf_…`".to_owned())
            }
            Self::Forbidden { message }
            | Self::UnknownBase { message, .. }
            | Self::HistoryBehind { message }
            | Self::ActRefused { message } => Some(message.clone()),
            Self::NotFound { what } => Some(format!("there is no {what}")),
            Self::StaleBase { tip, conflict_count: 0, .. } => {
                Some(format!("the plan insists on a tip or base, and the tip is {}", tip.generation))
            }
            Self::StaleBase { tip, conflict_count, .. } => {
                Some(format!("{conflict_count} name(s) changed after the plan's base; the tip is {}", tip.generation))
            }
            Self::GuardRefused { objections } => {
                let first = objections.first()?;
                let more = objections.len() - 1;
                let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                Some(format!("{}: {}{more}", first.guard.as_str(), first.message))
            }
            Self::NameTaken { name } => Some(format!("a living token has the name {name}")),
            Self::FutureGeneration { generation, tip } => {
                Some(format!("generation {generation} is above the tip, {}", tip.generation))
            }
            Self::BelowFloor { generation, floor } => {
                Some(format!("generation {generation} was retired; the oldest that can be read is {floor}"))
            }
            Self::TooLarge { limit } => Some(format!("at most {limit} octets are read here")),
            Self::UnsupportedMediaType { expected } => {
                Some(format!("send it as `Content-Type: {expected}`, unencoded"))
            }
            Self::Busy { message } => Some((*message).to_owned()),
            Self::SchemaUnlike { expected, found } => Some(match found {
                Some(found) => format!("this program needs version {expected}, and the database has {found}"),
                None => format!("this program needs version {expected}, and the database says none"),
            }),
            Self::MethodNotAllowed
            | Self::SlowBody
            | Self::HistoryFull
            | Self::KeyReused
            | Self::Internal { .. }
            | Self::DatabaseAway { .. }
            | Self::TimedOut => None,
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthorized { token_given } => {
                let challenge = if *token_given {
                    "Bearer realm=\"holdfast\", error=\"invalid_token\""
                } else {
                    "Bearer realm=\"holdfast\""
                };
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)))
            }
            Self::Busy { .. } | Self::DatabaseAway { .. } => Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Self::Internal { cause } | Self::DatabaseAway { cause } => Some(cause),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind();
        let cause = self.cause().map(str::to_owned);
        let header = self.header();
        let body = serde_json::to_vec(&ProblemBody::from(self)).unwrap_or_default();
        let mut response = (kind.status(), body).into_response();
        response.extensions_mut().insert(kind);
        if let Some(cause) = cause {
            response.extensions_mut().insert(Cause(cause));
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(header);
        response
    }
}

#[cfg(test)]
mod tests;
