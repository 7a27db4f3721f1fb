//! Keeps a program alive, until told to stop it.

use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use private_postgres::{Signal, signal};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::programs::Program;
use super::{DataDirectory, UpError, pid_files};
use crate::terminal::say;

/// The first pause before a program is started again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A program that lived this long did not die of its start.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// How long a forced stop may take before it is a kill.
const FORCED_WITHIN: Duration = Duration::from_secs(5);

/// How much a program is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Run,
    Stop,
    Force,
}

/// A program that is kept alive.
#[derive(Debug)]
pub(super) struct Supervised {
    wish: watch::Sender<Wish>,
    pid: watch::Receiver<Option<u32>>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Starts the program, and again whenever it dies. To be called on the main thread's runtime: children are tied to the
    /// thread that starts them.
    #[must_use]
    pub(super) fn start(program: Program, directory: Rc<DataDirectory>) -> Self {
        let (wish, wished) = watch::channel(Wish::Run);
        let (pid_is, pid) = watch::channel(None);
        let keeper = Keeper { program, directory, wished, pid_is };
        Self { wish, pid, task: tokio::task::spawn_local(keeper.keep_alive()) }
    }

    /// The number of its process, while it runs.
    #[must_use]
    pub(super) fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Stops it, gently within its time, then with force.
    pub(super) async fn stop(&mut self) {
        self.wish.send_modify(|wish| *wish = (*wish).max(Wish::Stop));
        self.ended().await;
    }

    /// Tells it to stop at once.
    pub(super) fn want_forced(&self) {
        self.wish.send_replace(Wish::Force);
    }

    /// Waits until it has stopped for good.
    pub(super) async fn ended(&mut self) {
        if !self.task.is_finished() {
            // A task that panicked has dropped its program's handle; the program ends with this process.
            let _whatever_it_was = (&mut self.task).await;
        }
    }
}

struct Keeper {
    program: Program,
    directory: Rc<DataDirectory>,
    wished: watch::Receiver<Wish>,
    pid_is: watch::Sender<Option<u32>>,
}

impl Keeper {
    async fn keep_alive(mut self) {
        let mut pause = PAUSE_MIN;
        while self.wish() == Wish::Run {
            let born = Instant::now();
            let end = match self.start().await {
                Ok(child) => match self.watch_over(child).await {
                    Ok(status) => format!("ended ({status})"),
                    Err(why) => format!("could not be watched: {why}"),
                },
                Err(why) => format!("could not be started: {why}"),
            };
            self.pid_is.send_replace(None);
            pid_files::remove(&self.directory, &self.program.name);
            if self.wish() != Wish::Run {
                return;
            }
            if born.elapsed() >= SETTLED_AFTER {
                pause = PAUSE_MIN;
            }
            say(format!("{} {end}; starting it again in {} ms", self.program.name, pause.as_millis()));
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.wished.changed() => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn wish(&self) -> Wish {
        *self.wished.borrow()
    }

    async fn start(&self) -> Result<Child, UpError> {
        if let Some(data) = &self.program.alone_in {
            pid_files::end_processes_in(data).await?;
        }
        let words = self.directory.log(&self.program.name)?;
        let failed = || UpError::system(format!("start {}", self.program.name));
        let mut command = (self.program.command)()?;
        command.stdout(words.try_clone().map_err(failed())?).stderr(words);
        let child = Command::from(command).spawn().map_err(failed())?;
        if let Some(pid) = child.id() {
            if let Err(why) = pid_files::write(&self.directory, &self.program.name, pid) {
                // Nobody would find it again.
                send(&child, self.program.force);
                return Err(why);
            }
            self.pid_is.send_replace(Some(pid));
        }
        Ok(child)
    }

    /// Until it ended. Its number stays its own as long as nobody has waited for it, so a signal cannot reach another.
    async fn watch_over(&mut self, mut child: Child) -> std::io::Result<ExitStatus> {
        let mut obeyed = Wish::Run;
        let mut next = Signal::KILL;
        let mut patience: Option<Instant> = None;
        loop {
            let wish = self.wish();
            if wish > obeyed {
                obeyed = wish;
                let (kind, then, within) = match wish {
                    Wish::Force => (self.program.force, Signal::KILL, FORCED_WITHIN),
                    _ => (self.program.stop, self.program.force, self.program.stops_within),
                };
                send(&child, kind);
                (next, patience) = (then, Some(Instant::now() + within));
            }
            tokio::select! {
                status = child.wait() => return status,
                Ok(()) = self.wished.changed() => {}
                () = until(patience) => {
                    send(&child, next);
                    (next, patience) = (Signal::KILL, Some(Instant::now() + FORCED_WITHIN));
                }
            }
        }
    }
}

fn send(child: &Child, kind: Signal) {
    if let Some(pid) = child.id() {
        signal(pid, kind);
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
