//! `POST /v1/tokens`: gives a token.

use super::list_tokens::TokenView;
use crate::http::ApiState;
use crate::http::json::Json as Tree;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::upload::read_json;
use crate::http::violations::{Fields, Violations, list, text};
use crate::tokens::{Caller, GiveError, TOKEN_NAME_LENGTH_MAX, is_token_name};
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse, Response};
use plan_rules::{Author, Role, Scope};
use serde::Serialize;
use utoipa::ToSchema;
use zone_model::{GroupName, Name};

/// A token that was just given. Its secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenGiven)]
struct TokenGivenView {
    #[serde(flatten)]
    token: TokenView,
    /// What goes into `Authorization: Bearer …`. Only its hash is stored, so it cannot be shown again.
    secret: String,
}

/// Gives a token. For admins.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "tokens",
    request_body(content = super::openapi::TokenBody, content_type = "application/json"),
    responses(
        (status = 201, description = "The token", body = TokenGivenView),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn give_token(
    State(state): State<ApiState>,
    caller: Caller,
    parameters: Parameters,
    request: Request<Body>,
) -> Result<Response, Problem> {
    caller.author.needs(Role::Admin, "giving a token")?;
    parameters.finish()?;
    let (body, _room) = read_json(&state, request).await?;
    let (name, author) = parse(&body)?;
    let (secret, created) = state.tokens.give(&name, &author, &caller).await?;
    tracing::info!(token = name, role = %author.role, by = %caller.name, "a token was given");
    let location = format!("/v1/tokens/{name}");
    let view = TokenGivenView { token: TokenView::new(name, &author, created), secret: secret.reveal() };
    let headers = [(LOCATION, location), (CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(view)).into_response())
}

fn parse(body: &[u8]) -> Result<(String, Author), Problem> {
    let mut violations = Violations::default();
    let read = read(Tree::parse(body)?, &mut violations);
    read.filter(|_| violations.is_empty()).ok_or(Problem::InvalidRequest { violations })
}

fn read(json: Tree<'_>, violations: &mut Violations) -> Option<(String, Author)> {
    let mut fields = Fields::open(json, "", &["name", "role", "groups", "suffixes"], violations)?;
    let name = fields.need("name", violations).and_then(|field| text(field, violations));
    let role = fields.need("role", violations).and_then(|field| text(field, violations));
    let groups = fields
        .take("groups")
        .map(|field| read_list(field, violations, "a group's name", |text| GroupName::parse(text).ok()));
    let suffixes = fields
        .take("suffixes")
        .map(|field| read_list(field, violations, "an absolute name", |text| Name::parse(text).ok()));
    let (name, name_place) = name?;
    if !is_token_name(&name) {
        let message = format!(
            "a token's name has 1 to {TOKEN_NAME_LENGTH_MAX} letters, digits and `._-@:`, and starts with a letter or digit"
        );
        violations.at(name_place, None, message);
    }
    let (role, role_place) = role?;
    let Some(role) = Role::parse(&role) else {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        violations.at(role_place, None, format!("there is no such role; roles are {}", roles.join(", ")));
        return None;
    };
    // Whoever may give tokens could give themselves one that reaches everywhere.
    if role == Role::Admin && (groups.is_some() || suffixes.is_some()) {
        violations.at(role_place, None, "an admin reaches everywhere: leave out `groups` and `suffixes`");
    }
    Some((name.into_owned(), Author { role, scope: Scope { groups, suffixes } }))
}

fn read_list<T>(
    field: (Tree<'_>, String),
    violations: &mut Violations,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let mut values = Vec::new();
    let Some((items, place)) = list(field, violations) else { return values };
    if items.is_empty() {
        violations.at(place.as_str(), None, "an empty list would reach nowhere; leave it out to reach everywhere");
    }
    for (index, item) in items.into_iter().enumerate() {
        let Some((item, of_item)) = text((item, format!("{place}[{index}]")), violations) else { continue };
        match read(&item) {
            Some(value) => values.push(value),
            None => violations.at(of_item, None, format!("expected {expected}")),
        }
    }
    values
}

impl From<GiveError> for Problem {
    fn from(error: GiveError) -> Self {
        match error {
            GiveError::NameTaken(name) => Self::NameTaken { name },
            GiveError::NoRandomness(_) => Self::Internal { cause: error.to_string() },
            GiveError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told() {
        let body = br#"{"name":"a b","role":"king","groups":["UP",7],"suffixes":[],"rolle":1}"#;
        let Err(Problem::InvalidRequest { violations }) = parse(body) else { panic!() };
        let mut places: Vec<&str> = violations.listed().iter().map(|one| one.place.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["groups[0]", "groups[1]", "name", "role", "rolle", "suffixes"]);
    }

    #[test]
    fn an_admin_has_no_scope() {
        assert!(parse(br#"{"name":"a","role":"admin","groups":["g"]}"#).is_err());
        let (_, author) = parse(br#"{"name":"a","role":"planner","suffixes":["example.com."]}"#).unwrap();
        assert_eq!((author.role, author.scope.groups), (Role::Planner, None));
    }
}
