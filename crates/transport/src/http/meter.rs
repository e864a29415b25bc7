//! How long requests took, by verb, place and status, as `/metrics` shows it.
//!
//! Each combination has its own figures, made when it is first seen, so that counting is a few additions and no search. There are
//! only so many: what a client makes up is counted as `other`. A stream is counted when it begins.

use std::{
    fmt::Write as _,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};

use super::places::PLACES;

/// Upper bounds of the buckets in milliseconds, as they are written in seconds.
const BOUNDS: [(f64, &str); 13] = [
    (0.5, "0.0005"),
    (1.0, "0.001"),
    (2.5, "0.0025"),
    (5.0, "0.005"),
    (10.0, "0.01"),
    (25.0, "0.025"),
    (50.0, "0.05"),
    (100.0, "0.1"),
    (250.0, "0.25"),
    (500.0, "0.5"),
    (1000.0, "1"),
    (2500.0, "2.5"),
    (5000.0, "5"),
];
const METHODS: [&str; 5] = ["POST", "GET", "DELETE", "HEAD", "OPTIONS"];
const STATUSES: [u16; 16] = [200, 202, 204, 400, 401, 403, 404, 405, 406, 408, 413, 415, 429, 431, 500, 503];
const OTHER: &str = "other";

const ROUTE: usize = PLACES.len() + 1;
const METHOD: usize = METHODS.len() + 1;
const STATUS: usize = STATUSES.len() + 1;

/// The figures of one listener.
pub(super) struct Meter(Vec<OnceLock<Box<Figures>>>);

/// The figures of one combination.
#[derive(Default)]
struct Figures {
    /// How many fell into each bucket; the last one holds the rest.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self((0..ROUTE * METHOD * STATUS).map(|_| OnceLock::new()).collect())
    }
}

impl Meter {
    /// Counts one request to `path`.
    pub(super) fn count(&self, method: &Method, path: &str, status: StatusCode, took: Duration) {
        let route = PLACES.iter().position(|place| place.path == path).unwrap_or(PLACES.len());
        let method = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len());
        let status = STATUSES.iter().position(|known| *known == status.as_u16()).unwrap_or(STATUSES.len());
        let figures = self.0[(route * METHOD + method) * STATUS + status].get_or_init(Box::default);
        let millis = took.as_secs_f64() * 1000.0;
        let bucket = BOUNDS.iter().position(|(bound, _)| millis <= *bound).unwrap_or(BOUNDS.len());
        figures.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        figures.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Everything that was counted, in Prometheus' text format.
    pub(super) fn write(&self, text: &mut String) {
        text.push_str("# HELP http_request_duration_seconds Time from the head of a request to the head of its answer.\n");
        text.push_str("# TYPE http_request_duration_seconds histogram\n");
        for (place, figures) in self.0.iter().enumerate().filter_map(|(place, cell)| Some((place, cell.get()?))) {
            let route = PLACES.get(place / STATUS / METHOD).map_or(OTHER, |place| place.path);
            let method = METHODS.get(place / STATUS % METHOD).unwrap_or(&OTHER);
            let status = STATUSES.get(place % STATUS).map_or(OTHER.to_owned(), ToString::to_string);
            figures.write(text, &format!("method=\"{method}\",route=\"{route}\",status=\"{status}\""));
        }
    }
}

impl Figures {
    fn write(&self, text: &mut String, labels: &str) {
        const NAME: &str = "http_request_duration_seconds";
        let mut sum = 0;
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"])) {
            sum += bucket.load(Ordering::Relaxed);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {sum}");
        }
        let seconds = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
        let _ = writeln!(text, "{NAME}_sum{{{labels}}} {seconds}\n{NAME}_count{{{labels}}} {sum}");
    }
}
