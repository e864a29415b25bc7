//! The thread that writes.

use std::{
    fmt::Display,
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::{
    Upkeep,
    heads::Journal,
    queue::{Batch, Queue},
};
use crate::Head;

/// How long to wait before a failed batch is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// How long others have the store to themselves between two parts of a long upkeep.
const PACE: Duration = Duration::from_millis(20);

/// Where batches go.
pub(crate) trait Sink: Send {
    /// Writes all of `batch` or nothing.
    fn write(&mut self, batch: &Batch) -> Result<(), String>;

    /// Where the chain stands.
    fn head(&self) -> Head;

    /// Makes records of the intents that gates which ended have left behind, and removes some records from before `keep`.
    fn tend(&mut self, now: Timestamp, keep: Option<Timestamp>) -> Result<Tended, String>;
}

/// How far looking after a log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tended {
    /// There is nothing left to do.
    Done,
    /// There is more of it, for the next time.
    Partly,
}

/// Starts the thread; it ends when the queue is closed.
pub(crate) fn start(sink: impl Sink + 'static, upkeep: &Upkeep, queue: Arc<Queue>) -> io::Result<JoinHandle<()>> {
    let journal = upkeep.heads.journal()?;
    let mut writer = Writer { sink, queue: queue.clone(), journal, upkeep: upkeep.clone(), tended: None };
    thread::Builder::new().name("audit".into()).spawn(move || {
        let alarm = Alarm(queue);
        writer.run();
        drop(alarm);
    })
}

struct Writer<S> {
    sink: S,
    queue: Arc<Queue>,
    journal: Option<Journal>,
    upkeep: Upkeep,
    tended: Option<Timestamp>,
}

impl<S: Sink> Writer<S> {
    fn run(&mut self) {
        let mut batch = Batch::default();
        self.tend();
        while let Some(full) = self.queue.take(batch, self.tick()) {
            let (flushed, Some(full)) = (full.is_flushed(), self.persist(full)) else { return };
            if flushed {
                self.sign();
            }
            batch = self.queue.settle(full);
            // Nobody waits for this.
            self.tend();
        }
        self.sign();
    }

    /// Writes `batch`, however often it takes; `None` if the store was closed while it could not.
    fn persist(&mut self, mut batch: Batch) -> Option<Batch> {
        if batch.is_empty() {
            return Some(batch);
        }
        while let Err(cause) = self.sink.write(&batch) {
            batch.intents.clear();
            if self.queue.fail(cause.clone()) {
                error!(error = %cause, "the audit log cannot be written: writes are refused until it can");
            }
            if !self.queue.pause(RETRY) {
                let records = self.queue.backlog().records;
                error!(records, error = %cause, "the store was closed while the audit log could not be written: these records are lost");
                return None;
            }
        }
        if self.queue.is_failing() {
            info!("the audit log can be written again");
        }
        Some(batch)
    }

    fn tick(&self) -> Duration {
        if self.tended.is_some() { self.upkeep.tick() } else { PACE }
    }

    /// What is done from time to time.
    fn tend(&mut self) {
        let now = self.upkeep.clock.now();
        if self.tended.is_some_and(|tended| now.duration_since(tended).unsigned_abs() < self.upkeep.tick()) {
            return;
        }
        let keep = self.upkeep.keep.and_then(|keep| now.checked_sub(keep.get()).ok());
        let tended = self.sink.tend(now, keep);
        self.tended = (tended != Ok(Tended::Partly)).then_some(now);
        say(tended, "the audit log cannot be looked after");
        self.sign();
    }

    fn sign(&mut self) {
        let (head, now) = (self.sink.head(), self.upkeep.clock.now());
        if let Some(journal) = &mut self.journal {
            say(journal.append(head, now), "the head of the audit log cannot be written down");
        }
    }
}

fn say<T, E: Display>(result: Result<T, E>, what: &str) {
    if let Err(error) = result {
        warn!(%error, "{what}; it is tried again");
    }
}

/// A writer that panics leaves a log that says so.
struct Alarm(Arc<Queue>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail("the thread that writes it has panicked".into());
            error!("the thread that writes the audit log has panicked: writes are refused until the gate is started again");
        }
    }
}
