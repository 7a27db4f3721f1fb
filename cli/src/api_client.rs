//! The REST API, as the command line speaks it: one request at a time, problems as sentences.

use std::fmt::Write as _;
use std::io::Read;
use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body, SendBody};

use crate::problem::Problem;

/// How long a connection may take. The answers themselves may take longer: large plans do.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The longest answer that is read as JSON.
const JSON_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Why there is no answer, or none that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The API said no, and why.
    #[error("{problem}{}", hint(.problem))]
    Refused {
        /// What it said.
        problem: Box<Problem>,
    },
    /// Nobody answered.
    #[error(
        "The API at {api} does not answer ({cause}). Is it running (`holdfast up`)? Another address is given with --api URL."
    )]
    Unreachable {
        /// Where it was looked for.
        api: String,
        /// What happened.
        #[source]
        cause: Box<ureq::Error>,
    },
    /// What answered does not speak the API's language.
    #[error("{url} answered {status} with something that is not Holdfast's: {said}")]
    Odd {
        /// What was asked.
        url: String,
        /// The answer's status.
        status: u16,
        /// The beginning of the answer, or what is wrong with it.
        said: String,
    },
}

impl ApiError {
    /// Whether the API said that there is no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { problem } if problem.status == 404)
    }
}

/// What to do about some refusals is known here only.
fn hint(problem: &Problem) -> &'static str {
    match problem.name.as_str() {
        "unauthorized" => {
            "\nName a file with a token with --token-file, or put one into HOLDFAST_TOKEN. `holdfast up` leaves one in its \
             data directory, in the file admin-token."
        }
        _ => "",
    }
}

/// A client of one API.
#[derive(Clone, Debug)]
pub struct ApiClient {
    agent: Agent,
    api: String,
    token: Option<String>,
}

impl ApiClient {
    /// For the API at this address, with this token if any.
    #[must_use]
    pub fn new(api: &str, token: Option<String>) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_WITHIN))
            .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")));
        if ["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| api.starts_with(local)) {
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent(), api: api.trim_end_matches('/').to_owned(), token }
    }

    /// The API's address.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Asks a health page, with little patience. None: it is well. Else what is wrong.
    #[must_use]
    pub fn what_is_wrong(&self, path: &str) -> Option<String> {
        let request = self.agent.get(self.url(path)).config().timeout_global(Some(Duration::from_secs(1))).build();
        self.answer(path, request.call()).err().map(|why| match why {
            ApiError::Refused { problem } => problem.to_string(),
            ApiError::Unreachable { cause, .. } => cause.to_string(),
            ApiError::Odd { status, said, .. } => format!("{status} {}", said.trim()),
        })
    }

    /// GET, as JSON.
    ///
    /// # Errors
    /// When nobody answers, or what answers is a problem or no JSON.
    pub fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.json(path, self.answer(path, self.authorized(self.agent.get(self.url(path))).call())?)
    }

    /// GET, as it comes.
    ///
    /// # Errors
    /// When nobody answers, or what answers is a problem.
    pub fn get_stream(&self, path: &str) -> Result<impl Read + use<>, ApiError> {
        let answer = self.answer(path, self.authorized(self.agent.get(self.url(path))).call())?;
        Ok(answer.into_body().into_reader())
    }

    /// POST of JSON; the same again under the same key is answered the same and done once.
    ///
    /// # Errors
    /// When nobody answers, or what answers is a problem or no JSON.
    pub fn post(&self, path: &str, body: &Value, idempotency_key: Option<&str>) -> Result<Value, ApiError> {
        let mut request = self.authorized(self.agent.post(self.url(path)));
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        self.json(path, self.answer(path, request.send_json(body))?)
    }

    /// PUT of JSON.
    ///
    /// # Errors
    /// When nobody answers, or what answers is a problem or no JSON.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.json(path, self.answer(path, self.authorized(self.agent.put(self.url(path))).send_json(body))?)
    }

    /// POST of text that is read while it is sent.
    ///
    /// # Errors
    /// When nobody answers, or what answers is a problem or no JSON.
    pub fn post_stream(&self, path: &str, content_type: &str, text: &mut dyn Read) -> Result<Value, ApiError> {
        let request = self.authorized(self.agent.post(self.url(path))).header("Content-Type", content_type);
        self.json(path, self.answer(path, request.send(SendBody::from_reader(text)))?)
    }

    /// DELETE.
    ///
    /// # Errors
    /// When nobody answers, or what answers is a problem.
    pub fn delete(&self, path: &str) -> Result<(), ApiError> {
        self.answer(path, self.authorized(self.agent.delete(self.url(path))).call()).map(|_| ())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }

    fn authorized<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn answer(&self, path: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ApiError> {
        let mut answer =
            answer.map_err(|cause| ApiError::Unreachable { api: self.api.clone(), cause: Box::new(cause) })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let said = answer.body_mut().read_to_string().unwrap_or_default();
        match Problem::read(status.as_u16(), &said) {
            Some(problem) => Err(ApiError::Refused { problem: Box::new(problem) }),
            None => Err(ApiError::Odd {
                url: self.url(path),
                status: status.as_u16(),
                said: said.chars().take(200).collect(),
            }),
        }
    }

    fn json(&self, path: &str, mut answer: Response<Body>) -> Result<Value, ApiError> {
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(JSON_BYTES_MAX).read_to_string();
        let odd = |said: String| ApiError::Odd { url: self.url(path), status, said };
        let text = text.map_err(|why| odd(why.to_string()))?;
        serde_json::from_str(&text).map_err(|why| odd(format!("{why}: {}", text.chars().take(200).collect::<String>())))
    }
}

/// Percent-encoded for one place in a path or query.
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _never = write!(url, "%{byte:02X}");
        }
        url
    })
}

/// How a zone is written in a path.
#[must_use]
pub fn zone_in_path(zone: &str) -> String {
    if zone == "." { "@root".to_owned() } else { encoded(zone) }
}
