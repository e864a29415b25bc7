//! How often the server was asked, and how long it took.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// What the server is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Take,
    Get,
    Put,
    Delete,
    Publish,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Status {
    Ok,
    Error,
    Timeout,
    /// It was not asked, because it is known to be away.
    Away,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    operation: &'static str,
}

const OPERATIONS: [Operation; 5] = [Operation::Take, Operation::Get, Operation::Put, Operation::Delete, Operation::Publish];
const STATUSES: [Status; 4] = [Status::Ok, Status::Error, Status::Timeout, Status::Away];

/// Upper bounds of the buckets, in seconds; the default budget is among them.
const SECONDS: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1];

/// The counters, found by place.
pub(super) struct Operations {
    counts: Family<Labels, Counter>,
    times: Family<Name, Histogram>,
    by_place: [([Counter; 4], Histogram); 5],
}

impl Default for Operations {
    fn default() -> Self {
        let counts = Family::<Labels, Counter>::default();
        let times = Family::<Name, Histogram>::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let count = |operation: Operation, status: Status| {
            counts.get_or_create_owned(&Labels { operation: operation.as_str(), status: status.as_str() })
        };
        let by_place = OPERATIONS.map(|operation| {
            let time = times.get_or_create_owned(&Name { operation: operation.as_str() });
            (STATUSES.map(|status| count(operation, status)), time)
        });
        Self { counts, times, by_place }
    }
}

impl Operations {
    pub(super) fn count(&self, operation: Operation, status: Status) {
        self.by_place[operation as usize].0[status as usize].inc();
    }

    pub(super) fn time(&self, operation: Operation, status: Status, span: Duration) {
        self.count(operation, status);
        self.by_place[operation as usize].1.observe(span.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("mcp_redis_operations", "Operations on what replicas share, by how they ended", self.counts.clone());
        registry.register("mcp_redis_latency_seconds", "How long the server that replicas share took to answer", self.times.clone());
    }
}

impl Operation {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Get => "get",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Publish => "publish",
        }
    }
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Away => "away",
        }
    }
}
