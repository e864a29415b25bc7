//! From host, place and verb to the one who answers. All places of a gate stand here.

use std::sync::Arc;

use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CONNECTION, TRANSFER_ENCODING},
    request::Parts,
};
use hyper::body::Incoming;

use super::{
    Server, cors, endpoint, health,
    labels::{Labels, REQUEST},
    legacy,
    pulse::Pulse,
    reply,
    reply::Body,
};

impl Server {
    /// Answers one request. The response carries the request's id, whatever became of it.
    pub(super) async fn answer(self: &Arc<Self>, pulse: &Arc<Pulse>, request: Request<Incoming>) -> Response<Body> {
        let ticket = pulse.begin(request.version());
        let (parts, body) = request.into_parts();
        let labels = Labels::of(&parts.headers);
        let mut response = if let Some(response) = self.unfit(pulse, &parts) {
            response
        } else if self.guard.admits(&parts) {
            let mut response = self.route(&parts, &labels, body).await;
            cors::open(&self.guard, &parts.headers, &mut response);
            response
        } else {
            reply::error(StatusCode::FORBIDDEN, "this host or origin is not allowed here (wire.http.hosts, wire.http.origins)")
        };
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

    async fn route(self: &Arc<Self>, parts: &Parts, labels: &Labels, body: Incoming) -> Response<Body> {
        if self.guard.is_preflight(parts) {
            return cors::preflight();
        }
        let is_look = matches!(parts.method, Method::GET | Method::HEAD);
        match parts.uri.path() {
            "/mcp" => match parts.method {
                Method::POST => endpoint::post(self, parts, labels, body).await,
                Method::GET => legacy::get(self, parts),
                Method::DELETE => legacy::delete(self, parts),
                _ => reply::only("POST, GET, DELETE"),
            },
            "/health/live" if is_look => health::live(),
            "/health/ready" if is_look => health::ready(&self.desk).await,
            "/metrics" if is_look => health::metrics(&self.desk),
            "/health/live" | "/health/ready" | "/metrics" => reply::only("GET, HEAD"),
            _ => reply::error(StatusCode::NOT_FOUND, "there is nothing here; MCP is served at /mcp"),
        }
    }
}
