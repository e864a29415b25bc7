//! Closing a gate without losing what runs.

use std::time::Duration;

use tokio::time::timeout;
use tracing::{info, warn};

use super::Gate;

/// After cancelling, dropping the work takes a moment and never long.
const AFTERMATH: Duration = Duration::from_secs(1);

impl Gate {
    /// Lets no new call in, gives those under way up to `limit`, cancels the rest, and waits for the audit log and
    /// the last traces.
    ///
    /// Calls are refused from the first moment on, with a sentence that says nothing was done. Within `limit` plus three
    /// seconds this returns, whatever happens; what could not be written by then is logged.
    pub async fn drain(&self, limit: Duration) {
        self.running.close();
        info!(calls = self.running.count(), "closing: no new calls");
        if timeout(limit, self.running.ended()).await.is_err() {
            warn!(calls = self.running.count(), "closing: cancelling calls that did not end in time");
            self.running.cancel();
            if timeout(AFTERMATH, self.running.ended()).await.is_err() {
                warn!(calls = self.running.count(), "closing: calls that do not heed cancelling are left behind");
            }
        }
        self.strangers.flush();
        if timeout(AFTERMATH, self.store.audit().flush()).await.is_err() {
            let records = self.store.audit().backlog().records;
            tracing::error!(records, "closing: the audit log could not be written to its end");
        }
        if let Some(traces) = &self.traces
            && timeout(AFTERMATH, traces.flush()).await.is_err()
        {
            warn!(traces = traces.tally().waiting, "closing: traces that the collector did not take in time are left behind");
        }
    }
}
