//! Whether the backends answer, asked at most so often.
//!
//! Whoever can reach the gate may ask whether it is ready. It promises that all who ask within `calls.probe_every` get one answer, and
//! that no backend is asked twice at once; so that asking often costs the systems behind nothing.

use std::{panic::AssertUnwindSafe, time::Duration};

use callgate_model::{Backend, BackendName, Probe};
use futures_util::{FutureExt as _, future::join_all};
use tokio::{sync::Mutex, time::Instant};

use crate::{Config, metrics::Backends};

/// What the backends said last.
#[derive(Debug)]
pub(super) struct Probes {
    patience: Duration,
    every: Duration,
    /// Held while they are asked: the others wait for that answer. Whoever goes away leaves the asking to the next.
    last: Mutex<Option<(Instant, Vec<Probe>)>>,
}

impl Probes {
    pub(super) fn new(config: &Config) -> Self {
        Self { patience: config.probe.get(), every: config.probe_every.get(), last: Mutex::new(None) }
    }

    /// What each backend says, or said a moment ago.
    pub(super) async fn of(&self, backends: &Backends) -> Vec<Probe> {
        let mut last = self.last.lock().await;
        if let Some((at, probes)) = last.as_ref()
            && at.elapsed() < self.every
        {
            return probes.clone();
        }
        let probes = join_all(backends.0.iter().map(|(name, backend)| self.ask(name, backend.as_ref()))).await;
        *last = Some((Instant::now(), probes.clone()));
        probes
    }

    async fn ask(&self, name: &BackendName, backend: &dyn Backend) -> Probe {
        let probe = AssertUnwindSafe(backend.probe()).catch_unwind();
        let state = match tokio::time::timeout(self.patience, probe).await {
            Ok(Ok(answer)) => answer.map_err(|fault| fault.message().to_owned()),
            Ok(Err(_)) => Err("the probe panicked".into()),
            Err(_) => Err(format!("no answer within {:?}", self.patience)),
        };
        Probe { part: name.to_string(), state }
    }
}
