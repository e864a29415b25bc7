//! Whether a connection is alive: bytes that came in, requests that are at work, answers that are not taken, time that passed.
//!
//! hyper has a timer for headers, but it makes one for each request and also ends idle connections by it; it has none for a client that
//! connects and says nothing, or that does not read its answer. Here one timer per connection looks at a few numbers.
//!
//! On HTTP/1 an answer that is not taken shows as a socket that cannot be written to. On HTTP/2 a client can close the window of one
//! stream and keep the socket busy, so that there each answer is watched by itself.

use std::{
    collections::HashMap,
    io::ErrorKind,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::Version;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::{backlog::Backlog, frames::Frames, head::Head};
use crate::config::Http;

/// The pulse of one connection. Moments are milliseconds since it was opened; 0 is none.
pub(super) struct Pulse {
    opened: Instant,
    at_work: AtomicUsize,
    /// Since when a request's headers are arriving.
    head_since: AtomicU64,
    /// Since when nothing is at work.
    idle_since: AtomicU64,
    is_http2: AtomicBool,
    is_ambiguous: AtomicBool,
    /// Answers on HTTP/2 of which the client takes nothing, each since when.
    untaken: Mutex<HashMap<u64, Instant>>,
    begun: AtomicU64,
    backlog: Arc<Backlog>,
}

/// What bytes that came in belong to.
enum Heard {
    /// To a new head.
    Begin,
    /// To the head that is arriving.
    GoOn,
    /// To anything else.
    Other,
}

/// What should become of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Look again at this moment.
    Wait(Instant),
    /// It was idle for too long: say goodbye.
    Close,
    /// It keeps us waiting: hang up.
    Cut,
}

impl Pulse {
    /// A connection that was opened just now. Its first request is awaited like one that has begun.
    pub(super) fn new(backlog: Arc<Backlog>) -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            at_work: AtomicUsize::new(0),
            head_since: AtomicU64::new(1),
            idle_since: AtomicU64::new(1),
            is_http2: AtomicBool::new(false),
            is_ambiguous: AtomicBool::new(false),
            untaken: Mutex::default(),
            begun: AtomicU64::new(0),
            backlog,
        })
    }

    /// A request has arrived.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Ticket {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        let mut number = None;
        if version == Version::HTTP_2 {
            self.is_http2.store(true, Ordering::Relaxed);
            number = Some(self.begun.fetch_add(1, Ordering::Relaxed));
        }
        Ticket { pulse: self.clone(), number, held: 0 }
    }

    /// A head came in that two readers could understand differently.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous.load(Ordering::Relaxed)
    }

    /// Nothing is at work, and the head that is awaited has not come.
    pub(super) fn awaits_head(&self) -> bool {
        self.at_work.load(Ordering::Relaxed) == 0 && self.head_since.load(Ordering::Relaxed) > 0
    }

    /// Ready when the connection is to be hung up for what it does not read.
    pub(super) fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.backlog.poll_cut(cx)
    }

    /// Bytes came in.
    fn heard(&self) -> Heard {
        // On HTTP/2 bytes without a request are the connection's own talk; there only idleness counts.
        if self.at_work.load(Ordering::Relaxed) > 0 || self.is_http2.load(Ordering::Relaxed) {
            return Heard::Other;
        }
        if self.head_since.load(Ordering::Relaxed) > 0 {
            return Heard::GoOn;
        }
        self.head_since.store(self.now(), Ordering::Relaxed);
        Heard::Begin
    }

    /// What should become of it now.
    pub(super) fn verdict(&self, limits: &Http) -> Verdict {
        let at = |since: u64, limit: Duration| self.opened + Duration::from_millis(since) + limit;
        let (now, idle) = (Instant::now(), limits.idle.get());
        if self.at_work.load(Ordering::Relaxed) > 0 {
            // No sooner can it become idle for too long.
            let soon = now + limits.header_time.get().min(idle);
            let patience = self.untaken().values().min().map(|since| *since + limits.write_time.get());
            return match patience {
                Some(end) if end <= now => Verdict::Cut,
                Some(end) => Verdict::Wait(end.min(soon)),
                None => Verdict::Wait(soon),
            };
        }
        let head_since = self.head_since.load(Ordering::Relaxed);
        if head_since > 0 {
            let end = at(head_since, limits.header_time.get());
            return if end <= now { Verdict::Cut } else { Verdict::Wait(end) };
        }
        let end = at(self.idle_since.load(Ordering::Relaxed), idle);
        // Headers may begin to arrive meanwhile, and have a limit of their own.
        if end <= now { Verdict::Close } else { Verdict::Wait(end.min(now + limits.header_time.get())) }
    }

    fn untaken(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

/// A request at work, until its response is written or given up.
pub(crate) struct Ticket {
    pulse: Arc<Pulse>,
    /// Which request of an HTTP/2 connection.
    number: Option<u64>,
    /// How many bytes of its answer the client has not taken.
    held: usize,
}

impl Ticket {
    /// The request came over HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.number.is_some()
    }

    /// A piece of the answer is there, and `rest` behind it; now the client must make room for more.
    pub(super) fn gave(&mut self, piece: usize, rest: usize) {
        let Some(number) = self.number else { return self.pulse.backlog.keep(piece) };
        self.pulse.untaken().insert(number, Instant::now());
        self.hold(piece + rest);
    }

    fn hold(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.held, bytes);
        if bytes > before {
            self.pulse.backlog.keep(bytes - before);
        } else {
            self.pulse.backlog.free(before - bytes);
        }
    }

    /// The client has room for the next piece.
    pub(super) fn is_asked(&self) {
        if let Some(number) = self.number {
            self.pulse.untaken().remove(&number);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.is_asked();
        self.hold(0);
        self.pulse.idle_since.store(self.pulse.now(), Ordering::Relaxed);
        self.pulse.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A socket that tells the pulse what it hears, and fails when its peer does not read for too long.
pub(super) struct Watched<S> {
    socket: S,
    pulse: Arc<Pulse>,
    head: Head,
    frames: Frames,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    /// Watches `socket`.
    pub(super) fn new(socket: S, pulse: Arc<Pulse>, limits: &Http) -> Self {
        let (frames, patience) = (Frames::new(limits.frames), limits.write_time.get());
        Self { socket, pulse, head: Head::default(), frames, patience, stalled: None }
    }

    fn heard(&mut self, bytes: &[u8]) {
        match self.pulse.heard() {
            Heard::Begin => self.head = Head::default(),
            Heard::GoOn => {}
            Heard::Other => return,
        }
        if self.head.read(bytes) {
            self.pulse.is_ambiguous.store(true, Ordering::Relaxed);
        }
    }

    fn count(&mut self, written: &Poll<std::io::Result<usize>>) {
        if let Poll::Ready(Ok(length)) = written {
            self.frames.wrote(*length);
            if !self.pulse.is_http2.load(Ordering::Relaxed) {
                self.pulse.backlog.free(*length);
            }
        }
    }

    /// Passes on what came of writing, and counts the time in which nothing could be written.
    fn written<T>(&mut self, cx: &mut Context<'_>, result: Poll<std::io::Result<T>>) -> Poll<std::io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.heard(&buffer.filled()[before..]);
            if self.frames.read(&buffer.filled()[before..]) {
                return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
            }
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.count(&result);
        self.written(cx, result)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[std::io::IoSlice<'_>]) -> Poll<std::io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.count(&result);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let result = Pin::new(&mut self.socket).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let result = Pin::new(&mut self.socket).poll_shutdown(cx);
        self.written(cx, result)
    }
}
