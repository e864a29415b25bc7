//! Serving: until it is time to stop, and then until everything has come to its end.

use std::{fmt, future::Future, net::SocketAddr, time::Duration};

use callgate_model::{Caller, Gateway as _};
use tokio::{net::TcpListener, task::JoinSet};

pub use callgate_transport::Drained;
use callgate_transport::tls::Tls;

use super::{Gate, Reloads, signals};
use crate::Error;

/// How long the last calls and the audit log may take once the transport has let go of everything.
const LAST: Duration = Duration::from_secs(5);

/// What brings changed configurations in. Dropping it stops them.
struct Following(#[expect(dead_code, reason = "held for what its end does")] JoinSet<()>);

/// A gate with an address; connections wait to be served.
pub struct Listening {
    gate: Gate,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Gate {
    /// Serves HTTP until the process is asked to end (SIGTERM, SIGINT), then drains.
    pub async fn serve_http(self, address: SocketAddr) -> Result<(), Error> {
        self.listen(address).await?.until(signals()).await.map(drop)
    }

    /// Serves one client over standard input and output until the input ends or the process is asked to end, then drains.
    pub async fn serve_stdio(self) -> Result<(), Error> {
        self.stdio_until(signals()).await.map(drop)
    }

    /// Takes an address; port 0 takes any that is free. Without authentication, only a loopback address is taken.
    pub async fn listen(self, address: SocketAddr) -> Result<Listening, Error> {
        if address.ip().is_loopback() || self.live.authentication().is_some() {
            self.listen_insecurely(address).await
        } else {
            Err(Error::Exposed(address))
        }
    }

    /// Takes an address from which anyone may call everything. Only where something in front says who may.
    pub async fn listen_insecurely(self, address: SocketAddr) -> Result<Listening, Error> {
        let failed = |cause| Error::Listen { address, cause };
        let tls = self.wire.http.tls.as_ref().map(|tls| Tls::open(tls, &self.folder)).transpose()?;
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Listening { gate: self, listener, address, tls })
    }

    /// Serves one client over standard input and output until its input ends or `stop` is done; then drains.
    pub async fn stdio_until(self, stop: impl Future<Output = ()>) -> Result<Drained, Error> {
        let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
        let following = self.follow();
        let drained = callgate_transport::stdio::serve(input, output, self.gateway(), Caller::local(), &self.wire, stop).await;
        drop(following);
        self.drain().await;
        Ok(drained)
    }

    /// Waits until no call is under way and every record is durable, for a bounded time.
    pub async fn drain(self) {
        self.live.present().drain(LAST).await;
    }

    /// From now on, while the result is held, a changed configuration takes its place.
    fn follow(&self) -> Following {
        let mut tasks = JoinSet::new();
        if let Some(Reloads { reloader, control, every, look }) = &self.reloads {
            tasks.spawn(reloader.clone().heed_hangups());
            tasks.spawn(reloader.clone().watch(*every, look.clone()));
            #[cfg(unix)]
            if let Some(path) = control {
                match crate::control::Control::open(path) {
                    Ok(control) => drop(tasks.spawn(control.run(reloader.clone()))),
                    Err(cause) => tracing::warn!(socket = %path.display(), error = %cause, "no control socket; SIGHUP still reloads"),
                }
            }
        }
        Following(tasks)
    }
}

impl Listening {
    /// The address; its port is never 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client is told to connect to.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/mcp", self.address)
    }

    /// The gate that is served.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Serves until `stop` is done, then drains: no new connections, streams end, running calls finish or are cut off.
    pub async fn until(self, stop: impl Future<Output = ()>) -> Result<Drained, Error> {
        let Self { gate, listener, tls, .. } = self;
        let following = gate.follow();
        let drained = callgate_transport::http::serve(listener, gate.gateway(), &gate.wire, tls, stop).await.map_err(Error::Serve)?;
        drop(following);
        gate.drain().await;
        Ok(drained)
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("address", &self.address).finish_non_exhaustive()
    }
}
