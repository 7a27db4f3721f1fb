//! What the API answered.

use serde_json::Value;
use ureq::Body;
use ureq::http::{HeaderMap, Response};

/// A whole answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Answer {
    pub(crate) fn read(mut answer: Response<Body>) -> Result<Self, ureq::Error> {
        let body = answer.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        Ok(Self { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
    }

    /// Its body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{} {}: {why}", self.status, self.body))
    }

    /// The last word of a problem's type: its name.
    #[must_use]
    pub fn problem(&self) -> String {
        let json = self.json();
        json["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default().to_owned()
    }

    /// A header's text, empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
