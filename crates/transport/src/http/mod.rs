//! MCP over HTTP, both eras on `/mcp`, and the gate's own pages for operators.
//!
//! The way of a request: a connection within its limits (`accept`, `connection`), an allowed host and origin (`guard`), a place and a
//! verb (`router`), a body within its limits (`media`, `body`), a message, an era (`endpoint`); then `modern` or `legacy`.

mod accept;
mod body;
mod connection;
mod cors;
mod endpoint;
mod guard;
mod head;
mod health;
mod labels;
mod legacy;
mod media;
mod modern;
mod pulse;
mod reply;
mod router;
mod sse;

pub(crate) use self::labels::is_traceparent;

use std::sync::Arc;

use callgate_model::Gateway;
use tokio::{net::TcpListener, sync::Semaphore};

use self::{guard::Guard, legacy::Sessions};
use crate::{
    config::Config,
    desk::{Desk, Drained},
};

/// One listener and everything that answers on it.
pub(crate) struct Server {
    desk: Arc<Desk>,
    guard: Guard,
    sessions: Sessions,
    bodies: Semaphore,
}

/// Serves `gateway` on `listener` until `shutdown` is done. Then nothing more is accepted, streams end, running requests may
/// finish for `config.http.drain`, and what is left is cut off.
pub async fn serve(
    listener: TcpListener,
    gateway: Arc<dyn Gateway>,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<Drained> {
    let desk = Desk::new(gateway, config, "http");
    let guard = Guard::new(listener.local_addr()?, &config.http);
    let server = Arc::new(Server { sessions: Sessions::new(&config.sessions), bodies: body::room(&config.http), desk, guard });
    accept::until(&server, listener, shutdown).await;
    Ok(server.desk.drain(config.http.drain.get()).await)
}

#[cfg(test)]
mod tests;
