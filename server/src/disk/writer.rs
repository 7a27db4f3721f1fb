//! Writes groups that have changed, one after the other, on a thread of its own that gives way to everybody else.

use super::Disk;
use crate::snapshot::{Directory, GroupNumber};
use crate::thread;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use zone_model::Version;

/// How often it looks what has changed.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A group is not written more often than this.
const WRITES_APART_MIN: Duration = Duration::from_secs(5);
/// Nor more often than this many times what it takes to write it, so that large groups that always change cost little.
const COST_FACTOR: u32 = 20;
/// How long it goes on writing after it was told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// How writing goes.
#[derive(Debug, Default)]
pub struct DiskStatus {
    written: AtomicU64,
    failed: AtomicU64,
    versions: Mutex<HashMap<GroupNumber, Version>>,
}

impl DiskStatus {
    /// Files written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Files that could not be written.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Groups that are not on disk as `directory` has them.
    #[must_use]
    pub fn behind(&self, directory: &Directory) -> usize {
        let versions = self.versions();
        directory.groups().filter(|(number, group)| versions.get(number) != Some(&group.version)).count()
    }

    /// What is on disk of each group.
    fn versions(&self) -> MutexGuard<'_, HashMap<GroupNumber, Version>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is served.
#[derive(Debug)]
pub struct Writer {
    disk: Disk,
    directory: Arc<ArcSwap<Directory>>,
    status: Arc<DiskStatus>,
    not_before: HashMap<GroupNumber, Instant>,
    sequence: u64,
}

/// Runs a writer until told to stop, and a little longer.
///
/// # Errors
/// It panicked.
pub async fn serve(writer: Writer, stop: CancellationToken) -> io::Result<()> {
    let run = |stopping: &AtomicBool| {
        writer.run(stopping);
        Ok(())
    };
    thread::run("disk", run, stop).await
}

impl Writer {
    /// A writer of what is in `directory`, of which `versions` are on disk already, in files up to this sequence.
    #[must_use]
    pub fn new(
        disk: Disk,
        directory: Arc<ArcSwap<Directory>>,
        status: Arc<DiskStatus>,
        (versions, sequence): (HashMap<GroupNumber, Version>, u64),
    ) -> Self {
        *status.versions() = versions;
        Self { disk, directory, status, not_before: HashMap::new(), sequence }
    }

    fn run(mut self, stopping: &AtomicBool) {
        give_way();
        while !stopping.load(Ordering::Relaxed) {
            self.write_what_is_due(|| stopping.load(Ordering::Relaxed));
            std::thread::sleep(LOOK_EVERY);
        }
        // A server that is stopped is mostly started again soon, and begins with what is written now.
        let end = Instant::now() + STOP_WITHIN;
        self.not_before.clear();
        self.write_what_is_due(|| Instant::now() >= end);
    }

    /// Writes every group that has changed and may be written, until `is_over`.
    fn write_what_is_due(&mut self, is_over: impl Fn() -> bool) {
        let directory = self.directory.load_full();
        let mut wrote = false;
        for (number, group) in directory.groups() {
            if self.status.versions().get(&number) == Some(&group.version) {
                continue;
            }
            let began = Instant::now();
            if self.not_before.get(&number).is_some_and(|not_before| began < *not_before) || is_over() {
                continue;
            }
            self.sequence += 1;
            let rest = match self.disk.write(number, &directory, self.sequence) {
                Ok(()) => {
                    self.status.versions().insert(number, group.version);
                    self.status.written.fetch_add(1, Ordering::Relaxed);
                    wrote = true;
                    (began.elapsed() * COST_FACTOR).max(WRITES_APART_MIN)
                }
                Err(error) => {
                    let folder = self.disk.folder().display();
                    tracing::error!(%error, group = &*group.name, %folder, "the snapshot on disk was not written");
                    self.status.failed.fetch_add(1, Ordering::Relaxed);
                    WRITES_APART_MIN
                }
            };
            self.not_before.insert(number, Instant::now() + rest);
        }
        if wrote && let Err(error) = self.disk.sync() {
            tracing::error!(%error, folder = %self.disk.folder().display(), "the snapshot on disk was not written through");
        }
    }
}

/// Whoever answers queries goes first.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(19);
}
