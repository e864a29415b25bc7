//! Several messages in one array, which only clients of 2025-03-26 may send.

use std::sync::Arc;

use bytes::Bytes;
use callgate_protocol::{Message, Refusal, RpcError, encode};
use futures_util::future::join_all;
use http::{Response, StatusCode};

use super::{
    call::{self, take},
    find,
    post::note,
    session::Session,
};
use crate::{
    dispatch::Taken,
    exchange::{Answer, Out},
    http::{Server, arrival::Arrival, media::Accepts, reply, reply::Body},
};

/// Answers an array of messages: one array with a reply for each request, in their order.
pub(in crate::http) async fn batch(server: &Arc<Server>, arrival: Arrival<'_>, messages: Vec<Result<Message, Refusal>>) -> Response<Body> {
    let refuse = |why: String| reply::refusal(&Refusal::bad_request(None, RpcError::invalid_request(why)));
    let session = match find(server, arrival, None) {
        Ok(session) if session.peer.revision.has_batches() => session,
        // Without a session of that revision an array is no message at all.
        _ => return refuse("a message is one JSON object, not an array".into()),
    };
    let most = server.desk.config.sessions.batch;
    if messages.len() > most {
        return refuse(format!("one array holds at most {most} messages"));
    }
    let _hold = session.hold();
    let replies = join_all(messages.into_iter().map(|message| one(server, &session, arrival, message))).await;
    let replies: Vec<Bytes> = replies.into_iter().flatten().collect();
    if replies.is_empty() {
        return reply::empty(StatusCode::ACCEPTED);
    }
    let mut array = vec![b'['];
    array.extend(replies.join(&b','));
    array.push(b']');
    reply::json(Answer::ok(array))
}

/// The reply to one of them, if it gets one.
async fn one(server: &Server, session: &Session, arrival: Arrival<'_>, message: Result<Message, Refusal>) -> Option<Bytes> {
    let request = match message {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification(notification)) => {
            note(session, &notification);
            return None;
        }
        Ok(Message::Response(response)) => {
            session.peer.answered(response);
            return None;
        }
        Err(refused) => return Some(encode::error(refused.id.as_ref(), &refused.error).into()),
    };
    // There is one body for all replies, and so no stream on which a call could say or ask anything.
    let accepts = Accepts { json: true, events: false };
    let id = request.id.clone();
    match take(server, session, arrival, call::Posted { request, raw: Bytes::new(), accepts }) {
        Taken::Now(answer) => Some(answer.bytes),
        Taken::Listen(..) => Some(encode::error(Some(&id), &RpcError::method_not_found("subscriptions/listen")).into()),
        Taken::Later(mut exchange) => loop {
            match exchange.next().await {
                Out::End(answer) => break Some(answer.bytes),
                Out::Withdrawn => break None,
                Out::Say(_) | Out::Pause => {}
            }
        },
    }
}
