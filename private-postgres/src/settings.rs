//! Settings of a private Postgres that suit the machine.

use std::fmt::Write as _;
use std::fs;

/// What a cluster is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To keep what it is given: everything durable.
    Keep,
    /// To be thrown away after a test: nothing is flushed to disk.
    Throwaway,
}

/// One mebibyte.
const MIB: u64 = 1024 * 1024;

/// The memory to reckon with where the machine does not say.
const MEMORY_UNKNOWN: u64 = 2048 * MIB;

impl Purpose {
    /// Lines for `postgresql.conf`, written once when the cluster is made: the user may change them afterwards.
    #[must_use]
    pub fn settings(self) -> String {
        lines(self)
    }
}

fn lines(purpose: Purpose) -> String {
    let memory = memory_bytes();
    let mut lines = String::from("\n# From here on: chosen by Holdfast for this machine when it made the cluster.\n");
    let mut set = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _never = writeln!(lines, "{name} = '{value}'");
    };
    set("cluster_name", "holdfast");
    set("log_timezone", "UTC");
    set("timezone", "UTC");
    set("log_line_prefix", "%m [%p] %q%u@%d ");
    set("log_checkpoints", "off");
    set("shared_buffers", &format!("{}MB", (memory / 8 / MIB).clamp(64, 2048)));
    set("effective_cache_size", &format!("{}MB", (memory / 2 / MIB).max(256)));
    set("work_mem", "16MB");
    set("maintenance_work_mem", &format!("{}MB", (memory / 32 / MIB).clamp(64, 512)));
    // Solid state disks; many short statements.
    set("random_page_cost", "1.1");
    set("jit", "off");
    match purpose {
        Purpose::Keep => {
            set("max_connections", "200");
            set("fsync", "on");
            set("synchronous_commit", "on");
            set("wal_compression", "on");
            set("max_wal_size", "4GB");
            set("checkpoint_timeout", "15min");
        }
        Purpose::Throwaway => {
            set("shared_buffers", "64MB");
            set("max_connections", "500");
            set("fsync", "off");
            set("synchronous_commit", "off");
            set("full_page_writes", "off");
        }
    }
    lines
}

/// The memory that this process may use: the machine's, or less inside a container.
fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib * 1024)
    });
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    match (machine, container) {
        (Some(machine), Some(container)) => machine.min(container),
        (Some(bytes), None) | (None, Some(bytes)) => bytes,
        (None, None) => MEMORY_UNKNOWN,
    }
}
