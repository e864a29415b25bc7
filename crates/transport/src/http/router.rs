//! From host, place and verb to the one who answers. All places of a gate stand here.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;

use super::{Server, cors, endpoint, health, labels::Labels, legacy, pulse::Pulse, reply, reply::Body};

impl Server {
    /// Answers one request. The response carries the request's id, whatever became of it.
    pub(super) async fn answer(self: &Arc<Self>, pulse: &Arc<Pulse>, request: Request<Incoming>) -> Response<Body> {
        let ticket = pulse.begin(request.version());
        let (parts, body) = request.into_parts();
        let labels = Labels::of(&parts.headers);
        let mut response = if self.guard.admits(&parts) {
            let mut response = self.route(&parts, &labels, body).await;
            cors::open(&self.guard, &parts.headers, &mut response);
            response
        } else {
            reply::error(StatusCode::FORBIDDEN, "this host or origin is not allowed here (wire.http.hosts, wire.http.origins)")
        };
        response.headers_mut().insert("x-request-id", labels.header());
        response.body_mut().held_by(ticket);
        response
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
