//! Figures about the process, from `/proc`. Where there is no `/proc` they are left out.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Ticks per second in `/proc`; fixed at 100 for programs on Linux, whatever the kernel counts in.
const TICKS: f64 = 100.0;

/// The unit of memory in `/proc/self/statm` on the machines we build for.
const PAGE: f64 = 4096.0;

/// Reads the figures when somebody asks.
#[derive(Debug)]
pub(crate) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(seconds) = cpu_seconds() {
            let help = "Processor time used, user and system";
            let figure = encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(figure)?;
        }
        let gauges = [
            ("process_resident_memory_bytes", "Memory in use", resident_bytes()),
            ("process_open_fds", "Open files and sockets", open_files()),
            ("process_start_time_seconds", "When the process started, in seconds since 1970", start_seconds()),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
            }
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}

#[expect(clippy::cast_precision_loss, reason = "a process has fewer than 2^52 files")]
fn open_files() -> Option<f64> {
    fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64)
}

fn cpu_seconds() -> Option<f64> {
    Some((field(14)? + field(15)?) / TICKS)
}

fn start_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + field(22)? / TICKS)
}

/// A field of `/proc/self/stat`, counted from 1 as in proc(5).
fn field(number: usize) -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold anything, blanks and parentheses included.
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(number.checked_sub(3)?)?.parse().ok()
}
