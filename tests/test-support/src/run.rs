//! One run of `holdfast up`, and what it says.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use private_postgres::{Signal, Ties, signal, tie_to_parent};

/// A running `holdfast up`.
#[derive(Debug)]
pub(crate) struct Run {
    pid: u32,
    said: Arc<Mutex<String>>,
    /// Behind a lock so that a test's threads can share a running Holdfast.
    ended: Mutex<Receiver<ExitStatus>>,
    status: Option<ExitStatus>,
}

impl Run {
    /// Starts it. It ends with this process, should this process die.
    pub(crate) fn start(mut command: Command) -> Self {
        let said = Arc::new(Mutex::new(String::new()));
        let (started, starts) = channel();
        let (ends, ended) = channel();
        let hears = said.clone();
        // What is tied, is tied to the thread that starts it: so that thread stays, and listens.
        thread::spawn(move || {
            tie_to_parent(&mut command, Ties { when_parent_dies: Signal::TERM, keep_open: None });
            let mut child = command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|why| panic!("{} does not start: {why}", command.get_program().display()));
            let _nobody_waits = started.send(child.id());
            let errors = child.stderr.take().expect("it is piped");
            let hears_errors = hears.clone();
            let other = thread::spawn(move || listen(errors, &hears_errors));
            listen(child.stdout.take().expect("it is piped"), &hears);
            let _it_only_listens = other.join();
            let _nobody_waits = ends.send(child.wait().expect("it is our child"));
        });
        let pid = starts.recv().expect("it starts");
        Self { pid, said, ended: Mutex::new(ended), status: None }
    }

    /// Its number.
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends it a signal, if it still runs.
    pub(crate) fn signal(&mut self, kind: Signal) {
        if self.ended(Duration::ZERO).is_none() {
            signal(self.pid, kind);
        }
    }

    /// How it ended, if it does in time.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(within).ok();
        }
        self.status
    }

    /// Waits for words, or for its end. Whether they came.
    pub(crate) fn says(&mut self, words: &str, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while !self.said().contains(words) {
            if Instant::now() > deadline || self.ended(Duration::from_millis(10)).is_some() {
                return self.said().contains(words);
            }
        }
        true
    }
}

fn listen(words: impl std::io::Read, hears: &Mutex<String>) {
    for line in BufReader::new(words).lines() {
        let Ok(line) = line else { return };
        let mut said = hears.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_str(&line);
        said.push('\n');
    }
}
