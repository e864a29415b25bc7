//! Where replies are kept: in memory, bounded by bytes.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::{Duration, Instant as SystemInstant},
};

use callgate_model::{Body, Content, ResourceContents, ResourceText, ToolReply};
use moka::{Expiry, sync::Cache};
use tokio::time::Instant;

use super::{
    config::Config,
    key::Key,
    marks::{Generations, Stamp},
};

/// What a reply takes beside its texts: keys, stamp, and the cache's own book-keeping.
const AROUND: usize = 512;

/// Kept replies by key.
#[derive(Debug)]
pub(super) struct Shelf {
    replies: Cache<Key, Arc<Copy>>,
    largest: usize,
    jitter: RandomState,
}

/// A kept reply.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) reply: ToolReply,
    pub(super) stamp: Stamp,
    fresh_until: Instant,
    kept_until: Instant,
    weight: u32,
}

/// How old a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// As good as new.
    Fresh,
    /// It may be served while a new one is fetched.
    Stale,
}

impl Shelf {
    pub(super) fn new(config: &Config) -> Self {
        let replies =
            Cache::builder().max_capacity(config.memory.0).weigher(|_: &Key, copy: &Arc<Copy>| copy.weight).expire_after(ByCopy).build();
        Self { replies, largest: config.largest.bytes(), jitter: RandomState::new() }
    }

    /// The copy for `key`, if it is still good.
    pub(super) fn find(&self, key: &Key, generations: &Generations) -> Option<(Arc<Copy>, Age)> {
        let copy = self.replies.get(key)?;
        let now = Instant::now();
        let age = match () {
            () if now < copy.fresh_until => Age::Fresh,
            () if now < copy.kept_until => Age::Stale,
            () => return None,
        };
        generations.is_current(&copy.stamp).then_some((copy, age))
    }

    /// Lets go of everything.
    pub(super) fn clear(&self) {
        self.replies.invalidate_all();
    }

    /// Whether the reply is small enough to be kept.
    pub(super) fn fits(&self, reply: &ToolReply) -> bool {
        bytes(reply) <= self.largest
    }

    /// Keeps `reply`. It is fresh for nine to ten tenths of `ttl`, so that what was fetched together is not
    /// fetched together again, and nothing is ever fresh for longer than the operator said.
    pub(super) fn keep(&self, key: Key, reply: &ToolReply, stamp: Stamp, ttl: Duration, stale: Duration) {
        let weight = u32::try_from(bytes(reply) + AROUND).unwrap_or(u32::MAX);
        let now = Instant::now();
        let fresh_until = now + self.shortened(ttl, now);
        let copy = Copy { reply: reply.clone(), stamp, fresh_until, kept_until: fresh_until + stale, weight };
        self.replies.insert(key, Arc::new(copy));
    }

    /// How many replies there are, and how many bytes they take.
    pub(super) fn size(&self) -> (u64, u64) {
        // What was kept last is counted a little later otherwise.
        self.replies.run_pending_tasks();
        (self.replies.entry_count(), self.replies.weighted_size())
    }

    fn shortened(&self, ttl: Duration, now: Instant) -> Duration {
        let part = (self.jitter.hash_one(now) % 1024) as u32;
        ttl - ttl / 10 * part / 1024
    }
}

/// Each copy says for itself how long it is kept. The copy's own times decide what is served; this only frees the memory.
struct ByCopy;

impl Expiry<Key, Arc<Copy>> for ByCopy {
    fn expire_after_create(&self, _: &Key, copy: &Arc<Copy>, _: SystemInstant) -> Option<Duration> {
        Some(copy.kept_until.saturating_duration_since(Instant::now()))
    }

    fn expire_after_update(&self, _: &Key, copy: &Arc<Copy>, _: SystemInstant, _: Option<Duration>) -> Option<Duration> {
        Some(copy.kept_until.saturating_duration_since(Instant::now()))
    }
}

/// How long the texts of a reply are.
fn bytes(reply: &ToolReply) -> usize {
    let json = |json: &Option<callgate_model::Json>| json.as_ref().map_or(0, |json| json.as_str().len());
    let content = |content: &Content| size_of::<Content>() + body(&content.body) + json(&content.annotations) + json(&content.meta);
    json(&reply.structured) + json(&reply.meta) + reply.content.iter().map(content).sum::<usize>()
}

fn body(body: &Body) -> usize {
    match body {
        Body::Text(text) => text.len(),
        Body::Image { data, mime } | Body::Audio { data, mime } => data.len() + mime.len(),
        Body::Link(resource) => {
            size_of_val(resource.as_ref()) + resource.uri.len() + resource.name.len() + resource.description.as_ref().map_or(0, String::len)
        }
        Body::Embedded(ResourceContents { uri, text: ResourceText::Text(text) | ResourceText::Blob(text), .. }) => uri.len() + text.len(),
    }
}
