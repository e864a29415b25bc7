//! Exchanging the configuration of a gate while it is served.
//!
//! Read, check and open beside the running set; then one step, and every new call is on the new set. It promises that a
//! configuration with a mistake changes nothing, leaves nothing behind and says why; that a gate which asks who is calling does not
//! stop asking; that a call ends on the configuration it began with; and that one reload happens at a time. Signals and changed files that
//! come while one is under way are one more reload, not many.
//!
//! What belongs to the process stays as it was at the start: the store, the listener and its limits, the log. A change there is
//! told, and takes effect at the next start.
//!
//! Three things set it off: SIGHUP, a changed file, and `callgate reload` through the control socket (`control`).

mod watch;

use std::{fmt, path::PathBuf, sync::Arc};

use callgate_config::{Environment, Section};
use callgate_model::{Gateway as _, chain};
use callgate_pipeline::{Forget, forget};
use callgate_store::shared::Away;
use tokio::sync::Mutex;
use tracing::{error, info, warn};

use crate::{
    Configuration, Error,
    configuration::Counts,
    gate::{Kept, Live},
};

pub(crate) use watch::{Look, Watch};

/// Sections that are read when the process starts and not again.
const OF_THE_PROCESS: [&str; 6] = ["listen", "wire", "store", "shared", "control", "log"];

/// Reads the configuration of a served gate again. Clones share it.
#[derive(Clone)]
pub struct Reloader(Arc<Inner>);

struct Inner {
    path: PathBuf,
    environment: Environment,
    live: Arc<Live>,
    kept: Kept,
    /// What the process was started with, for comparison; the lock lets one reload happen at a time.
    started: Mutex<Section>,
}

/// A configuration has taken its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// How much is declared now.
    pub counts: Counts,
    /// Sections that differ from those the process was started with, and wait for the next start.
    pub waiting: Vec<&'static str>,
}

impl Reloader {
    pub(crate) fn new(path: PathBuf, environment: Environment, live: Arc<Live>, kept: Kept, started: Section) -> Self {
        Self(Arc::new(Inner { path, environment, live, kept, started: Mutex::new(started) }))
    }

    /// Where the configuration is.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0.path
    }

    /// Drops kept replies, of one tenant or of all.
    pub(crate) async fn forget(&self, what: &Forget, tenant: Option<&str>) -> Result<(), Away> {
        forget(what, tenant, &self.0.kept.shared).await
    }

    /// Reads, checks and opens the configuration and puts it in the place of the present one; `why` is for the log.
    ///
    /// # Errors
    /// Whatever is wrong with it. The present configuration stays in place.
    pub async fn reload(&self, why: &str) -> Result<Reloaded, Error> {
        let started = self.0.started.lock().await;
        let outcome = self.exchange(&started).await;
        match &outcome {
            Ok(Reloaded { counts, waiting }) => {
                let Counts { tools, resources, prompts } = counts;
                info!(why, tools, resources, prompts, "the configuration was read again and is in place");
                if !waiting.is_empty() {
                    warn!(sections = waiting.join(", "), "these sections have changed and take effect at the next start");
                }
            }
            Err(cause) => {
                self.0.live.refuse();
                error!(why, error = chain(cause), "the configuration was read again and refused; the one in place stays");
            }
        }
        outcome
    }

    async fn exchange(&self, started: &Section) -> Result<Reloaded, Error> {
        let Inner { path, environment, live, kept, .. } = &*self.0;
        let (path, environment) = (path.clone(), environment.clone());
        // Reading ten thousand tools takes its time, and calls are under way.
        let read = tokio::task::spawn_blocking(move || Configuration::read_in(&path, &environment));
        let configuration = read.await.expect("reading a configuration does not panic").map_err(Error::Configuration)?;
        if live.present().authentication().is_some() && !configuration.authenticates() {
            return Err(Error::Unguarded);
        }
        let counts = configuration.counts();
        let differs = |key: &&str| match (started.get(key), configuration.section().get(key)) {
            (Some(then), Some(now)) => !then.says_the_same(&now),
            (None, None) => false,
            _ => true,
        };
        let waiting = OF_THE_PROCESS.into_iter().filter(differs).collect();
        let gate = configuration.beside(kept, live.present().carried()).await?;
        live.exchange(gate);
        Ok(Reloaded { counts, waiting })
    }
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("path", &self.0.path).finish_non_exhaustive()
    }
}
