//! A message comes in by POST: read strictly, then served by its era.

use std::sync::Arc;

use callgate_protocol::{Body as Messages, Era, Message, RpcError, era, read};
use http::{Response, StatusCode};
use hyper::body::Incoming;

use super::{
    Server,
    arrival::Arrival,
    body,
    labels::{METHOD, VERSION},
    legacy,
    media::{self, Accepts, one},
    modern, reply,
    reply::Body,
};

/// Answers a POST.
pub(super) async fn post(server: &Arc<Server>, arrival: Arrival<'_>, incoming: Incoming) -> Response<Body> {
    let parts = arrival.parts;
    let accepts = Accepts::of(&parts.headers);
    if !accepts.anything() {
        return reply::error(StatusCode::NOT_ACCEPTABLE, "answers are application/json or text/event-stream");
    }
    if let Some((status, why)) = media::refuse(&parts.headers) {
        return reply::error(status, why);
    }
    let body::Read { raw, room: _room } = match body::read(incoming, &server.desk.config.http, &server.bodies).await {
        Ok(read) => read,
        Err((StatusCode::SERVICE_UNAVAILABLE, why)) => return reply::later(RpcError::invalid_request(why), None, "1"),
        Err((status, why)) => return reply::error(status, why),
    };
    let message = match read(&raw, server.desk.config.limits()) {
        Ok(Messages::One(message)) => message,
        Ok(Messages::Batch(messages)) => return Box::pin(legacy::batch(server, arrival, messages)).await,
        Err(refused) => return reply::refusal(&refused),
    };
    match era(&message, one(&parts.headers, &VERSION), one(&parts.headers, &METHOD)) {
        // Apart from the others: these futures are large, and those of the new era need not be.
        Era::Legacy => Box::pin(legacy::post(server, arrival, legacy::Posted { message, raw, accepts })).await,
        Era::Modern => match message {
            Message::Request(request) => modern::answer(server, arrival, modern::Posted { request, raw, accepts }).await,
            // There is none that would change anything: over HTTP a client takes a request back by leaving.
            Message::Notification(_) => reply::empty(StatusCode::ACCEPTED),
            Message::Response(response) => {
                let error = RpcError::invalid_request("nothing was asked; send a request");
                reply::refusal(&callgate_protocol::Refusal::bad_request(Some(response.id), error))
            }
        },
    }
}
