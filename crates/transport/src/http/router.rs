//! From host, place, caller and verb to the one who answers.

use std::sync::Arc;

use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CONNECTION, TRANSFER_ENCODING},
    request::Parts,
};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{
    Server,
    arrival::Arrival,
    challenge,
    connected::Connected,
    cors, endpoint, health,
    labels::{Labels, REQUEST},
    legacy,
    places::{Door, Page, Place},
    pulse::Pulse,
    reply,
    reply::Body,
    vigil,
};

impl Server {
    /// Answers one request. The response carries the request's id, whatever became of it.
    pub(super) async fn answer(
        self: &Arc<Self>,
        pulse: &Arc<Pulse>,
        connected: &Arc<Connected>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (ticket, begun) = (pulse.begin(request.version()), Instant::now());
        let (parts, body) = request.into_parts();
        let labels = Labels::of(&parts.headers);
        let mut response = if let Some(response) = self.unfit(pulse, &parts) {
            response
        } else if self.guard.admits(&parts) {
            let mut response = self.route(connected, &parts, &labels, body).await;
            cors::open(&self.guard, &parts.headers, &mut response);
            response
        } else {
            reply::error(StatusCode::FORBIDDEN, "this host or origin is not allowed here (wire.http.hosts, wire.http.origins)")
        };
        self.meter.count(&parts.method, parts.uri.path(), response.status(), begun.elapsed());
        response.headers_mut().insert(REQUEST, labels.header());
        response.body_mut().held_by(ticket);
        response
    }

    /// The answer to a request that is not fit to be looked at.
    fn unfit(&self, pulse: &Pulse, parts: &Parts) -> Option<Response<Body>> {
        // hyper counts them on HTTP/1 only.
        if parts.headers.len() > self.desk.config.http.header_count.max(1) {
            return Some(reply::error(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "there are too many headers (wire.http.header_count)"));
        }
        let mut encodings = parts.headers.get_all(TRANSFER_ENCODING).iter();
        let is_chunked = encodings.next().is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if pulse.is_ambiguous() || !is_chunked || encodings.next().is_some() {
            let mut response = reply::error(StatusCode::BAD_REQUEST, "it is not clear where this request ends; say its length once");
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return Some(response);
        }
        None
    }

    async fn route(self: &Arc<Self>, connected: &Arc<Connected>, parts: &Parts, labels: &Labels, body: Incoming) -> Response<Body> {
        if self.guard.is_preflight(parts) {
            return cors::preflight();
        }
        let Some(place) = Place::at(parts.uri.path()) else {
            return reply::error(StatusCode::NOT_FOUND, "there is nothing here; MCP is served at /mcp");
        };
        match place.door {
            Door::Endpoint => match self.identify(connected, parts, labels).await {
                Ok(caller) => self.serve(connected, Arrival { parts, labels, caller: &caller }, body).await,
                Err(refused) => *refused,
            },
            Door::Operators(page) => match self.operates(connected, parts, labels).await {
                Ok(()) => self.page(page, connected, parts, labels).await,
                Err(refused) => *refused,
            },
            Door::Anyone(page) => self.page(page, connected, parts, labels).await,
        }
    }

    /// The endpoint, for a caller who is recognised.
    async fn serve(self: &Arc<Self>, connected: &Arc<Connected>, arrival: Arrival<'_>, body: Incoming) -> Response<Body> {
        let mut response = match arrival.parts.method {
            Method::POST => endpoint::post(self, arrival, body).await,
            Method::GET => legacy::get(self, arrival),
            Method::DELETE => legacy::delete(self, arrival),
            _ => return reply::only("POST, GET, DELETE"),
        };
        if let Some(authentication) = self.desk.gateway.authentication() {
            response.body_mut().until(|| vigil::over(&self.desk, connected, arrival));
            challenge::complete(&authentication, arrival.parts, &connected.scheme, &mut response);
        }
        response
    }

    /// One of the gate's own pages.
    async fn page(&self, page: Page, connected: &Connected, parts: &Parts, labels: &Labels) -> Response<Body> {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return reply::only("GET, HEAD");
        }
        match page {
            Page::Live => health::live(),
            Page::Ready => health::ready(&self.desk, self.sight(connected, parts, labels).await).await,
            Page::Metrics => health::metrics(self),
            Page::Metadata => match self.desk.gateway.authentication() {
                Some(authentication) => challenge::metadata(&authentication, parts, &connected.scheme),
                None => reply::error(StatusCode::NOT_FOUND, "there is nothing here: this gate asks nobody who they are"),
            },
        }
    }
}
