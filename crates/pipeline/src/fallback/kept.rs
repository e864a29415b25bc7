//! The last good answers.

use std::{sync::Arc, time::Duration};

use callgate_model::{Body, Content, ToolReply};
use moka::{policy::EvictionPolicy, sync::Cache};
use tokio::time::Instant;

use super::key::Key;

/// What an entry costs beside what it holds.
const ENTRY: usize = 256;

/// An answer and when it was given.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    reply: Arc<ToolReply>,
    at: Instant,
}

/// The answers, bounded by bytes.
#[derive(Clone, Debug)]
pub(super) struct Kept(Cache<Key, Answer>);

impl Kept {
    pub(super) fn new(bytes: usize) -> Self {
        let weigh = |_: &Key, answer: &Answer| u32::try_from(size(&answer.reply)).unwrap_or(u32::MAX);
        let cache = Cache::builder().max_capacity(bytes as u64).weigher(weigh).eviction_policy(EvictionPolicy::tiny_lfu());
        Self(cache.build())
    }

    pub(super) fn keep(&self, key: Key, reply: &ToolReply) {
        self.0.insert(key, Answer { reply: Arc::new(reply.clone()), at: Instant::now() });
    }

    /// The answer to this question and its age, if it is no older than `oldest`.
    pub(super) fn get(&self, key: &Key, oldest: Duration) -> Option<(Arc<ToolReply>, Duration)> {
        let Answer { reply, at } = self.0.get(key)?;
        let age = at.elapsed();
        (age <= oldest).then_some((reply, age))
    }

    /// How many bytes are kept.
    pub(super) fn bytes(&self) -> u64 {
        self.0.weighted_size()
    }
}

fn size(reply: &ToolReply) -> usize {
    let of_content = |content: &Content| match &content.body {
        Body::Text(text) => text.len(),
        // Rare, and only its rough size is wanted.
        other => format!("{other:?}").len(),
    };
    let json = |json: &Option<callgate_model::Json>| json.as_ref().map_or(0, |json| json.as_str().len());
    ENTRY + json(&reply.structured) + json(&reply.meta) + reply.content.iter().map(of_content).sum::<usize>()
}
