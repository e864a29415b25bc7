//! What goes out: bodies and responses.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use callgate_protocol::{Id, Refusal, RpcError, encode};
use futures_util::{Stream, StreamExt as _};
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::{challenge::Needed, pulse::Ticket};
use crate::exchange::{Answer, Hint, seconds};

/// As much as one frame of HTTP/2 holds, unless its client asks for longer ones.
const PIECE: usize = 16 * 1024;

/// The body of a response.
pub(crate) struct Body {
    content: Content,
    /// While the body lives, its connection is at work.
    ticket: Option<Ticket>,
}

enum Content {
    Whole(Bytes),
    Events(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl Body {
    /// Ties the body to the connection's pulse.
    pub(super) fn held_by(&mut self, mut ticket: Ticket) {
        ticket.gave(0, self.length());
        self.ticket = Some(ticket);
    }

    fn length(&self) -> usize {
        match &self.content {
            Content::Whole(bytes) => bytes.len(),
            Content::Events(_) => 0,
        }
    }

    /// Ends a stream of events when the future of `over` is done; leaves any other body alone.
    pub(super) fn until<F: Future<Output = ()> + Send + 'static>(&mut self, over: impl FnOnce() -> F) {
        if let Content::Events(events) = &mut self.content {
            let watched = std::mem::replace(events, Box::pin(futures_util::stream::empty()));
            *events = Box::pin(watched.take_until(Box::pin(over())));
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Whole(bytes), ticket: None }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { content, ticket } = &mut *self;
        ticket.iter().for_each(Ticket::is_asked);
        let piece = match content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            // HTTP/2 takes a piece when there is room for its first byte, and keeps the rest until there is more.
            Content::Whole(bytes) if ticket.as_ref().is_some_and(Ticket::is_http2) => {
                Poll::Ready(Some(bytes.split_to(bytes.len().min(PIECE))))
            }
            Content::Whole(bytes) => Poll::Ready(Some(std::mem::take(bytes))),
            Content::Events(events) => events.as_mut().poll_next(cx),
        };
        if let (Poll::Ready(Some(piece)), Some(ticket)) = (&piece, ticket) {
            let rest = if let Content::Whole(bytes) = content { bytes.len() } else { 0 };
            ticket.gave(piece.len(), rest);
        }
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Events(_) => SizeHint::default(),
        }
    }
}

/// A JSON-RPC message, or several, as JSON.
pub(super) fn json(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.bytes));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match answer.hint {
        None => {}
        Some(Hint::After(span)) => {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(span)));
        }
        // The header also needs to know where the request was sent to.
        Some(Hint::Scopes(scopes)) => {
            response.extensions_mut().insert(Needed(scopes));
        }
    }
    response
}

/// What was refused before anything ran.
pub(super) fn refusal(refusal: &Refusal) -> Response<Body> {
    json(Answer::with_status(encode::error(refusal.id.as_ref(), &refusal.error), refusal.status))
}

/// An error that concerns the HTTP request rather than a message in it.
pub(super) fn error(status: StatusCode, message: &str) -> Response<Body> {
    let error = RpcError::invalid_request(message);
    json(Answer::with_status(encode::error(None, &error), status.as_u16()))
}

/// There is no room; there may be some after so many seconds.
pub(super) fn later(error: RpcError, id: Option<Id>, seconds: &'static str) -> Response<Body> {
    let mut response = refusal(&Refusal { id, error, status: StatusCode::SERVICE_UNAVAILABLE.as_u16() });
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    response
}

/// A status and nothing else.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// This place knows other verbs.
pub(super) fn only(verbs: &'static str) -> Response<Body> {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, &format!("use {verbs}"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(verbs));
    response
}

/// Plain text of a media type.
pub(super) fn text(status: StatusCode, media: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// A stream of events.
pub(super) fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    as_events(Body { content: Content::Events(Box::pin(events)), ticket: None })
}

/// A stream of one event, which is there.
pub(super) fn event(event: Bytes) -> Response<Body> {
    as_events(Body::from(event))
}

fn as_events(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
