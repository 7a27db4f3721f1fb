//! A cluster that runs as long as a value lives: for tests and build automation.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{Cluster, Error, signal};

/// How long a start may take: recovery after a crash included.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a stop may take before it is forced.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// A server that is stopped, cleanly, when this is dropped.
#[derive(Debug)]
pub struct RunningCluster {
    cluster: Cluster,
    pid: u32,
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl RunningCluster {
    /// Starts the server and waits until it accepts connections. What it says is written to the file `log`.
    ///
    /// # Errors
    /// When it cannot be started or does not get ready in a minute.
    pub fn start(cluster: Cluster, log: &Path) -> Result<Self, Error> {
        let open = Error::system(format!("open {}", log.display()));
        let words = File::options().create(true).append(true).open(log).map_err(open)?;
        let (stop, stopped) = channel();
        let (started, starts) = channel();
        // The server is tied to the thread that starts it, so that thread stays until the end.
        let keeper = {
            let cluster = cluster.clone();
            spawn(move || match start(&cluster, words) {
                Ok(server) => {
                    let _nobody_waits = started.send(Ok(server.id()));
                    keep(server, &stopped);
                }
                Err(why) => {
                    let _nobody_waits = started.send(Err(why));
                }
            })
        };
        let pid = starts.recv().unwrap_or_else(|_| {
            Err(Error::System { act: "start Postgres".to_owned(), cause: std::io::ErrorKind::Other.into() })
        })?;
        let running = Self { cluster, pid, stop: Some(stop), keeper: Some(keeper) };
        let deadline = Instant::now() + READY_WITHIN;
        while !running.cluster.is_ready(pid) {
            let over = running.keeper.as_ref().is_none_or(JoinHandle::is_finished);
            if over || Instant::now() > deadline {
                return Err(Error::NotReady { seconds: READY_WITHIN.as_secs(), log: log.to_owned() });
            }
            sleep(Duration::from_millis(10));
        }
        Ok(running)
    }

    /// The cluster that runs.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The number of the server's first process.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }
}

impl Drop for RunningCluster {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            let _it_only_waits = keeper.join();
        }
    }
}

fn start(cluster: &Cluster, words: File) -> Result<Child, Error> {
    let mut command = cluster.server()?;
    let failed = || Error::system("start Postgres");
    command.stdout(Stdio::from(words.try_clone().map_err(failed())?)).stderr(Stdio::from(words));
    command.spawn().map_err(failed())
}

/// Until told to stop (or the teller is gone), and until it has stopped.
fn keep(mut server: Child, stopped: &Receiver<()>) {
    loop {
        match stopped.recv_timeout(Duration::from_millis(100)) {
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if matches!(server.try_wait(), Ok(None)) => {}
            _ => break,
        }
    }
    let deadline = Instant::now() + STOPPED_WITHIN;
    if matches!(server.try_wait(), Ok(None)) {
        signal(server.id(), Signal::INT);
    }
    while matches!(server.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            let _already_over = server.kill();
            let _already_over = server.wait();
        }
        sleep(Duration::from_millis(5));
    }
}
