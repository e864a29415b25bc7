//! The GET stream of a session: changes that belong to no request, and the rest of streams that were lost.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use callgate_model::{Caller, Change};
use futures_util::stream;
use http::{HeaderName, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::{
    OwnedMutexGuard,
    broadcast::{Receiver, error::RecvError},
};
use tokio_util::sync::CancellationToken;

use super::{
    find,
    session::{Hold, Session},
};
use crate::{
    desk::Desk,
    http::{
        Server,
        arrival::Arrival,
        media::{Accepts, one},
        reply,
        reply::Body,
        sse::{self, KeptAlive},
    },
};

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// Answers a GET.
pub(in crate::http) fn get(server: &Arc<Server>, arrival: Arrival<'_>) -> Response<Body> {
    let parts = arrival.parts;
    if !Accepts::of(&parts.headers).events {
        return reply::error(StatusCode::NOT_ACCEPTABLE, "this is a stream of events; accept text/event-stream");
    }
    let caller = arrival.caller;
    let session = match find(server, arrival, None) {
        Ok(session) => session,
        Err(refused) => return *refused,
    };
    let pause = server.desk.config.listen.keep_alive.get();
    if !parts.headers.contains_key(LAST_EVENT) {
        return reply::events(KeptAlive::new(stand(server, &session, caller, VecDeque::new()), pause));
    }
    match one(&parts.headers, &LAST_EVENT).and_then(position) {
        Some((0, after)) => {
            let missed = session.told.kept_after(after).into_iter().filter(|event| is_still_news(&server.desk, caller, event)).collect();
            reply::events(KeptAlive::new(stand(server, &session, caller, missed), pause))
        }
        Some((number, after)) if let Some(log) = session.log(number) => reply::events(KeptAlive::new(log.read(after), pause)),
        _ => reply::error(StatusCode::BAD_REQUEST, "what follows this Last-Event-ID is not kept any more"),
    }
}

/// Stream and event of an id that we gave.
fn position(id: &str) -> Option<(u64, u64)> {
    let (stream, event) = id.split_once('-')?;
    Some((stream.parse().ok()?, event.parse().ok()?))
}

/// Whether what another stream was told may be told again to `caller`, who may have had more rights there.
fn is_still_news(desk: &Desk, caller: &Arc<Caller>, event: &[u8]) -> bool {
    match resource(event) {
        Some(uri) => desk.may_hear(caller, caller.tenant(), &uri),
        None => true,
    }
}

/// The resource that an event of ours is about, if it is about one.
fn resource(event: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Notice {
        params: Option<About>,
    }
    #[derive(Deserialize)]
    struct About {
        uri: Option<String>,
    }
    let notice: Notice = serde_json::from_slice(sse::message(event)?).ok()?;
    notice.params?.uri
}

/// One connection that stands for unrelated notices. The newest one takes over from the one before, so that each message is on
/// exactly one stream.
struct Standing {
    hold: Hold,
    desk: Arc<Desk>,
    /// Who reads this stream. It is the caller of the session, with what it may now and here: one token may reach less far than another.
    caller: Arc<Caller>,
    waiting: VecDeque<Bytes>,
    board: Option<OwnedMutexGuard<Receiver<Change>>>,
    replaced: CancellationToken,
}

fn stand(
    server: &Server,
    session: &Arc<Session>,
    caller: &Arc<Caller>,
    waiting: VecDeque<Bytes>,
) -> impl futures_util::Stream<Item = Bytes> + Send + use<> {
    let replaced = CancellationToken::new();
    let before = std::mem::replace(&mut *session.standing.lock().unwrap_or_else(std::sync::PoisonError::into_inner), replaced.clone());
    before.cancel();
    let (desk, caller) = (server.desk.clone(), caller.clone());
    let standing = Standing { hold: session.hold(), desk, caller, waiting, board: None, replaced };
    stream::unfold(standing, |mut standing| async move {
        let event = standing.next().await?;
        Some((event, standing))
    })
}

impl Standing {
    async fn next(&mut self) -> Option<Bytes> {
        let session = self.hold.0.clone();
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let change = tokio::select! {
                biased;
                () = self.replaced.cancelled() => return None,
                () = session.ended.cancelled() => return None,
                () = self.desk.stop.cancelled() => return None,
                change = heard(&session, &mut self.board) => change,
            };
            let messages = match change {
                Ok(change) => session.peer.notice(&self.desk, &self.caller, &change).into_iter().collect(),
                Err(RecvError::Lagged(_)) => session.peer.missed(&self.desk, &self.caller),
                Err(RecvError::Closed) => return None,
            };
            self.waiting.extend(messages.iter().map(|message| session.told.push(message)));
        }
    }
}

/// The next change; waits first until the stream before has let go of the board.
async fn heard(session: &Session, board: &mut Option<OwnedMutexGuard<Receiver<Change>>>) -> Result<Change, RecvError> {
    if board.is_none() {
        *board = Some(session.board.clone().lock_owned().await);
    }
    match board {
        Some(board) => board.recv().await,
        None => Err(RecvError::Closed),
    }
}
