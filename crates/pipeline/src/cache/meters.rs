//! The figures of this layer.

use std::sync::Arc;

use prometheus_client::{
    encoding::{EncodeLabelSet, NoLabelSet},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::keeper::Cache;
use crate::metrics::{Figure, Gauges};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    cache_type: &'static str,
}

/// Where replies were found.
#[derive(Debug)]
pub(super) struct Meters {
    /// In memory.
    pub(super) l1: Counter,
    /// In memory, and no longer fresh.
    pub(super) stale: Counter,
    /// In what replicas share.
    pub(super) l2: Counter,
    /// With another call that was fetching it.
    pub(super) flight: Counter,
    /// Looked for in what replicas share, and not found.
    pub(super) missed_l2: Counter,
    /// Found in what replicas share, and not put there by anybody with the secret.
    pub(super) forged: Counter,
    /// Nowhere in memory: it had to be fetched.
    pub(super) missed: Counter,
    /// Marks that were made stale.
    pub(super) invalidated: Counter,
}

impl Meters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let hits = Family::<Labels, Counter>::default();
        let misses = Family::<Labels, Counter>::default();
        let (invalidated, forged) = (Counter::default(), Counter::default());
        registry.register("mcp_cache_hits", "Calls answered without the backend, by where the reply was found", hits.clone());
        registry.register("mcp_cache_misses", "Calls for which no kept reply was found, by where it was looked for", misses.clone());
        registry.register("mcp_cache_invalidations", "Tags, tools and tenants whose kept replies were made stale", invalidated.clone());
        let help = "Shared replies that did not open: changed, moved, or made with another secret";
        registry.register("mcp_cache_forged", help, forged.clone());
        let counter = |family: &Family<Labels, Counter>, cache_type| family.get_or_create_owned(&Labels { cache_type });
        Self {
            l1: counter(&hits, "l1"),
            l2: counter(&hits, "l2"),
            stale: counter(&hits, "stale"),
            flight: counter(&hits, "flight"),
            missed: counter(&misses, "l1"),
            missed_l2: counter(&misses, "l2"),
            forged,
            invalidated,
        }
    }
}

/// Registers what is read off the cache when somebody asks.
pub(super) fn watch(cache: &Arc<Cache>, registry: &mut Registry) {
    let cache = cache.clone();
    registry.register_collector(Box::new(Gauges(move || figures(&cache))));
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn figures(cache: &Cache) -> Vec<Figure<NoLabelSet>> {
    let (replies, bytes) = cache.shelf.size();
    let one = |name, help, value| Figure { name, help, values: vec![(None, value)] };
    vec![
        one("mcp_cache_entries", "Replies kept in memory", replies as f64),
        one("mcp_cache_bytes", "Memory that kept replies take", bytes as f64),
        one("mcp_cache_waiting", "Calls that wait for a reply that another call is fetching", cache.flights.waiting() as f64),
    ]
}
