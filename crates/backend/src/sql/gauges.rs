//! Figures about a database for `/metrics`.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::engine::Connections;

/// How long programs ran: a histogram without locks.
#[derive(Debug, Default)]
pub(super) struct Durations {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

/// Upper bounds in microseconds, and the name of each bucket.
const BOUNDS: [(u64, &str); 9] = [
    (50, "mcp_db_query_duration_seconds_bucket{le=\"0.00005\"}"),
    (200, "mcp_db_query_duration_seconds_bucket{le=\"0.0002\"}"),
    (1_000, "mcp_db_query_duration_seconds_bucket{le=\"0.001\"}"),
    (5_000, "mcp_db_query_duration_seconds_bucket{le=\"0.005\"}"),
    (25_000, "mcp_db_query_duration_seconds_bucket{le=\"0.025\"}"),
    (100_000, "mcp_db_query_duration_seconds_bucket{le=\"0.1\"}"),
    (500_000, "mcp_db_query_duration_seconds_bucket{le=\"0.5\"}"),
    (1_000_000, "mcp_db_query_duration_seconds_bucket{le=\"1\"}"),
    (5_000_000, "mcp_db_query_duration_seconds_bucket{le=\"5\"}"),
];

impl Durations {
    /// One program took this long.
    pub(super) fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS.iter().position(|(bound, _)| micros <= *bound) {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// All figures, buckets cumulative as Prometheus wants them.
    #[expect(clippy::cast_precision_loss, reason = "figures for people; 2^53 queries are far away")]
    pub(super) fn gauges(&self, connections: Connections) -> Vec<(&'static str, f64)> {
        let mut gauges = vec![
            ("mcp_db_connections_active", connections.active as f64),
            ("mcp_db_connections_idle", connections.idle as f64),
            ("mcp_db_connections_max", connections.most as f64),
            ("mcp_db_connections_waiting", connections.waiting as f64),
            ("mcp_db_connections_opened_total", connections.opened as f64),
        ];
        let mut sum = 0;
        for (bucket, (_, name)) in self.buckets.iter().zip(BOUNDS) {
            sum += bucket.load(Ordering::Relaxed);
            gauges.push((name, sum as f64));
        }
        let count = self.count.load(Ordering::Relaxed) as f64;
        gauges.push(("mcp_db_query_duration_seconds_bucket{le=\"+Inf\"}", count));
        gauges.push(("mcp_db_query_duration_seconds_count", count));
        gauges.push(("mcp_db_query_duration_seconds_sum", self.micros.load(Ordering::Relaxed) as f64 / 1e6));
        gauges
    }
}
