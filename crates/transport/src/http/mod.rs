//! MCP over HTTP, both eras on `/mcp`, and the gate's own pages for operators.
//!
//! The way of a request: a connection within its limits (`accept`, `connection`), an allowed host and origin (`guard`), a place
//! (`places`, `router`), a caller (`credentials`, `arrival`, `challenge`), a verb, a body within its limits (`media`, `body`), a message, an era (`endpoint`); then `modern` or `legacy`.

mod accept;
mod arrival;
mod backlog;
mod body;
mod challenge;
mod connected;
mod connection;
mod cors;
mod credentials;
mod endpoint;
mod frames;
mod guard;
mod head;
mod health;
mod labels;
mod legacy;
mod media;
mod meter;
mod modern;
mod places;
mod pulse;
mod reply;
mod router;
mod socket;
mod sse;
mod vigil;

use std::sync::Arc;

use callgate_model::Gateway;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{MissedTickBehavior, interval},
};

use self::{accept::Addresses, backlog::Backlogs, guard::Guard, legacy::Sessions, meter::Meter};
use crate::{
    config::Config,
    desk::{Desk, Drained},
    tls::Tls,
};

/// One listener and everything that answers on it.
pub(crate) struct Server {
    desk: Arc<Desk>,
    guard: Guard,
    sessions: Sessions,
    bodies: Semaphore,
    backlogs: Arc<Backlogs>,
    tls: Option<Arc<Tls>>,
    meter: Meter,
    addresses: Arc<Addresses>,
}

/// Serves `gateway` on `listener`, by TLS alone where there is one, until `shutdown` is done. Then nothing more is accepted, streams end, running requests may
/// finish for `config.http.drain`, and what is left is cut off.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<dyn Gateway>,
    config: &Config,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<Drained> {
    let desk = Desk::new(gateway, config, "http");
    let guard = Guard::new(listener.local_addr()?, &config.http);
    let server = Arc::new(Server {
        sessions: Sessions::new(&config.sessions),
        bodies: body::room(&config.http),
        backlogs: Backlogs::new(config.http.replies.bytes()),
        desk,
        guard,
        tls: tls.map(Arc::new),
        meter: Meter::default(),
        addresses: Arc::default(),
    });
    if let Some(tls) = &server.tls {
        server.desk.tasks.spawn(look(server.desk.clone(), tls.clone()));
    }
    accept::until(&server, listener, shutdown).await;
    Ok(server.desk.drain(config.http.drain.get()).await)
}

/// Looks at the files of certificates until the gate stops.
async fn look(desk: Arc<Desk>, tls: Arc<Tls>) {
    let mut pause = interval(tls.pause());
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = desk.stop.cancelled() => return,
            _ = pause.tick() => {}
        }
        let (tls, clock) = (tls.clone(), desk.clock);
        // A look that panicked is over; the next one comes.
        let _ = tokio::task::spawn_blocking(move || tls.look(clock)).await;
    }
}

#[cfg(test)]
pub(crate) use self::tests::whoami;

#[cfg(test)]
mod tests;
