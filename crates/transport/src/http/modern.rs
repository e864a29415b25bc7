//! 2026-07-28 over HTTP: each request says everything about itself, and its answer is JSON or a stream that is only about it.
//!
//! The answer is JSON unless something is said before it; until then a fault can still have the status it owes. When the client
//! drops the connection, hyper drops the future here or the stream, and with it the call.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use callgate_model::{Call, Catalog, Fault};
use callgate_protocol::{
    Ask, Refusal, Request, ask,
    modern::{Meta, REVISION, admit, parameters},
};
use futures_util::stream;
use http::{Response, StatusCode};

use super::{
    Server,
    arrival::Arrival,
    labels::Headers,
    media::Accepts,
    reply,
    reply::Body,
    sse::{self, KeptAlive},
};
use crate::{
    desk::Desk,
    dispatch::{self, Taken},
    exchange::{Answer, Exchange, Out, Wishes},
    listen::Stream,
    questions::again,
    visit::Visit,
};

/// A request as it was posted.
pub(super) struct Posted {
    pub(super) request: Request,
    pub(super) raw: Bytes,
    pub(super) accepts: Accepts,
}

/// What a request has come to without waiting for anything.
enum Begun {
    /// It is answered.
    Answered(Response<Body>),
    /// A call gives the answer.
    Called(Exchange, Accepts),
    /// It would have been a call, which is put on record before the refusal is told.
    Refused(Box<(Call, Refusal)>),
}

/// Answers a modern request. What can be done at once is done before there is a future, which stays small in this way.
pub(super) fn answer(server: &Arc<Server>, arrival: Arrival<'_>, posted: Posted) -> impl Future<Output = Response<Body>> + Send + use<> {
    let begun = begin(server, arrival, posted);
    let server = server.clone();
    async move {
        match begun {
            Begun::Answered(response) => response,
            Begun::Called(exchange, accepts) => call(&server, exchange, accepts).await,
            Begun::Refused(refused) => Box::pin(refuse(&server, *refused)).await,
        }
    }
}

fn begin(server: &Arc<Server>, arrival: Arrival<'_>, posted: Posted) -> Begun {
    let Posted { mut request, raw, accepts } = posted;
    let desk = &server.desk;
    let catalog = desk.gateway.catalog(arrival.caller);
    let (meta, ask) = match read(desk, &catalog, &arrival, &mut request) {
        Ok(read) => read,
        Err(refused) => return refused_at(desk, &visit(server, arrival, request, Meta::default(), raw), refused),
    };
    match dispatch::take(desk, &catalog, visit(server, arrival, request, meta, raw), ask) {
        Taken::Now(answer) => Begun::Answered(whole(answer, accepts)),
        Taken::Later(exchange) => Begun::Called(exchange, accepts),
        Taken::Listen(visit, _) if !accepts.events => {
            let error = callgate_protocol::RpcError::invalid_request("notices come as text/event-stream; accept it");
            let bytes = callgate_protocol::encode::error(Some(&visit.id), &error);
            Begun::Answered(reply::json(Answer::with_status(bytes, StatusCode::NOT_ACCEPTABLE.as_u16())))
        }
        Taken::Listen(visit, filter) => Begun::Answered(match Stream::open(desk, visit, filter) {
            Ok(stream) => listen(server, stream),
            Err(answer) => reply::json(answer),
        }),
    }
}

/// What a request says about itself and what it asks, if its headers say the same.
fn read(desk: &Desk, catalog: &Arc<Catalog>, arrival: &Arrival<'_>, request: &mut Request) -> Result<(Meta, Ask), Refusal> {
    let headers = Headers(&arrival.parts.headers);
    let meta = admit(request, Some(&headers))?;
    let asked = ask(REVISION, request).and_then(|ask| {
        if let Ask::CallTool { name, arguments, .. } = &ask
            && let Some(marked) = desk.marks.of(catalog).get(name.as_str())
        {
            parameters(marked, arguments, &headers)?;
        }
        Ok(ask)
    });
    asked.map(|ask| (meta, ask)).map_err(|error| Refusal::modern(request.id.clone(), error))
}

/// What becomes of a request that is refused: if it would have been a call, that is put on record.
fn refused_at(desk: &Desk, visit: &Visit, refused: Refusal) -> Begun {
    match again(desk, visit) {
        Ok(call) => Begun::Refused(Box::new((call, refused))),
        Err(_) => Begun::Answered(reply::refusal(&refused)),
    }
}

/// Refuses what did not become a call, with the reason on record.
async fn refuse(server: &Server, (call, refused): (Call, Refusal)) -> Response<Body> {
    let why = refused.error.message.clone();
    server.desk.gateway.refuse(call, Fault::request(why.clone()).because(why)).await;
    reply::refusal(&refused)
}

fn visit(server: &Server, arrival: Arrival<'_>, request: Request, meta: Meta, raw: Bytes) -> Visit {
    let desk = &server.desk;
    Visit {
        revision: REVISION,
        id: request.id,
        request: arrival.labels.request.clone(),
        caller: arrival.caller.clone(),
        origin: arrival.labels.origin(&desk.plain, &request.params.meta),
        client: meta.client,
        wishes: Wishes { progress: meta.progress, level: meta.level },
        raw,
        peer: None,
    }
}

/// An answer before which nothing was said.
fn whole(answer: Answer, accepts: Accepts) -> Response<Body> {
    if accepts.json || answer.status != 200 {
        return reply::json(answer);
    }
    reply::event(sse::event(&answer.bytes))
}

/// Waits for the first thing to send, and answers in the form that fits it.
async fn call(server: &Server, mut exchange: Exchange, accepts: Accepts) -> Response<Body> {
    loop {
        match exchange.next().await {
            Out::End(answer) => return whole(answer, accepts),
            Out::Say(message) if accepts.events => return stream(server, &message, exchange),
            // A client that takes no stream hears nothing but the reply.
            Out::Say(_) | Out::Pause => {}
            Out::Withdrawn => return reply::empty(StatusCode::OK),
        }
    }
}

/// `first`, everything that is said after it, and the reply.
fn stream(server: &Server, first: &Bytes, exchange: Exchange) -> Response<Body> {
    let mut first = Some(sse::event(first));
    let mut exchange = Some(exchange);
    let events = stream::poll_fn(move |cx| match first.take() {
        Some(event) => Poll::Ready(Some(event)),
        None => poll_event(&mut exchange, cx),
    });
    reply::events(KeptAlive::new(events, server.desk.config.listen.keep_alive.get()))
}

fn poll_event(exchange: &mut Option<Exchange>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
    while let Some(running) = exchange {
        match std::task::ready!(running.poll_next(cx)) {
            Out::Say(message) => return Poll::Ready(Some(sse::event(&message))),
            Out::Pause => {}
            Out::End(answer) => {
                *exchange = None;
                return Poll::Ready(Some(sse::event(&answer.bytes)));
            }
            Out::Withdrawn => *exchange = None,
        }
    }
    Poll::Ready(None)
}

/// A stream of notices, until the client leaves or the gate stops.
fn listen(server: &Server, stream: Stream) -> Response<Body> {
    let events = stream::unfold(stream, |mut stream| async move {
        let message = stream.next().await?;
        Some((sse::event(&message), stream))
    });
    reply::events(KeptAlive::new(events, server.desk.config.listen.keep_alive.get()))
}
