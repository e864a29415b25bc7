//! The thread that writes.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;
use tracing::{error, info};

use super::{
    queue::{Batch, Queue},
    rows,
};

/// How long to wait before a failed batch is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// Starts the thread; it ends when the queue is closed.
pub(super) fn start(connection: Connection, queue: Arc<Queue>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("audit".into()).spawn(move || {
        let alarm = Alarm(queue.clone());
        run(connection, &queue);
        drop(alarm);
    })
}

fn run(mut connection: Connection, queue: &Queue) {
    let mut batch = Batch::default();
    while let Some(full) = queue.take(batch) {
        if !persist(&mut connection, queue, &full) {
            return;
        }
        batch = queue.settle(full);
    }
}

/// Writes `batch`, however often it takes; `false` if the store was closed while it could not.
fn persist(connection: &mut Connection, queue: &Queue, batch: &Batch) -> bool {
    while let Err(cause) = rows::write(connection, &batch.records) {
        if queue.fail(cause.to_string()) {
            error!(error = %cause, "the audit log cannot be written: writes are refused until it can");
        }
        if !queue.pause(RETRY) {
            let records = queue.backlog().records;
            error!(records, error = %cause, "the store was closed while the audit log could not be written: these records are lost");
            return false;
        }
    }
    if queue.is_failing() {
        info!("the audit log can be written again");
    }
    true
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
