//! What Linux says about a process.

use std::{fmt, fs, process::Command, time::Duration};

use anyhow::{Context, Result};

/// A process, by its id.
#[derive(Clone, Copy)]
pub(super) struct Process(pub(super) u32);

impl Process {
    /// The processor time that all its threads have used, in user and kernel mode.
    pub(super) fn processor_time(self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        ticks(&stat).map(|ticks| Duration::from_secs_f64(ticks as f64 / per_second())).context("/proc/PID/stat")
    }

    /// Its resident memory.
    pub(super) fn memory(self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        resident(&status).context("/proc/PID/status")
    }
}

/// Resident memory in kilobytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) whole: u64,
    /// What is the process's own; the rest is mapped from files, such as the program itself.
    pub(super) own: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |kilobytes: u64| kilobytes as f64 / 1024.0;
        write!(f, "{:.1} MB, of which {:.1} MB its own", megabytes(self.whole), megabytes(self.own))
    }
}

/// User and system ticks. The name in parentheses may hold anything, so the fields are counted after its end.
pub(super) fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// `VmRSS` and `RssAnon`.
pub(super) fn resident(status: &str) -> Option<Memory> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok();
    Some(Memory { whole: field("VmRSS:")?, own: field("RssAnon:")? })
}

/// Ticks per second.
fn per_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output().ok();
    output.and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok()).unwrap_or(100.0)
}
