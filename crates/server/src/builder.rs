//! A gate made of code: backends written in Rust, with the same column and transports as configured ones.

use std::{fmt, net::SocketAddr, path::Path, sync::Arc};

use aws_lc_rs::rand;
use callgate_model::{Backend, BackendName, Clock, Identify, Identity, Json, Notices, Traces};
use callgate_pipeline::{Carried, Settings};

use crate::{
    Error, Gate,
    gate::{Column, Kept, Parts},
    settings::{Audit, Cache, Calls, Quotas, Shared, Store, Wire},
};

/// Says what a gate is made of, part by part. Everything has the defaults of the configuration, but for the store: records are kept
/// in memory unless [`Builder::store`] says otherwise.
pub struct Builder {
    identity: Identity,
    backends: Vec<(String, Arc<dyn Backend>)>,
    identify: Option<Arc<dyn Identify>>,
    store: Store,
    settings: Settings,
    wire: Wire,
    traces: Option<Arc<dyn Traces>>,
    clock: Clock,
}

impl Default for Builder {
    fn default() -> Self {
        let memory = Store { kind: callgate_store::Name::Memory, ..Store::default() };
        Self {
            identity: Identity { name: "callgate".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), ..Identity::default() },
            backends: Vec::new(),
            identify: None,
            store: memory,
            settings: Settings::default(),
            wire: Wire::default(),
            traces: None,
            clock: Clock::System,
        }
    }
}

impl Builder {
    /// The gate's name for programs; `callgate` without it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.identity.name = name.into();
        self
    }

    /// The version of what it serves; that of this crate without it.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.identity.version = version.into();
        self
    }

    /// The gate's name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.identity.title = Some(title.into());
        self
    }

    /// How a model should use what is on offer.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.identity.instructions = Some(instructions.into());
        self
    }

    /// MCP icons.
    #[must_use]
    pub fn icons(mut self, icons: Json) -> Self {
        self.identity.icons = Some(icons);
        self
    }

    /// Adds a backend under a name of `a-z 0-9 _ -`. Backends are asked in this order for what they offer, and it is the order of
    /// the lists.
    #[must_use]
    pub fn backend(mut self, name: impl Into<String>, backend: impl Backend) -> Self {
        self.backends.push((name.into(), Arc::new(backend)));
        self
    }

    /// Who recognises callers; without it, the gate serves this machine's own user and listens on loopback only.
    #[must_use]
    pub fn identify(mut self, identify: impl Identify) -> Self {
        self.identify = Some(Arc::new(identify));
        self
    }

    /// Where the gate keeps its own state; relative paths are relative to the working directory.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// How calls are let through.
    #[must_use]
    pub fn calls(mut self, calls: Calls) -> Self {
        self.settings.calls = calls;
        self
    }

    /// What is written down about calls.
    #[must_use]
    pub fn audit(mut self, audit: Audit) -> Self {
        self.settings.audit = audit;
        self
    }

    /// How replies of tools that say so are kept.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.settings.cache = cache;
        self
    }

    /// How often calls may be made.
    #[must_use]
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.settings.quotas = quotas;
        self
    }

    /// What replicas share.
    #[must_use]
    pub fn shared(mut self, shared: Shared) -> Self {
        self.settings.shared = shared;
        self
    }

    /// Limits of the wire.
    #[must_use]
    pub fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// Who samples calls and takes their traces; nobody without it.
    #[must_use]
    pub fn traces(mut self, traces: impl Traces + 'static) -> Self {
        self.traces = Some(Arc::new(traces));
        self
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the store and puts the gate together.
    pub async fn open(self) -> Result<Gate, Error> {
        let Self { identity, backends, identify, store, settings, wire, traces, clock } = self;
        let named = |(name, backend)| Ok((BackendName::new(name)?, backend));
        let backends = backends.into_iter().map(named).collect::<Result<_, Error>>()?;
        let audit = &settings.audit;
        let (heads, pseudonyms) = (audit.heads.clone(), audit.pseudonyms.clone());
        let upkeep = callgate_store::Upkeep { heads, keep: audit.keep, pseudonyms, clock };
        let store = callgate_store::open(&callgate_store::Opening { config: &store, upkeep, folder: Path::new(".") }).await?;
        let shared = callgate_store::shared::open(&settings.shared, Path::new(".")).await?;
        let mut key = [0; 32];
        rand::fill(&mut key).expect("the system's random numbers do not run out");
        let kept = Kept { store, shared, key, notices: Notices::new(), clock };
        let column = Column { identity, backends, identify, settings, traces }.open(&kept, Carried::default())?;
        let listen = SocketAddr::from(([127, 0, 0, 1], 8000));
        Ok(Gate::new(Parts { column, wire, listen, folder: ".".into(), kept }))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("identity", &self.identity).finish_non_exhaustive()
    }
}
