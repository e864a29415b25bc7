//! A request within a session: answered as JSON, or on a stream once something is said before the reply.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use callgate_model::ClientCapabilities;
use callgate_protocol::{Request, Revision, RpcError, ask, encode};
use futures_util::{StreamExt as _, stream};
use http::{Response, StatusCode};

use super::{
    log::Log,
    session::{Hold, Session},
};
use crate::{
    dispatch::{self, Taken},
    exchange::{Answer, Exchange, Leave, Out, Wishes},
    http::{
        Server,
        arrival::Arrival,
        media::Accepts,
        reply,
        reply::Body,
        sse::{self, KeptAlive},
    },
    visit::Visit,
};

/// A request as it was posted.
pub(crate) struct Posted {
    pub(crate) request: Request,
    pub(crate) raw: Bytes,
    pub(crate) accepts: Accepts,
}

/// Answers a request.
pub(super) async fn answer(server: &Arc<Server>, session: &Arc<Session>, arrival: Arrival<'_>, posted: Posted) -> Response<Body> {
    let accepts = posted.accepts;
    let hold = session.hold();
    match take(server, session, arrival, posted) {
        Taken::Now(answer) => whole(answer, accepts),
        Taken::Later(exchange) => call(server, hold, exchange, accepts).await,
        Taken::Listen(visit, _) => {
            let error = RpcError::method_not_found("subscriptions/listen");
            reply::json(Answer::ok(encode::error(Some(&visit.id), &error)))
        }
    }
}

/// Takes a request of `session`. The call goes on if the connection is lost, and ends if the client takes it back.
pub(super) fn take(server: &Server, session: &Session, arrival: Arrival<'_>, posted: Posted) -> Taken {
    let Posted { mut request, raw, accepts } = posted;
    let (desk, peer) = (&server.desk, &session.peer);
    let refuse = |id, error| Taken::Now(Answer::ok(encode::error(Some(id), &error)));
    let seat = match peer.running.enter(&request.id, desk.config.sessions.calls) {
        Ok(seat) => seat,
        Err(error) => return refuse(&request.id, error),
    };
    let progress = request.params.meta.progress.clone();
    let ask = match ask(peer.revision, &mut request) {
        Ok(ask) => ask,
        Err(error) => return refuse(&request.id, error),
    };
    let visit = Visit {
        revision: peer.revision,
        id: request.id,
        request: arrival.labels.request.clone(),
        caller: arrival.caller.clone(),
        origin: arrival.labels.origin(&session.origin, &request.params.meta),
        // Questions go out on a stream; a client that takes none cannot be asked.
        client: if accepts.events { peer.client.clone() } else { ClientCapabilities::default() },
        wishes: Wishes { progress, level: Some(peer.level()) },
        raw,
        peer: Some(peer.clone()),
    };
    let catalog = desk.gateway.catalog(arrival.caller);
    let mut taken = dispatch::take(desk, &catalog, visit, ask);
    if let Taken::Later(exchange) = &mut taken {
        exchange.on_leave = Leave::Finish;
        exchange.seat(seat);
    }
    taken
}

fn whole(answer: Answer, accepts: Accepts) -> Response<Body> {
    if accepts.json || answer.status != 200 {
        return reply::json(answer);
    }
    let event = sse::event(&answer.bytes);
    reply::events(stream::iter([event]))
}

/// Waits for the first thing to send, and answers in the form that fits it.
async fn call(server: &Server, hold: Hold, mut exchange: Exchange, accepts: Accepts) -> Response<Body> {
    loop {
        match exchange.next().await {
            Out::End(answer) => return whole(answer, accepts),
            Out::Say(message) if accepts.events => {
                let log = open(server, &hold.0);
                log.push(&message);
                return follow(server, hold, exchange, &log);
            }
            Out::Pause if accepts.events && pauses(&hold.0) => {
                let log = open(server, &hold.0);
                let response = follow(server, hold, exchange, &log);
                log.pause();
                return response;
            }
            Out::Say(_) | Out::Pause => {}
            // There is no reply to a request that was taken back, but its POST must be answered somehow.
            Out::Withdrawn if accepts.events => return reply::events(stream::empty()),
            Out::Withdrawn => return reply::empty(StatusCode::ACCEPTED),
        }
    }
}

/// Only clients of 2025-11-25 know that they may come back for the rest.
fn pauses(session: &Session) -> bool {
    session.peer.revision >= Revision::V2025_11_25
}

fn open(server: &Server, session: &Session) -> Arc<Log> {
    session.open_log(&server.desk.config.sessions)
}

/// The stream of `log`, which is written by a task of its own, so that it goes on when nobody reads.
fn follow(server: &Server, hold: Hold, exchange: Exchange, log: &Arc<Log>) -> Response<Body> {
    let desk = &server.desk;
    let retry: Duration = desk.config.sessions.retry.get();
    let first = (pauses(&hold.0) && log.is_kept()).then(|| sse::prime(&log.event_id(0), retry));
    let events = stream::iter(first).chain(log.read(0));
    desk.tasks.spawn(write(hold, exchange, log.clone(), desk.kill.clone()));
    reply::events(KeptAlive::new(events, desk.config.listen.keep_alive.get()))
}

/// Writes down what is said, until the reply.
async fn write(hold: Hold, mut exchange: Exchange, log: Arc<Log>, kill: tokio_util::sync::CancellationToken) {
    loop {
        let out = tokio::select! {
            out = exchange.next() => out,
            () = kill.cancelled() => Out::Withdrawn,
        };
        match out {
            Out::Say(message) => {
                log.push(&message);
            }
            Out::Pause if pauses(&hold.0) => log.pause(),
            Out::Pause => {}
            Out::End(answer) => {
                log.push(&answer.bytes);
                break;
            }
            Out::Withdrawn => break,
        }
    }
    log.finish();
}
