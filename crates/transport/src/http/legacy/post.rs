//! A legacy message comes in by POST.

use std::sync::Arc;

use bytes::Bytes;
use callgate_model::Caller;
use callgate_protocol::{Ask, Id, Message, Notification, Refusal, Request, RpcError, ask, encode};
use http::{HeaderValue, Response, StatusCode};

use super::{SESSION, call, find, session::Session};
use crate::{
    exchange::Answer,
    http::{Server, arrival::Arrival, media::Accepts, reply, reply::Body},
    legacy::Peer,
};

/// A message as it was posted.
pub(crate) struct Posted {
    pub(crate) message: Message,
    pub(crate) raw: Bytes,
    pub(crate) accepts: Accepts,
}

/// Answers a message.
pub(in crate::http) async fn post(server: &Arc<Server>, arrival: Arrival<'_>, posted: Posted) -> Response<Body> {
    let Posted { message, raw, accepts } = posted;
    let message = match message {
        Message::Request(request) if request.method == "initialize" => return initialize(server, arrival.caller, request),
        message => message,
    };
    let id = match &message {
        Message::Request(request) => Some(&request.id),
        Message::Notification(_) | Message::Response(_) => None,
    };
    let session = match find(server, arrival, id) {
        Ok(session) => session,
        Err(refused) => return *refused,
    };
    match message {
        Message::Request(request) => call::answer(server, &session, arrival, call::Posted { request, raw, accepts }).await,
        Message::Notification(notification) => {
            note(&session, &notification);
            reply::empty(StatusCode::ACCEPTED)
        }
        Message::Response(response) => {
            session.peer.answered(response);
            reply::empty(StatusCode::ACCEPTED)
        }
    }
}

/// Takes a notification to heart.
pub(super) fn note(session: &Session, notification: &Notification) {
    if notification.method == "notifications/cancelled"
        && let Some(id) = notification.params.get("requestId").cloned().and_then(Id::of)
    {
        session.peer.running.withdraw(&id);
    }
}

/// Opens a session. Nothing is kept for a handshake that cannot be read.
fn initialize(server: &Server, caller: &Arc<Caller>, mut request: Request) -> Response<Body> {
    let desk = &server.desk;
    let hello = match ask(callgate_protocol::Revision::NEWEST_LEGACY, &mut request) {
        Ok(Ask::Initialize(hello)) => hello,
        Ok(_) => return reply::refusal(&Refusal::bad_request(Some(request.id), RpcError::invalid_request("this is no `initialize`"))),
        Err(error) => return reply::refusal(&Refusal::bad_request(Some(request.id), error)),
    };
    let peer = Peer::new(*hello);
    let Some(session) = server.sessions.open(desk.gateway.as_ref(), caller, peer) else {
        let error = RpcError::new(RpcError::INTERNAL, "there is no room for another session; end one, or try again later");
        return reply::later(error, Some(request.id), "30");
    };
    let catalog = desk.gateway.catalog(caller);
    let identity = desk.gateway.identity();
    let frame = encode::Frame { revision: session.peer.revision, id: &request.id, identity: &identity };
    let mut response = reply::json(Answer::ok(encode::initialize(&frame, desk.capabilities(&catalog))));
    let id = HeaderValue::from_str(&session.id).expect("a session id is base64url");
    response.headers_mut().insert(SESSION, id);
    response
}
