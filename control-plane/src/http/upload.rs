//! Bodies on their way in: never more than the limit, never slower than is bearable, never all of the memory at once.

use super::ApiState;
use super::problem::Problem;
use super::violations::Violations;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// The largest JSON body.
pub(crate) const JSON_OCTETS_MAX: u64 = 16 << 20;
/// The largest zone file.
pub(crate) const IMPORT_OCTETS_MAX: u64 = 256 << 20;
/// Up to here a body is small: it is read and decoded like any other, without waiting for room.
pub(crate) const SMALL_OCTETS_MAX: u64 = 64 << 10;

/// How many large bodies are held and decoded at once; each can take some hundred MiB while it is.
pub(crate) const LARGE_BODIES_MAX: usize = 4;

const JSON_TIME_MAX: Duration = Duration::from_secs(60);
const IMPORT_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// No octet for this long, and the body is given up.
const SILENCE_MAX: Duration = Duration::from_secs(10);
const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);

/// What a body has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Json,
    ZoneFile,
}

impl Kind {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::ZoneFile => "text/dns",
        }
    }

    const fn octets_max(self) -> u64 {
        match self {
            Self::Json => JSON_OCTETS_MAX,
            Self::ZoneFile => IMPORT_OCTETS_MAX,
        }
    }

    const fn time_max(self) -> Duration {
        match self {
            Self::Json => JSON_TIME_MAX,
            Self::ZoneFile => IMPORT_TIME_MAX,
        }
    }
}

/// A body that comes in pieces.
pub(crate) struct Upload {
    kind: Kind,
    body: Body,
    octets: u64,
    deadline: Instant,
    silence_max: Duration,
}

impl Upload {
    /// Looks at the headers: a body that says that it is too large, or of another type, is refused before it is read.
    pub(crate) fn open(kind: Kind, request: Request<Body>) -> Result<Self, Problem> {
        expect_media_type(kind.media_type(), request.headers())?;
        let body = request.into_body();
        // Of a body with `Content-Length` the least is that length.
        if body.size_hint().lower() > kind.octets_max() {
            return Err(Problem::TooLarge { limit: kind.octets_max() });
        }
        let deadline = Instant::now() + kind.time_max();
        Ok(Self { kind, body, octets: 0, deadline, silence_max: SILENCE_MAX })
    }

    /// Whether the body says that it is small.
    pub(crate) fn is_small(&self) -> bool {
        self.body.size_hint().upper().is_some_and(|octets| octets <= SMALL_OCTETS_MAX)
    }

    /// The next piece; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let give_up = self.deadline.min(Instant::now() + self.silence_max);
            let frame = tokio::time::timeout_at(give_up, self.body.frame()).await.map_err(|_| Problem::SlowBody)?;
            let Some(frame) = frame else { return Ok(None) };
            // Trailers carry nothing for us.
            let Ok(piece) = frame.map_err(|_| cut_off())?.into_data() else { continue };
            self.octets = self.octets.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if self.octets > self.kind.octets_max() {
                return Err(Problem::TooLarge { limit: self.kind.octets_max() });
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// All of it.
    pub(crate) async fn whole(mut self) -> Result<Vec<u8>, Problem> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

/// A JSON body, and the room it takes if it is large. Small endpoints only want the first.
pub(crate) async fn read_json(
    state: &ApiState,
    request: Request<Body>,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Problem> {
    let upload = Upload::open(Kind::Json, request)?;
    let room = if upload.is_small() { None } else { Some(room_for_large_body(state).await?) };
    Ok((upload.whole().await?, room))
}

/// Waits until a large body may be held.
pub(crate) async fn room_for_large_body(state: &ApiState) -> Result<OwnedSemaphorePermit, Problem> {
    let room = tokio::time::timeout(ROOM_WAIT_MAX, state.large_bodies.clone().acquire_owned()).await;
    room.ok().and_then(Result::ok).ok_or(Problem::Busy { message: "too many large bodies are being read already" })
}

/// Runs `decode` where it may take long. The async threads answer other requests meanwhile.
pub(crate) async fn off_the_async_threads<T: Send + 'static>(
    decode: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(decode).await {
        Ok(decoded) => decoded,
        Err(ended) => Err(Problem::Internal { cause: format!("decoding a body ended early: {ended}") }),
    }
}

fn expect_media_type(expected: &'static str, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.map(|given| given.split(';').next().unwrap_or_default().trim());
    let encoded = headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    if encoded || !essence.is_some_and(|essence| essence.eq_ignore_ascii_case(expected)) {
        return Err(Problem::UnsupportedMediaType { expected });
    }
    Ok(())
}

fn cut_off() -> Problem {
    let mut violations = Violations::default();
    violations.at("the whole body", None, "the body was cut off, or its pieces are not chunked as HTTP says");
    Problem::InvalidRequest { violations }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::channel::Channel;

    fn request(body: Body) -> Request<Body> {
        Request::builder().header(CONTENT_TYPE, "application/json; charset=utf-8").body(body).unwrap()
    }

    /// With less patience than in earnest.
    fn impatient(body: Body, silence_ms: u64, time_ms: u64) -> Upload {
        let deadline = Instant::now() + Duration::from_millis(time_ms);
        let upload = Upload::open(Kind::Json, request(body)).unwrap();
        Upload { deadline, silence_max: Duration::from_millis(silence_ms), ..upload }
    }

    #[tokio::test]
    async fn a_body_that_falls_silent_is_given_up() {
        let (mut sender, body) = Channel::<Bytes>::new(1);
        let mut upload = impatient(Body::new(body), 50, 60_000);
        sender.send_data(Bytes::from_static(b"{")).await.unwrap();
        assert_eq!(upload.next().await.unwrap().unwrap(), "{");
        assert!(matches!(upload.next().await, Err(Problem::SlowBody)));
    }

    #[tokio::test]
    async fn a_body_that_drips_is_given_up_as_well() {
        let (mut sender, body) = Channel::<Bytes>::new(1);
        let upload = impatient(Body::new(body), 60_000, 200);
        let drip = async move {
            while sender.send_data(Bytes::from_static(b" ")).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (read, ()) = tokio::join!(upload.whole(), drip);
        assert!(matches!(read, Err(Problem::SlowBody)));
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_cut_at_the_limit() {
        let (mut sender, body) = Channel::<Bytes>::new(1);
        let upload = Upload::open(Kind::Json, request(Body::new(body))).unwrap();
        let flood = async move {
            let mut sent = 0_u64;
            let piece = Bytes::from(vec![b' '; 1 << 20]);
            while sender.send_data(piece.clone()).await.is_ok() {
                sent += piece.len() as u64;
            }
            sent
        };
        let (read, sent) = tokio::join!(upload.whole(), flood);
        assert!(matches!(read, Err(Problem::TooLarge { limit: JSON_OCTETS_MAX })));
        assert!(sent <= JSON_OCTETS_MAX + (3 << 20), "{sent} octets were taken");
    }

    #[test]
    fn only_the_media_type_itself_counts() {
        let with = |value: &str| {
            let request = Request::builder().header(CONTENT_TYPE, value).body(Body::empty()).unwrap();
            Upload::open(Kind::ZoneFile, request).is_ok()
        };
        assert!(with("text/dns") && with("TEXT/DNS; charset=us-ascii"));
        assert!(!with("text/plain") && !with("text/dnssec") && !with(""));
    }
}
