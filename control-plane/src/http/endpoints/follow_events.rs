//! `GET /v1/events`: what happens, as it happens (server-sent events).

use crate::http::ApiState;
use crate::http::events::Recent;
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::reading::{Event, Position, ReadError, Since};
use crate::tokens::Caller;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// Clients that follow at once.
pub(crate) const FOLLOWERS_MAX: usize = 64;
/// Events that are read at a time for a client that catches up.
const EVENTS_A_PIECE: i64 = 500;
/// Pieces that wait for a slow client; then nothing more is read for it.
const PIECES_AHEAD: usize = 4;
/// A client that takes nothing for so long is given up; it can come back with its position.
const TAKES_WITHIN: Duration = Duration::from_secs(30);
/// How often a client hears something even if nothing happens.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);

/// What happens, as it happens: acts, admissions, verdicts and moves, each at least once; and stops, servers and enactors, as they are
/// when one begins to listen and whenever they change.
///
/// The events `act`, `admitted`, `passed`, `failed` and `moved` have an id. Who comes back with the last one is told everything since,
/// also what was begun before and committed after. `stop`, `server` and `enactor` are states; `"over": true` says that one is gone.
/// `reset` says that the database went back in time, or is another one: what the client knows may not be so.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "fleet",
    params(
        ("group" = Option<String>, Query, description = "Only what happens to this group, or to no group in particular"),
        ("after" = Option<String>, Query, description = "The id to go on after, or `start` for all that can still be read. By default: from now on"),
        ("Last-Event-ID" = Option<String>, Header, description = "The same as `after`, as browsers send it; this one counts if both are given"),
    ),
    responses(
        (status = 200, description = "Events", body = String, content_type = "text/event-stream"),
        (status = "default", description = "See /problems/", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn follow_events(
    State(state): State<ApiState>,
    _: Caller,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let group = parameters.text("group");
    let query = parameters.read("after", "the id of an event, or `start`", read_start);
    let after = parameters.last_event_id(read_start).or(query);
    parameters.finish()?;
    let place = Arc::clone(&state.followers).try_acquire_owned();
    let place = place.map_err(|_| Problem::Busy { message: "as many clients follow events as may" })?;
    let position = match after {
        None => None,
        Some(Start::Beginning) => Some(state.reading.beginning().await?),
        Some(Start::After(position)) => Some(*position),
    };
    let (sender, body) = Channel::new(PIECES_AHEAD);
    let follower = Follower { state, group, sender, told: Instant::now(), _place: place };
    tokio::spawn(follower.follow(position));
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(body)).into_response())
}

enum Start {
    Beginning,
    After(Box<Position>),
}

fn read_start(text: &str) -> Option<Start> {
    if text == "start" { Some(Start::Beginning) } else { Position::parse(text).map(|one| Start::After(Box::new(one))) }
}

/// A client that follows.
struct Follower {
    state: ApiState,
    group: Option<String>,
    sender: Sender<Bytes, std::io::Error>,
    /// When it was told anything last.
    told: Instant,
    _place: OwnedSemaphorePermit,
}

/// Why somebody is told nothing more.
enum Ended {
    /// The client is gone, or takes nothing.
    Gone,
    /// The program ends.
    Shutdown,
    /// The database could not be asked. The client comes back with its position.
    Failed(ReadError),
}

impl From<ReadError> for Ended {
    fn from(error: ReadError) -> Self {
        Self::Failed(error)
    }
}

impl Follower {
    async fn follow(mut self, position: Option<Position>) {
        let shutdown = self.state.shutdown.clone();
        let ended = shutdown.run_until_cancelled(self.tell(position)).await.unwrap_or(Ended::Shutdown);
        if let Ended::Failed(error) = ended {
            tracing::warn!(%error, "a client that follows events was given up; it can come back");
        }
    }

    /// Tells for as long as there is somebody to tell.
    async fn tell(&mut self, position: Option<Position>) -> Ended {
        match self.tell_on(position).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn tell_on(&mut self, position: Option<Position>) -> Result<std::convert::Infallible, Ended> {
        let mut tail = self.state.tail.subscribe();
        let recent = self.next(&mut tail, None).await?;
        let mut position = position.unwrap_or_else(|| recent.at.clone());
        // Told at once, so that a client that loses its connection before anything happened can come back, too.
        self.send(format!("retry: 1000\nid: {}\n\n", position.to_id())).await?;
        loop {
            let recent = self.next(&mut tail, None).await?;
            position = self.catch_up(position, &recent).await?;
            self.tell_all(recent.states.values(), &recent.at).await?;
            loop {
                let recent = self.next(&mut tail, Some(&position)).await?;
                let Some((pass, events)) = recent.pass_from(&position) else { break };
                self.tell_all(events, &pass.upto).await?;
                position = pass.upto.clone();
            }
        }
    }

    /// What was seen lately, as soon as it goes beyond `beyond`.
    async fn next(
        &mut self,
        tail: &mut watch::Receiver<Option<Arc<Recent>>>,
        beyond: Option<&Position>,
    ) -> Result<Arc<Recent>, Ended> {
        loop {
            let seen = tail.borrow_and_update().clone();
            if let Some(seen) = seen
                && Some(&seen.at) != beyond
            {
                return Ok(seen);
            }
            if tokio::time::timeout(HEARTBEAT_EVERY, tail.changed()).await.is_err() {
                self.send(": nothing new\n\n".to_owned()).await?;
            }
        }
    }

    /// Tells what happened since `position`, straight from the database, up to what was seen lately.
    async fn catch_up(&mut self, mut position: Position, recent: &Recent) -> Result<Position, Ended> {
        while position != recent.at {
            match self.state.reading.events(&position, Some(&recent.at), EVENTS_A_PIECE).await? {
                Since::Happened(happened) => {
                    self.tell_all(happened.events.iter(), &happened.next).await?;
                    position = happened.next;
                }
                Since::Unknown(_) => {
                    self.send(format!("id: {}\nevent: reset\ndata: {{}}\n\n", recent.at.to_id())).await?;
                    position = recent.at.clone();
                }
            }
        }
        Ok(position)
    }

    /// Tells what the client asked for, and where it is afterwards.
    async fn tell_all(&mut self, events: impl Iterator<Item = &Event> + Send, then: &Position) -> Result<(), Ended> {
        let mut text = String::new();
        for event in events.filter(|event| self.wants(event)) {
            if let Some(position) = &event.position {
                // Writing to a string cannot fail.
                let _never = writeln!(text, "id: {}", position.to_id());
            }
            let _never = write!(text, "event: {}\ndata: {}\n\n", event.what, event.told);
        }
        if text.is_empty() {
            if self.told.elapsed() < HEARTBEAT_EVERY {
                return Ok(());
            }
            text.push_str(": nothing new\n");
        }
        let _never = write!(text, "id: {}\n\n", then.to_id());
        self.send(text).await
    }

    fn wants(&self, event: &Event) -> bool {
        match (&self.group, &event.group) {
            (Some(wanted), Some(group)) => wanted == group,
            _ => true,
        }
    }

    async fn send(&mut self, text: String) -> Result<(), Ended> {
        match tokio::time::timeout(TAKES_WITHIN, self.sender.send_data(text.into())).await {
            Ok(Ok(())) => {
                self.told = Instant::now();
                Ok(())
            }
            _ => Err(Ended::Gone),
        }
    }
}
