//! The one client of a process: its lines, and what is remembered of it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use callgate_model::{Caller, Origin, RequestId};
use callgate_protocol::{Body, Era, Id, Message, Notification, Refusal, Request, RpcError, encode, era, read};
use tokio::{
    io::AsyncRead,
    sync::{broadcast::error::RecvError, mpsc},
};
use tokio_util::sync::CancellationToken;

use super::lines::{Line, Lines};
use crate::{desk::Desk, legacy::Peer, running::Running};

/// A process and its client.
pub(super) struct Process {
    pub(super) desk: Arc<Desk>,
    pub(super) out: mpsc::Sender<Bytes>,
    pub(super) running: Arc<Running>,
    /// Whoever started the process; nobody else can reach it.
    pub(super) caller: Arc<Caller>,
    legacy: Mutex<Option<Legacy>>,
}

/// What a legacy client's handshake left behind.
#[derive(Clone)]
pub(super) struct Legacy {
    pub(super) peer: Arc<Peer>,
    pub(super) origin: Arc<Origin>,
    /// Done when the client shakes hands again.
    replaced: CancellationToken,
}

impl Process {
    /// A process that writes to `out`.
    pub(super) fn new(desk: Arc<Desk>, caller: Arc<Caller>, out: mpsc::Sender<Bytes>) -> Self {
        Self { desk, caller, out, running: Arc::default(), legacy: Mutex::default() }
    }

    /// Reads and answers until the input ends.
    pub(super) async fn run<R: AsyncRead + Unpin>(&self, mut lines: Lines<R>) {
        // An input that breaks has ended.
        while let Ok(Some(line)) = lines.next().await {
            match line {
                Line::Text(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Line::Text(line) => self.line(line).await,
                Line::TooLong => {
                    let error = RpcError::invalid_request("the line is longer than this gate takes (wire.stdio.line)");
                    self.say(encode::error(None, &error)).await;
                }
            }
        }
    }

    /// Nobody will answer or take anything back any more.
    pub(super) fn hang_up(&self) {
        if let Some(legacy) = self.legacy() {
            legacy.peer.hang_up();
        }
    }

    async fn line(&self, line: Bytes) {
        match read(&line, self.desk.config.limits()) {
            Ok(Body::One(message)) => self.message(message, line).await,
            Ok(Body::Batch(messages)) => self.batch(messages).await,
            Err(refused) => self.refuse(&refused).await,
        }
    }

    async fn message(&self, message: Message, raw: Bytes) {
        let era = era(&message, None, None);
        match message {
            Message::Request(request) if era == Era::Modern => self.modern(request, raw).await,
            Message::Request(request) if request.method == "initialize" => self.initialize(request).await,
            Message::Request(request) => self.of_session(request, raw).await,
            Message::Notification(notification) => self.note(&notification),
            Message::Response(response) => {
                if let Some(legacy) = self.legacy() {
                    legacy.peer.answered(response);
                }
            }
        }
    }

    /// Takes a notification to heart.
    pub(super) fn note(&self, notification: &Notification) {
        if notification.method == "notifications/cancelled"
            && let Some(id) = notification.params.get("requestId").cloned().and_then(Id::of)
        {
            self.running.withdraw(&id);
        }
    }

    async fn initialize(&self, mut request: Request) {
        let hello = match callgate_protocol::ask(callgate_protocol::Revision::NEWEST_LEGACY, &mut request) {
            Ok(callgate_protocol::Ask::Initialize(hello)) => hello,
            Ok(_) => return,
            Err(error) => return self.refuse(&Refusal::bad_request(Some(request.id), error)).await,
        };
        let peer = Peer::new(*hello);
        let origin = Origin { transport: "stdio", revision: peer.revision.as_str(), ..Origin::default() };
        let legacy = Legacy { peer: peer.clone(), origin: Arc::new(origin), replaced: CancellationToken::new() };
        let before = self.legacy.lock().unwrap_or_else(PoisonError::into_inner).replace(legacy.clone());
        if let Some(before) = before {
            before.replaced.cancel();
        }
        let desk = &self.desk;
        desk.tasks.spawn(tell(desk.clone(), self.caller.clone(), legacy, self.out.clone()));
        let catalog = desk.gateway.catalog(&self.caller);
        let identity = desk.gateway.identity();
        let frame = encode::Frame { revision: peer.revision, id: &request.id, identity: &identity };
        self.say(encode::initialize(&frame, desk.capabilities(&catalog))).await;
    }

    /// What the legacy client left behind, if there is one.
    pub(super) fn legacy(&self) -> Option<Legacy> {
        self.legacy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses something before it ran.
    pub(super) async fn refuse(&self, refused: &Refusal) {
        self.say(encode::error(refused.id.as_ref(), &refused.error)).await;
    }

    /// Writes one message.
    pub(super) async fn say(&self, message: impl Into<Bytes>) {
        // A client that no longer reads ends the process elsewhere.
        let _ = self.out.send(message.into()).await;
    }

    /// An id under which a request is found in log and audit.
    pub(super) fn request_id() -> RequestId {
        RequestId::fresh()
    }
}

/// Tells a legacy client what changed, until it is replaced or the gate stops.
async fn tell(desk: Arc<Desk>, caller: Arc<Caller>, legacy: Legacy, out: mpsc::Sender<Bytes>) {
    let mut board = desk.gateway.notices().listen();
    loop {
        let change = tokio::select! {
            () = desk.stop.cancelled() => return,
            () = legacy.replaced.cancelled() => return,
            change = board.recv() => change,
        };
        let messages = match change {
            Ok(change) => legacy.peer.notice(&desk, &caller, &change).into_iter().collect(),
            Err(RecvError::Lagged(_)) => legacy.peer.missed(&desk, &caller),
            Err(RecvError::Closed) => return,
        };
        for message in messages {
            tokio::select! {
                sent = out.send(message) => if sent.is_err() { return },
                () = desk.kill.cancelled() => return,
            }
        }
    }
}
