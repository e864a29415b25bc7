//! What sends: gathers traces until there is a batch of them or the first has waited long enough.
//!
//! *Waiting*: nothing is there. *Gathering*: from the first trace on, for a bounded time. *Delivering*: the batch is sent, tried again or
//! dropped (`deliver`). It ends when nobody can add a trace any more and the last batch is gone.

use std::{sync::Arc, time::Duration};

use callgate_model::Spans;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use crate::{
    TracesConfig,
    deliver::Deliver,
    exporter::{Counts, Item, weight},
    otlp,
};

/// The other side of an exporter.
pub(crate) struct Task {
    waiting: mpsc::Receiver<Item>,
    deliver: Deliver,
    counts: Arc<Counts>,
    resource: otlp::Resource,
    most: usize,
    every: Duration,
    batch: Vec<Spans>,
    /// Who wants to know when the batch is gone.
    flushes: Vec<oneshot::Sender<()>>,
}

impl Task {
    pub(crate) fn new(
        config: &TracesConfig,
        waiting: mpsc::Receiver<Item>,
        deliver: Deliver,
        counts: Arc<Counts>,
        resource: otlp::Resource,
    ) -> Self {
        let (batch, flushes) = (Vec::new(), Vec::new());
        Self { waiting, deliver, counts, resource, most: config.batch, every: config.every.get(), batch, flushes }
    }

    /// Sends what comes until nothing can come any more.
    pub(crate) async fn run(mut self) {
        while let Some(item) = self.waiting.recv().await {
            self.take(item);
            self.gather().await;
            if !self.batch.is_empty() {
                let body = otlp::encode(&self.resource, &self.batch);
                self.deliver.deliver(body, self.batch.len() as u64, self.waiting.is_closed()).await;
                self.counts.gone(self.batch.len() as u64, self.batch.iter().map(weight).sum());
                self.batch.clear();
            }
            for flush in self.flushes.drain(..) {
                // Who asked may have stopped waiting.
                let _ = flush.send(());
            }
        }
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Spans(spans) => self.batch.push(spans),
            Item::Flush(flush) => self.flushes.push(flush),
        }
    }

    /// Takes what else comes in time.
    async fn gather(&mut self) {
        let until = Instant::now() + self.every;
        while self.batch.len() < self.most && self.flushes.is_empty() {
            match timeout_at(until, self.waiting.recv()).await {
                Ok(Some(item)) => self.take(item),
                Ok(None) | Err(_) => return,
            }
        }
    }
}
