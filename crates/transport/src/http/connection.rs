//! One connection, from its first byte to its last, HTTP/1.1 or HTTP/2.
//!
//! How long a peer may take to say goodbye is no configuration: by then nothing of it is at work, so nobody loses by it, and what
//! an operator wants to bound is `drain`, which ends it as well.

use std::{convert::Infallible, future::poll_fn, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use http::uri::Scheme;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Server,
    accept::Room,
    connected::Connected,
    pulse::{Pulse, Verdict, Watched},
    socket::Socket,
};
use crate::config::Http;

/// How long a peer may take to say goodbye. hyper waits for some of them without end.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long a head that has begun may still take to arrive when the gate stops. hyper waits for it as long as it takes.
const LAST_WORD: Duration = Duration::from_millis(500);
/// hyper's smallest buffer for headers.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// How many headers hyper takes without being told. Being told costs it a list that is cleared for each request.
const USUAL_HEADERS: usize = 100;

/// How connections are served within these limits.
pub(super) fn builder(limits: &Http) -> Builder<TokioExecutor> {
    let headers = limits.headers.bytes().max(SMALLEST_BUFFER);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The pulse looks after this.
        .header_read_timeout(None)
        .max_buf_size(headers);
    if limits.header_count != USUAL_HEADERS {
        builder.http1().max_headers(limits.header_count.max(1));
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_pending_accept_reset_streams(limits.resets)
        .max_local_error_reset_streams(limits.resets)
        .max_header_list_size(u32::try_from(headers).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle.get() / 2)
        .keep_alive_timeout(limits.header_time.get());
    builder
}

/// Serves one connection until it ends.
pub(super) async fn serve(server: Arc<Server>, builder: Arc<Builder<TokioExecutor>>, stream: TcpStream, address: IpAddr, _room: Room) {
    // Answers are written in one piece; nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let Some(socket) = agree(&server, stream).await else { return };
    let limits = &server.desk.config.http;
    let scheme = if server.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
    let connected = Arc::new(Connected { address, certificate: socket.certificate(), scheme });
    let pulse = Pulse::new(server.backlogs.open());
    let socket = TokioIo::new(Watched::new(socket, pulse.clone(), limits));
    let service = service_fn(|request| {
        let (server, pulse, connected) = (server.clone(), pulse.clone(), connected.clone());
        async move { Ok::<_, Infallible>(server.answer(&pulse, &connected, request).await) }
    });
    let mut connection = pin!(builder.serve_connection(socket, service));
    let (stop, kill) = (&server.desk.stop, &server.desk.kill);
    let mut is_leaving = false;
    let mut look = Instant::now() + limits.header_time.get();
    loop {
        tokio::select! {
            // How a connection broke is the client's business; calls that were cut off are in the audit.
            _ = &mut connection => return,
            () = kill.cancelled() => return,
            () = poll_fn(|cx| pulse.poll_cut(cx)) => {
                tracing::debug!(%address, "a connection that reads too little of its answers is hung up (wire.http.replies)");
                return;
            }
            () = stop.cancelled(), if !is_leaving => {
                is_leaving = true;
                connection.as_mut().graceful_shutdown();
                look = look.min(Instant::now() + LAST_WORD);
            }
            () = sleep_until(look) => match pulse.verdict(limits) {
                // A request that has not arrived has not begun: its client can send it elsewhere.
                _ if is_leaving && pulse.awaits_head() => return,
                Verdict::Wait(until) => look = until,
                Verdict::Close if !is_leaving => {
                    is_leaving = true;
                    connection.as_mut().graceful_shutdown();
                    look = Instant::now() + GOODBYE;
                }
                Verdict::Close | Verdict::Cut => return,
            },
        }
    }
}

/// Agrees with the client on keys, where the listener wants that. A client that cannot, or does not in time, is none: what is wrong is
/// said in an alert of TLS at most.
async fn agree(server: &Server, stream: TcpStream) -> Option<Socket> {
    let Some(tls) = &server.tls else { return Some(Socket::Plain(stream)) };
    tokio::select! {
        agreed = timeout(tls.handshake(), tls.acceptor().accept(stream)) => match agreed {
            Ok(Ok(stream)) => Some(Socket::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client did not agree on keys");
                None
            }
            Err(_) => None,
        },
        () = server.desk.stop.cancelled() => None,
    }
}
