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
    place::Place,
    queue::{Batch, Queue},
    rows,
};

/// How long to wait before a failed batch is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// Starts the thread; it ends when the queue is closed.
pub(super) fn start(connection: Connection, place: Place, queue: Arc<Queue>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("audit".into()).spawn(move || {
        let alarm = Alarm(queue.clone());
        run(connection, &place, &queue);
        drop(alarm);
    })
}

fn run(mut connection: Connection, place: &Place, queue: &Queue) {
    let mut batch = Batch::default();
    while let Some(full) = queue.take(batch) {
        if !persist(&mut connection, place, queue, &full) {
            return;
        }
        batch = queue.settle(full);
    }
}

/// Writes `batch`, however often it takes; `false` if the store was closed while it could not.
fn persist(connection: &mut Connection, place: &Place, queue: &Queue, batch: &Batch) -> bool {
    while let Err(cause) = write(connection, place, batch) {
        if queue.fail(cause.clone()) {
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

/// Asked first: what is written twice is two records, what is written to a file that is gone is none.
fn write(connection: &mut Connection, place: &Place, batch: &Batch) -> Result<(), String> {
    place.check()?;
    rows::write(connection, &batch.records).map_err(|cause| cause.to_string())
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
