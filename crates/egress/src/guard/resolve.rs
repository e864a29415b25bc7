//! Resolving names, and looking at every address before anything connects to it. What was looked at is what is connected to, so
//! that a name cannot change its mind in between.

use std::{fmt, io, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Guard;

/// The addresses of a name, when they are known.
pub(crate) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// How names become addresses.
pub(crate) type Lookup = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// The system's resolver behind the guard.
#[derive(Clone)]
pub(crate) struct Resolver {
    guard: Arc<Guard>,
    lookup: Lookup,
}

impl Resolver {
    /// Asks the system.
    pub(crate) fn system(guard: Arc<Guard>) -> Self {
        Self::with(guard, Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })))
    }

    /// Asks `lookup`.
    pub(crate) fn with(guard: Arc<Guard>, lookup: Lookup) -> Self {
        Self { guard, lookup }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { guard, lookup } = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let addresses = lookup(name.to_owned()).await?;
            // One bad address among good ones is reason enough: nobody resolves to both by accident.
            for address in &addresses {
                guard.admit_address(name, address.ip())?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("guard", &self.guard).finish_non_exhaustive()
    }
}
