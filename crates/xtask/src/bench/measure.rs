//! What Linux says about a process.

use std::{fs, process::Command, time::Duration};

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

    /// Its resident memory in megabytes.
    pub(super) fn memory(self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        resident(&status).map(|kilobytes| kilobytes as f64 / 1024.0).context("/proc/PID/status")
    }
}

/// User and system ticks. The name in parentheses may hold anything, so the fields are counted after its end.
pub(super) fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// The resident set in kilobytes.
pub(super) fn resident(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

/// Ticks per second.
fn per_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output().ok();
    output.and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok()).unwrap_or(100.0)
}
