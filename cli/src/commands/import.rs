//! `holdfast import`: a zone file as a plan that replaces the zone.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::connection::tip;
use super::outcome::Admission;
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::warn;

/// How often the progress is said.
const SAID_EVERY: Duration = Duration::from_secs(1);

/// Replaces a zone by a zone file: what is the same stays, what differs makes one generation.
#[derive(Clone, Debug, clap::Args)]
pub struct Import {
    /// The group; a new one is begun.
    group: String,
    /// The zone, with or without its last dot; the root is `.`.
    #[arg(long, value_name = "ZONE")]
    zone: String,
    /// The zone file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The generation that the file was made from. Without one, the tip is read just before: then a change that somebody
    /// else made since the file was written is overwritten.
    #[arg(long, value_name = "GENERATION")]
    base: Option<u64>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// A guard that is not to apply, with the reason; may be given several times.
    #[arg(long, value_name = "GUARD:REASON")]
    acknowledge: Vec<String>,
    #[command(flatten)]
    admission: Admission,
}

impl Import {
    /// Sends it.
    ///
    /// # Errors
    /// When the file cannot be read, or the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        let mut file = open(&self.file)?;
        let base = match self.base {
            Some(base) => base,
            None => {
                let base = tip(&api, &self.group)?;
                warn(format!("base {base}: read just now from {}, since no --base was given", self.group));
                base
            }
        };
        let zone = if self.zone == "." { "@root" } else { &self.zone };
        let mut parameters = vec![format!("zone={}", encoded(zone)), format!("base={base}")];
        parameters.extend(self.reason.iter().map(|reason| format!("reason={}", encoded(reason))));
        parameters.extend(self.acknowledge.iter().map(|one| format!("acknowledge={}", encoded(one))));
        parameters.extend(self.admission.parameters());
        let path = format!("/v1/groups/{}/import?{}", encoded(&self.group), parameters.join("&"));
        self.admission.tell(&api.post_stream(&path, "text/dns", &mut file)?)
    }
}

/// A file or standard input.
pub(super) fn open(path: &Path) -> Result<Progress, CommandError> {
    let (source, bytes): (Box<dyn Read>, _) = if path == Path::new("-") {
        (Box::new(io::stdin().lock()), None)
    } else {
        let failed = || CommandError::system(format!("open {}", path.display()));
        let file = File::open(path).map_err(failed())?;
        let bytes = file.metadata().map_err(failed())?.len();
        (Box::new(file), Some(bytes))
    };
    Ok(Progress { source, bytes, sent: 0, said: Instant::now(), to_whom: io::stderr().is_terminal() })
}

/// Says how far it is read.
pub(super) struct Progress {
    source: Box<dyn Read>,
    bytes: Option<u64>,
    sent: u64,
    said: Instant,
    to_whom: bool,
}

impl Read for Progress {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.sent += length as u64;
        if self.to_whom && self.said.elapsed() > SAID_EVERY {
            self.said = Instant::now();
            let of = self.bytes.map(|bytes| format!(" of {:.1}", mebibytes(bytes))).unwrap_or_default();
            warn(format!("sent {:.1}{of} MiB", mebibytes(self.sent)));
        }
        Ok(length)
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
