//! Writes groups that have changed, one after the other, on a thread of its own that gives way to everybody else.

use super::Disk;
use crate::snapshot::{Directory, GroupNumber};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
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
    behind: AtomicU64,
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

    /// Groups that are not on disk as they are served.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }
}

/// What is known of a group's file.
#[derive(Clone, Copy, Debug)]
struct File {
    version: Version,
    not_before: Instant,
}

/// Writes what is served.
#[derive(Debug)]
pub struct Writer {
    disk: Disk,
    directory: Arc<ArcSwap<Directory>>,
    status: Arc<DiskStatus>,
    files: HashMap<GroupNumber, File>,
    retry: HashMap<GroupNumber, Instant>,
    sequence: u64,
}

/// Runs a writer until told to stop, and a little longer.
///
/// # Errors
/// It panicked.
pub async fn serve(writer: Writer, stop: CancellationToken) -> io::Result<()> {
    let stopping = Arc::<AtomicBool>::default();
    let (tell, mut ended) = oneshot::channel();
    let told = stopping.clone();
    std::thread::Builder::new().name("disk".to_owned()).spawn(move || {
        writer.run(&told);
        let _ = tell.send(());
    })?;
    let ended = tokio::select! {
        ended = &mut ended => ended,
        () = stop.cancelled() => {
            stopping.store(true, Ordering::Relaxed);
            ended.await
        }
    };
    ended.map_err(|_| io::Error::other("it panicked"))
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
        let now = Instant::now();
        let files = versions.into_iter().map(|(group, version)| (group, File { version, not_before: now })).collect();
        Self { disk, directory, status, files, retry: HashMap::new(), sequence }
    }

    fn run(mut self, stopping: &AtomicBool) {
        give_way();
        while !stopping.load(Ordering::Relaxed) {
            self.write_what_is_due(|| stopping.load(Ordering::Relaxed));
            std::thread::sleep(LOOK_EVERY);
        }
        // A server that is stopped is mostly started again soon, and begins with what is written now.
        let end = Instant::now() + STOP_WITHIN;
        self.files.values_mut().for_each(|file| file.not_before = Instant::now());
        self.write_what_is_due(|| Instant::now() >= end);
    }

    /// Writes every group that has changed and may be written, until `is_over`.
    fn write_what_is_due(&mut self, is_over: impl Fn() -> bool) {
        let directory = self.directory.load_full();
        let (mut behind, mut wrote) = (0, false);
        for (number, group) in directory.groups() {
            let now = Instant::now();
            let file = self.files.get(&number);
            if file.is_some_and(|file| file.version == group.version) {
                continue;
            }
            let not_before = self.retry.get(&number).copied().or(file.map(|file| file.not_before));
            if not_before.is_some_and(|not_before| now < not_before) || is_over() {
                behind += 1;
                continue;
            }
            self.sequence += 1;
            match self.disk.write(number, &directory, self.sequence) {
                Ok(()) => {
                    let rest = (now.elapsed() * COST_FACTOR).max(WRITES_APART_MIN);
                    self.files.insert(number, File { version: group.version, not_before: Instant::now() + rest });
                    self.retry.remove(&number);
                    self.status.written.fetch_add(1, Ordering::Relaxed);
                    wrote = true;
                }
                Err(error) => {
                    behind += 1;
                    let folder = self.disk.folder().display();
                    tracing::error!(%error, group = &*group.name, %folder, "the snapshot on disk was not written");
                    self.retry.insert(number, Instant::now() + WRITES_APART_MIN);
                    self.status.failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        self.status.behind.store(behind, Ordering::Relaxed);
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
