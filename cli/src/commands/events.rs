//! `holdfast events`: what happens, as it happens, a line each.

use std::io::{BufRead as _, BufReader, Read};
use std::time::Duration;

use serde_json::Value;

use super::audit::what;
use super::history::{seconds, why};
use super::plans::kind;
use super::{CommandError, Connection};
use crate::api_client::{ApiClient, ApiError, encoded};
use crate::terminal::{say, warn};

/// How long to wait before asking again when the connection broke off.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Follows what happens: admissions, verdicts, moves and acts; stops, servers and enactors as they are and whenever they change. Goes on by
/// itself when the connection breaks off. Ends with Ctrl-C.
#[derive(Clone, Debug, clap::Args)]
pub struct Events {
    /// Only what happens to this group, or to no group in particular.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Begins after the event with this id, or with `start`: everything that can still be read. By default: from now on.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Prints each event as a line of JSON, with its name and its id.
    #[arg(long)]
    json: bool,
}

impl Events {
    /// Follows until the program is ended.
    ///
    /// # Errors
    /// When the API refuses, or does not answer at first.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        let mut after = self.after.clone();
        let mut began = false;
        loop {
            match self.listen(&api, &mut after) {
                Err(why) if !began || matches!(why, ApiError::Refused { .. }) => return Err(why.into()),
                Err(why) => warn(why.to_string()),
                Ok(()) => {}
            }
            began = true;
            std::thread::sleep(AGAIN_AFTER);
        }
    }

    /// Tells events until the connection ends; `after` is the last one's id.
    fn listen(&self, api: &ApiClient, after: &mut Option<String>) -> Result<(), ApiError> {
        let parameters = [("group", &self.group), ("after", &*after)];
        let given: Vec<String> = parameters
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_ref()?))))
            .collect();
        let stream = api.get_stream(&format!("/v1/events?{}", given.join("&")))?;
        for event in Frames::of(stream) {
            after.clone_from(&event.id);
            if let Some(name) = event.name {
                say(if self.json {
                    as_json(&name, event.id.as_deref(), &event.data)
                } else {
                    line(&name, &event.data)
                });
            }
        }
        Ok(())
    }
}

/// One event, or only a new id.
#[derive(Debug, PartialEq)]
struct Frame {
    id: Option<String>,
    name: Option<String>,
    data: Value,
}

/// The events of a stream, as far as it can be read.
struct Frames<R> {
    lines: std::io::Lines<BufReader<R>>,
    /// The last one that was given.
    id: Option<String>,
}

impl<R: Read> Frames<R> {
    fn of(stream: R) -> Self {
        Self { lines: BufReader::new(stream).lines(), id: None }
    }
}

impl<R: Read> Iterator for Frames<R> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let (mut name, mut data, mut any) = (None, String::new(), false);
        loop {
            let line = self.lines.next()?.ok()?;
            if line.is_empty() && any {
                let data = serde_json::from_str(&data).unwrap_or_default();
                return Some(Frame { id: self.id.clone(), name, data });
            }
            let Some((field, value)) = line.split_once(": ").filter(|(field, _)| !field.is_empty()) else { continue };
            match field {
                "id" => self.id = Some(value.to_owned()),
                "event" => name = Some(value.to_owned()),
                "data" => data.push_str(value),
                _ => continue,
            }
            any = true;
        }
    }
}

fn as_json(name: &str, id: Option<&str>, data: &Value) -> String {
    serde_json::json!({"event": name, "id": id, "data": data}).to_string()
}

fn line(name: &str, event: &Value) -> String {
    let text = |member: &str| event[member].as_str().unwrap_or("-");
    let generation = &event["generation"];
    let told = match name {
        "admitted" => {
            format!("{} generation {generation}, {} by {}: {}", text("group"), kind(event), text("by"), why(event))
        }
        "passed" | "failed" => format!("{} generation {generation} by {}: {}", text("group"), text("by"), text("why")),
        "moved" => format!("{} in ring {} to generation {generation} by {}", text("group"), text("ring"), text("by")),
        "act" => {
            let reason = event["detail"]["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{} by {} {}{reason}", text("act"), text("by"), what(&event["detail"]))
        }
        "reset" => "the database went back in time, or is another one: look at everything again".to_owned(),
        _ => what(event),
    };
    let at = event["at"].as_str().filter(|_| name != "stop").map(|at| format!("{} ", seconds(at))).unwrap_or_default();
    format!("{at}{name} {told}")
}

#[cfg(test)]
mod tests {
    use super::{Frames, line};
    use serde_json::json;

    #[test]
    fn frames_are_read_and_ids_are_kept() {
        let stream = "retry: 1000\nid: a\n\n: nothing new\n\nid: b\nevent: moved\ndata: {\"group\":\"shop\"}\n\nevent: server\ndata: {}\n\nid: c\n\nevent: cut";
        let frames: Vec<_> = Frames::of(stream.as_bytes()).collect();
        let seen: Vec<_> = frames.iter().map(|frame| (frame.id.as_deref(), frame.name.as_deref())).collect();
        assert_eq!(
            seen,
            [(Some("a"), None), (Some("b"), Some("moved")), (Some("b"), Some("server")), (Some("c"), None)]
        );
        assert_eq!(frames[1].data, json!({"group": "shop"}));
    }

    #[test]
    fn an_event_is_a_line() {
        let at = "2025-10-20T06:48:12.5Z";
        for (name, event, expected) in [
            (
                "admitted",
                json!({"group": "shop", "generation": 9, "at": at, "by": "ci", "reason": "moved", "kind": "change", "acknowledged": []}),
                "2025-10-20T06:48:12Z admitted shop generation 9, change by ci: moved",
            ),
            (
                "moved",
                json!({"group": "shop", "ring": "fleet", "generation": 9, "at": at, "by": "enactor-1"}),
                "2025-10-20T06:48:12Z moved shop in ring fleet to generation 9 by enactor-1",
            ),
            (
                "failed",
                json!({"group": "shop", "generation": 9, "at": at, "by": "enactor-1", "why": "server a was lost"}),
                "2025-10-20T06:48:12Z failed shop generation 9 by enactor-1: server a was lost",
            ),
            (
                "act",
                json!({"act": "freeze", "by": "alice", "at": at, "detail": {"ring": "fleet", "reason": "incident 12"}}),
                "2025-10-20T06:48:12Z act freeze by alice ring=fleet: incident 12",
            ),
            (
                "server",
                json!({"server": "a", "ring": "fleet", "live": false, "fault": null}),
                "server live=false ring=fleet server=a",
            ),
        ] {
            assert_eq!(line(name, &event), expected);
        }
    }
}
