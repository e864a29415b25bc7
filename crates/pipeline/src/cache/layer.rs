//! The layer: kept, joined, or fetched; and what a change makes stale.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};
use tokio::runtime::Handle;

use super::{
    keeper::Cache,
    marks::Mark,
    shelf::Age,
    terms::{Tags, Terms},
};
use crate::{
    Error,
    layer::{Layer, Next, Opening},
    outcome,
};

/// What the cache had.
pub(super) const CACHE: &str = "callgate.cache";

struct Caching {
    /// In the order of the catalog.
    tools: Vec<Terms>,
    cache: Arc<Cache>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let tools = opening.catalog.tools().iter().map(|item| Terms::of(&item.backend_name, &item.offer)).collect::<Result<_, _>>()?;
    let cache = Cache::open(opening);
    Ok(Box::new(Caching { tools, cache }))
}

#[async_trait]
impl Layer for Caching {
    fn concerns(&self, tool: Option<usize>) -> bool {
        tool.is_some_and(|tool| !matches!(self.tools[tool], Terms::Plain))
    }

    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        match next.ticket().tool.map(|tool| &self.tools[tool]) {
            // What a caller answers, and what a backend remembers for it, is for this call alone.
            Some(Terms::Kept(kept)) if call.answers.is_empty() && call.state.is_none() => {
                let key = kept.keys.of(call);
                match self.cache.find(&key) {
                    Some((copy, Age::Fresh)) => {
                        next.note(CACHE, "hit");
                        Ok(copy.reply.clone().into())
                    }
                    Some((copy, Age::Stale)) => {
                        next.note(CACHE, "stale");
                        self.cache.refresh(kept, key, call, next.keep());
                        Ok(copy.reply.clone().into())
                    }
                    // Boxed, so that a hit does not pay for the room that a load takes.
                    None => Box::pin(self.cache.fetch(kept, key, call, next)).await,
                }
            }
            Some(Terms::Changing(tags)) => self.change(tags, call, next).await,
            Some(Terms::Kept(_) | Terms::Plain) | None => next.run(call).await,
        }
    }
}

impl Caching {
    /// Lets a call go on that makes replies stale: before it is answered, and also if it is dropped, since it may have been made.
    async fn change(&self, tags: &Tags, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let mut change = Change { cache: &self.cache, marks: tags.changed_by(call) };
        let result = next.run(call).await;
        if !outcome::is_unmade(&result) {
            next.note("callgate.cache.invalidated", i64::try_from(change.marks.len()).unwrap_or(i64::MAX));
            self.cache.invalidate(&change.marks).await;
        }
        change.marks.clear();
        result
    }
}

/// A change that is being made. If it is dropped on the way, what hangs on its marks is stale all the same.
struct Change<'a> {
    cache: &'a Arc<Cache>,
    marks: Vec<Mark>,
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let marks = std::mem::take(&mut self.marks);
        if marks.is_empty() {
            return;
        }
        self.cache.advance(&marks);
        // Without a runtime the process ends, and with it what it could have told.
        if let Ok(runtime) = Handle::try_current() {
            let cache = self.cache.clone();
            runtime.spawn(async move { cache.invalidate(&marks).await });
        }
    }
}
