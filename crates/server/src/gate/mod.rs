//! A gate that is open: everything connected, nothing served yet.

mod live;
mod serve;
mod signals;

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use callgate_model::{Backend, BackendName, Caller, Catalog, Clock, Gateway, Identify, Identity, Members, Notices, Target, Traces};
use callgate_pipeline::{Carried, Explanation, Settings};
use callgate_store::{Store, shared::Shared};

pub(crate) use self::live::Live;
pub use self::{
    serve::{Drained, Listening},
    signals::signals,
};
use crate::{Builder, Error, Reloader, reload::Look};

/// What belongs to the process and not to a configuration: it is opened once, and handed to every column that follows.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The gate's own state.
    pub(crate) store: Arc<dyn Store>,
    /// What replicas share.
    pub(crate) shared: Arc<dyn Shared>,
    /// For what backends seal.
    pub(crate) key: [u8; 32],
    /// Where changes are announced.
    pub(crate) notices: Notices,
    /// Wall-clock time.
    pub(crate) clock: Clock,
}

/// What a column is made of.
pub(crate) struct Column {
    pub(crate) identity: Identity,
    pub(crate) backends: Vec<(BackendName, Arc<dyn Backend>)>,
    pub(crate) identify: Option<Arc<dyn Identify>>,
    pub(crate) settings: Settings,
    pub(crate) traces: Option<Arc<dyn Traces>>,
}

impl Column {
    /// Puts it together, with what the gate before it leaves; nothing is served yet.
    pub(crate) fn open(self, kept: &Kept, before: Carried) -> Result<Arc<callgate_pipeline::Gate>, Error> {
        let Self { identity, backends, identify, settings, traces } = self;
        let Kept { store, shared, notices, clock, .. } = kept.clone();
        let parts = callgate_pipeline::Parts { identity, backends, identify, store, shared, settings, notices, traces, before, clock };
        let column = callgate_pipeline::Gate::open(parts)?;
        callgate_transport::check(column.everything())
            .map_err(|(tool, why)| Error::Gate(callgate_pipeline::Error::Schema { tool, why }))?;
        Ok(column)
    }
}

/// What an open gate is made of.
pub(crate) struct Parts {
    pub(crate) column: Arc<callgate_pipeline::Gate>,
    pub(crate) wire: callgate_transport::Config,
    pub(crate) listen: SocketAddr,
    /// What paths of the wire are relative to.
    pub(crate) folder: PathBuf,
    pub(crate) kept: Kept,
}

/// How a served gate comes to another configuration.
#[derive(Debug)]
pub(crate) struct Reloads {
    pub(crate) reloader: Reloader,
    /// The control socket.
    pub(crate) control: Option<PathBuf>,
    /// How often the files are looked at; zero for never.
    pub(crate) every: Duration,
    /// What they looked like before they were read.
    pub(crate) look: Look,
}

/// A gate that is open. Serving it takes it: when serving ends, the gate has drained.
pub struct Gate {
    live: Arc<Live>,
    wire: callgate_transport::Config,
    listen: SocketAddr,
    folder: PathBuf,
    reloads: Option<Reloads>,
}

impl Gate {
    /// A gate made of code.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { column, wire, listen, folder, kept } = parts;
        Self { live: Live::new(column, kept.notices, kept.clock), wire, listen, folder, reloads: None }
    }

    pub(crate) fn that_reloads(self, reloads: impl FnOnce(Arc<Live>) -> Reloads) -> Self {
        Self { reloads: Some(reloads(self.live.clone())), ..self }
    }

    /// The gate as a transport sees it, for calls from code.
    #[must_use]
    pub fn gateway(&self) -> Arc<dyn Gateway> {
        self.live.clone()
    }

    /// Everything on offer, whoever may use it.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.live.present().everything().clone()
    }

    /// What the rules say of a call, rule by rule. Nothing is called and nothing is written down.
    #[must_use]
    pub fn explain(&self, caller: Arc<Caller>, target: Target, arguments: Members) -> Explanation {
        self.live.present().explain(caller, target, arguments)
    }

    /// Where the configuration says that HTTP is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// Reads the configuration again while the gate is served; `None` for a gate made of code.
    #[must_use]
    pub fn reloader(&self) -> Option<Reloader> {
        self.reloads.as_ref().map(|reloads| reloads.reloader.clone())
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("live", &self.live).finish_non_exhaustive()
    }
}
