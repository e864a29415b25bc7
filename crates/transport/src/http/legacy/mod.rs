//! 2025-03-26 to 2025-11-25 over HTTP: sessions, streams that can be resumed, questions of the server.
//!
//! A client that loses the connection has not taken its request back: the call goes on, and its stream can be fetched again by the
//! name of its last event. Only `notifications/cancelled` takes a request back.

mod batch;
mod call;
mod log;
mod post;
mod session;
mod standing;

use http::{HeaderName, Response, StatusCode};

pub(super) use self::{
    batch::batch,
    post::{Posted, post},
    session::Sessions,
    standing::get,
};
use super::{Server, arrival::Arrival, labels::VERSION, media::one, reply, reply::Body};
use callgate_protocol::{Id, Refusal, Revision, RpcError};
use session::Session;
use std::sync::Arc;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Ends a session.
pub(super) fn delete(server: &Server, arrival: Arrival<'_>) -> Response<Body> {
    match find(server, arrival, None) {
        Ok(session) => {
            server.sessions.end(&session);
            reply::empty(StatusCode::NO_CONTENT)
        }
        Err(response) => *response,
    }
}

/// The session that a request names, refused under its `id`. Whose it is and whether it ever was makes no difference to the answer.
fn find(server: &Server, arrival: Arrival<'_>, id: Option<&Id>) -> Result<Arc<Session>, Box<Response<Body>>> {
    let parts = arrival.parts;
    let refuse = |status: StatusCode, why| {
        let refusal = Refusal { id: id.cloned(), error: RpcError::invalid_request(why), status: status.as_u16() };
        Err(Box::new(reply::refusal(&refusal)))
    };
    if parts.headers.contains_key(VERSION) {
        let version = one(&parts.headers, &VERSION).and_then(Revision::named);
        if version.is_none_or(Revision::is_modern) {
            return refuse(
                StatusCode::BAD_REQUEST,
                "this MCP-Protocol-Version is not served with sessions; use 2025-03-26, 2025-06-18 or 2025-11-25",
            );
        }
    }
    if !parts.headers.contains_key(SESSION) {
        return refuse(StatusCode::BAD_REQUEST, "send `initialize` first, then its Mcp-Session-Id with every request");
    }
    let session = one(&parts.headers, &SESSION).and_then(|id| server.sessions.find(id, arrival.caller));
    session.map_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such session; send `initialize` again"), Ok)
}
