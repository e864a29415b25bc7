//! Requests that came by line, each answered by a task of its own unless the answer is known at once.

use std::sync::Arc;

use bytes::Bytes;
use callgate_model::{ClientCapabilities, Origin};
use callgate_protocol::{
    Ask, Filter, Message, Refusal, Request, Revision, RpcError, ask,
    encode::{self, Notice},
    modern::{REVISION, admit},
};
use futures_util::future::join_all;
use tokio::sync::mpsc;

use super::process::{Legacy, Process};
use crate::{
    context::Context,
    desk::Desk,
    dispatch::{self, Taken},
    exchange::{Exchange, Out, Wishes},
    listen::Stream,
    running::Seat,
    visit::Visit,
};

impl Process {
    /// A request that says everything about itself.
    pub(super) async fn modern(&self, mut request: Request, raw: Bytes) {
        let meta = match admit(&request, None) {
            Ok(meta) => meta,
            Err(refused) => return self.refuse(&refused).await,
        };
        let usual = &self.desk.plain;
        let origin = origin(usual, &request);
        let ask = match ask(REVISION, &mut request) {
            Ok(ask) => ask,
            Err(error) => return self.refuse(&Refusal::modern(request.id, error)).await,
        };
        let visit = Visit {
            revision: REVISION,
            id: request.id,
            request: Self::request_id(),
            caller: self.caller.clone(),
            origin,
            client: meta.client,
            wishes: Wishes { progress: meta.progress, level: meta.level },
            raw,
            peer: None,
        };
        self.take(visit, ask).await;
    }

    /// A request that relies on a handshake.
    pub(super) async fn of_session(&self, mut request: Request, raw: Bytes) {
        match self.session_visit(&mut request, raw) {
            Ok((visit, ask)) => self.take(visit, ask).await,
            Err(error) => self.refuse(&Refusal::bad_request(Some(request.id), error)).await,
        }
    }

    fn session_visit(&self, request: &mut Request, raw: Bytes) -> Result<(Visit, Ask), RpcError> {
        let Some(Legacy { peer, origin, .. }) = self.legacy() else {
            return Err(RpcError::invalid_params("send `initialize` first, or name the protocol version in `_meta`"));
        };
        let progress = request.params.meta.progress.clone();
        let ask = ask(peer.revision, request)?;
        let visit = Visit {
            revision: peer.revision,
            id: request.id.clone(),
            request: Self::request_id(),
            caller: self.caller.clone(),
            origin: self::origin(&origin, request),
            client: peer.client.clone(),
            wishes: Wishes { progress, level: Some(peer.level()) },
            raw,
            peer: Some(peer),
        };
        Ok((visit, ask))
    }

    async fn take(&self, visit: Visit, ask: Ask) {
        let seat = match self.running.enter(&visit.id, self.desk.config.stdio.calls) {
            Ok(seat) => seat,
            Err(error) => return self.say(encode::error(Some(&visit.id), &error)).await,
        };
        let desk = &self.desk;
        let catalog = desk.gateway.catalog(&self.caller);
        match dispatch::take(desk, &catalog, visit, ask) {
            Taken::Now(answer) => {
                drop(seat);
                self.say(answer.bytes).await;
            }
            Taken::Later(mut exchange) => {
                exchange.seat(seat);
                desk.tasks.spawn(answer(desk.clone(), exchange, self.out.clone()));
            }
            Taken::Listen(visit, filter) => self.listen(visit, filter, seat).await,
        }
    }

    async fn listen(&self, visit: Visit, filter: Filter, seat: Seat) {
        let desk = &self.desk;
        let id = visit.id.clone();
        match Stream::open(desk, visit, filter) {
            Ok(stream) => {
                let over = encode::notification(&Notice::Cancelled(&id), None).into();
                desk.tasks.spawn(listen(desk.clone(), stream, seat, over, self.out.clone()));
            }
            Err(answer) => self.say(answer.bytes).await,
        }
    }

    /// Several messages in one array: one array with a reply for each request.
    pub(super) async fn batch(&self, messages: Vec<Result<Message, Refusal>>) {
        let refuse = |why: &str| Refusal::bad_request(None, RpcError::invalid_request(why));
        let knows_arrays = self.legacy().is_some_and(|legacy| legacy.peer.revision == Revision::V2025_03_26);
        if !knows_arrays {
            return self.refuse(&refuse("a message is one JSON object, not an array")).await;
        }
        if messages.len() > self.desk.config.sessions.batch {
            return self.refuse(&refuse("the array holds more messages than this gate takes (wire.sessions.batch)")).await;
        }
        let mut exchanges = Vec::new();
        let mut replies: Vec<Bytes> = Vec::new();
        for message in messages {
            match message {
                Ok(Message::Request(mut request)) => match self.of_batch(&mut request) {
                    Ok(exchange) => exchanges.push(exchange),
                    Err(reply) => replies.push(reply),
                },
                Ok(Message::Notification(notification)) => self.note(&notification),
                Ok(Message::Response(response)) => {
                    if let Some(legacy) = self.legacy() {
                        legacy.peer.answered(response);
                    }
                }
                Err(refused) => replies.push(encode::error(refused.id.as_ref(), &refused.error).into()),
            }
        }
        self.desk.tasks.spawn(answer_all(self.desk.clone(), exchanges, replies, self.out.clone()));
    }

    /// The call of one request of an array, or its reply.
    fn of_batch(&self, request: &mut Request) -> Result<Exchange, Bytes> {
        let id = request.id.clone();
        let refuse = |error: RpcError| Bytes::from(encode::error(Some(&id), &error));
        let seat = self.running.enter(&id, self.desk.config.stdio.calls).map_err(refuse)?;
        let (mut visit, ask) = self.session_visit(request, Bytes::new()).map_err(refuse)?;
        // There is one line for all replies, and so no place for a question.
        visit.client = ClientCapabilities::default();
        match dispatch::take(&self.desk, &self.desk.gateway.catalog(&self.caller), visit, ask) {
            Taken::Now(answer) => Err(answer.bytes),
            Taken::Listen(..) => Err(refuse(RpcError::method_not_found("subscriptions/listen"))),
            Taken::Later(mut exchange) => {
                exchange.seat(seat);
                Ok(exchange)
            }
        }
    }
}

/// Where a request comes from: `usual`, and the trace that its message belongs to.
fn origin(usual: &Arc<Origin>, request: &Request) -> Arc<Origin> {
    match Context::given(&request.params.meta) {
        Some(context) => Arc::new(Context::added(Some(context), usual)),
        None => usual.clone(),
    }
}

/// Writes what a call says and its reply.
async fn answer(desk: Arc<Desk>, mut exchange: Exchange, out: mpsc::Sender<Bytes>) {
    let work = async {
        loop {
            let (message, is_last) = match exchange.next().await {
                Out::Say(message) => (message, false),
                Out::End(answer) => (answer.bytes, true),
                Out::Pause => continue,
                Out::Withdrawn => return,
            };
            if out.send(message).await.is_err() || is_last {
                return;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = desk.kill.cancelled() => {}
    }
}

/// Writes one array with all replies.
async fn answer_all(desk: Arc<Desk>, exchanges: Vec<Exchange>, mut replies: Vec<Bytes>, out: mpsc::Sender<Bytes>) {
    let work = async {
        let later = exchanges.into_iter().map(|mut exchange| async move {
            loop {
                match exchange.next().await {
                    Out::End(answer) => return Some(answer.bytes),
                    Out::Withdrawn => return None,
                    Out::Say(_) | Out::Pause => {}
                }
            }
        });
        replies.extend(join_all(later).await.into_iter().flatten());
        if !replies.is_empty() {
            let mut array = vec![b'['];
            array.extend(replies.join(&b','));
            array.push(b']');
            // A client that no longer reads ends the process elsewhere.
            let _ = out.send(array.into()).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = desk.kill.cancelled() => {}
    }
}

/// Writes what a listener hears. When the gate ends the stream, the client is told that it is over.
async fn listen(desk: Arc<Desk>, mut stream: Stream, seat: Seat, over: Bytes, out: mpsc::Sender<Bytes>) {
    let work = async {
        while let Some(message) = stream.next().await {
            if out.send(message).await.is_err() {
                return;
            }
        }
        let _ = out.send(over).await;
    };
    tokio::select! {
        () = work => {}
        () = seat.withdrawn() => {}
        () = desk.kill.cancelled() => {}
    }
}
