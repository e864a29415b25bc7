//! A gate that is open: everything connected, nothing served yet.

mod serve;
mod signals;

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use callgate_model::{Backend, BackendName, Caller, Catalog, Clock, Gateway, Identify, Identity};
use callgate_store::{Store, shared::Shared};

pub use self::{
    serve::{Drained, Listening},
    signals::signals,
};
use crate::{Builder, Error};

/// What an open gate is made of.
pub(crate) struct Parts {
    pub(crate) identity: Identity,
    pub(crate) backends: Vec<(BackendName, Arc<dyn Backend>)>,
    pub(crate) identify: Option<Arc<dyn Identify>>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shared: Arc<dyn Shared>,
    pub(crate) settings: callgate_pipeline::Settings,
    pub(crate) wire: callgate_transport::Config,
    pub(crate) listen: SocketAddr,
    /// What paths of the wire are relative to.
    pub(crate) folder: PathBuf,
    pub(crate) clock: Clock,
}

/// A gate that is open. Serving it takes it: when serving ends, the gate has drained.
pub struct Gate {
    column: Arc<callgate_pipeline::Gate>,
    wire: callgate_transport::Config,
    listen: SocketAddr,
    folder: PathBuf,
}

impl Gate {
    /// A gate made of code.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn assemble(parts: Parts) -> Result<Self, Error> {
        let Parts { identity, backends, identify, store, shared, settings, wire, listen, folder, clock } = parts;
        let column = callgate_pipeline::Gate::open(callgate_pipeline::Parts {
            identity,
            backends,
            identify,
            store,
            shared,
            settings,
            notices: callgate_model::Notices::new(),
            clock,
        })?;
        callgate_transport::check(&column.catalog(&Caller::local()))
            .map_err(|(tool, why)| Error::Gate(callgate_pipeline::Error::Schema { tool, why }))?;
        Ok(Self { column, wire, listen, folder })
    }

    /// The gate as a transport sees it, for calls from code.
    #[must_use]
    pub fn gateway(&self) -> Arc<dyn Gateway> {
        self.column.clone()
    }

    /// Everything on offer.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.column.catalog(&Caller::local())
    }

    /// Where the configuration says that HTTP is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listen
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("column", &self.column).finish_non_exhaustive()
    }
}
