//! Proving: what the first ring's servers tell about the generation that its head is at.
//!
//! Every server that was live when the head moved must report exactly the head's id, and then live on it over the soak.
//! A generation fails when one of them is lost after that, reports a fault, or says nothing in time. What a failure
//! would rest on must have been watched: an enactor that comes back from a pause, or a database that does, sees servers
//! that could not give a sign of life, and must not take that for their death.

use super::{Course, Head, Report, RingName, Rings, Server};
use std::fmt;
use std::time::Duration;

/// A server is live for this long after a heartbeat.
pub const LIVE_FOR: Duration = Duration::from_secs(3);
/// How often a server gives a heartbeat.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// How many heartbeats a server gives on a generation to prove it, whatever the soak.
pub const HEARTBEATS: u32 = 3;
/// How long a server may take to report what it was moved to.
pub const REPORTS_WITHIN: Duration = Duration::from_secs(30);
/// A server is lost only for who has watched for this long.
pub const WATCHED_MIN: Duration = Duration::from_secs(6);

/// How far the proof is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// Proved.
    Passed(String),
    /// Never to be enacted any more, and why.
    Failed(String),
    /// Its head stays, until these have spoken.
    Held(Vec<Awaited>),
    /// Too few servers were live when the head moved: it may pass all the same, but its head waits for nobody.
    TooFew {
        /// How many servers prove it.
        proving: usize,
        /// How many it takes.
        needed: usize,
    },
}

/// A server that a verdict waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// It has not reported the head's id.
    Report(String),
    /// It has, and must live on it for this long still.
    Heartbeats(String, Duration),
    /// Two live instances bear its name.
    Doubled(String),
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(server) => write!(f, "server {server} has not reported it"),
            Self::Heartbeats(server, left) => {
                write!(f, "server {server} is to live on it for {} ms more", left.as_millis())
            }
            Self::Doubled(server) => write!(f, "two live instances bear the name of server {server}"),
        }
    }
}

impl Server {
    /// Whether it gave a heartbeat lately, and was not told to be forgotten.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.seen <= LIVE_FOR && !self.forgotten
    }
}

/// What one server tells of the head.
enum Witness {
    Proves,
    Awaited(Awaited),
    Fails(String),
}

impl Rings {
    /// How far `ring`'s head is proved.
    #[must_use]
    pub fn trial(&self, course: &Course, ring: &RingName, head: &Head) -> Trial {
        let (soak, needed) = self.rings.get(ring).map_or((Duration::ZERO, 1), |of| (of.soak, of.servers_min.max(1)));
        let soak = soak.max(HEARTBEAT_EVERY * HEARTBEATS);
        // Only an operator makes the set smaller: by forgetting a server, or by starting it for another ring.
        let is_gone =
            |name: &String| self.servers.get(name).is_some_and(|server| server.forgotten || server.ring != *ring);
        let expected: Vec<&String> = head.expected.iter().filter(|name| !is_gone(name)).collect();

        let (mut awaited, mut failed) = (Vec::new(), None);
        for name in &expected {
            match self.witness(course, name, head, soak) {
                Witness::Proves => {}
                Witness::Awaited(one) => awaited.push(one),
                Witness::Fails(why) => failed = failed.or(Some(why)),
            }
        }
        // Whoever else is in the ring adds no duty, and may stand in where too few were expected.
        let proving = self
            .servers
            .iter()
            .filter(|(_, server)| server.ring == *ring)
            .filter(|(name, _)| matches!(self.witness(course, name, head, soak), Witness::Proves))
            .count();

        let is_held = expected.len() >= needed;
        if let (Some(why), true) = (failed.as_ref(), is_held) {
            return Trial::Failed(why.clone());
        }
        if failed.is_none() && awaited.is_empty() && proving >= needed {
            return Trial::Passed(format!("{proving} servers of ring {ring} lived on it for {} ms", soak.as_millis()));
        }
        if is_held { Trial::Held(awaited) } else { Trial::TooFew { proving, needed } }
    }

    fn witness(&self, course: &Course, name: &str, head: &Head, soak: Duration) -> Witness {
        let (server, report) = (self.servers.get(name), course.reports.get(name));
        // Whoever started after the head moved had no earlier chance to speak.
        let chance = head.age.min(self.watched).min(server.map_or(Duration::MAX, |server| server.started));
        // One start in the middle is forgiven; a server that starts again and again is not.
        let is_over = head.age.min(self.watched) >= REPORTS_WITHIN + soak * 2;
        let silent = |awaited: Awaited| {
            if chance >= REPORTS_WITHIN || is_over {
                Witness::Fails(format!("server {name} did not report it in time"))
            } else {
                Witness::Awaited(awaited)
            }
        };
        let Some(server) = server else { return silent(Awaited::Report(name.to_owned())) };
        if server.doubled {
            return Witness::Awaited(Awaited::Doubled(name.to_owned()));
        }
        if let Some(fault) = report.and_then(|report| report.fault.as_ref()) {
            return Witness::Fails(format!("server {name} reports a fault: {fault}"));
        }
        match report {
            Some(Report { version, age, .. }) if *version == head.version => {
                // From the report, or from the move where it serves that already, until its last sign of life.
                let lived = (*age).min(head.age).saturating_sub(server.seen);
                let left = Awaited::Heartbeats(name.to_owned(), soak.saturating_sub(lived));
                if !server.is_live() {
                    if self.watched >= WATCHED_MIN {
                        return Witness::Fails(format!("server {name} was lost after it reported it"));
                    }
                    return Witness::Awaited(left);
                }
                if lived >= soak {
                    return Witness::Proves;
                }
                if is_over {
                    return Witness::Fails(format!("server {name} does not stay on it"));
                }
                Witness::Awaited(left)
            }
            _ => silent(Awaited::Report(name.to_owned())),
        }
    }
}
