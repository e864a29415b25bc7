//! One call on its way: what it says before its reply, and the reply.
//!
//! Whoever serves the client asks for the next thing to send, and decides by the first one how to answer: a reply at once can still
//! be plain JSON with a status of its own. Nothing here starts a task while the client is there. If it leaves, the work is dropped, or
//! goes on to a known end where dropping it could leave something half done.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use callgate_model::{Level, Signal};
use callgate_protocol::encode::{self, Notice};
use serde_json::Value;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::TaskTracker,
};

use crate::running::Seat;

/// One thing to send.
pub(crate) enum Out {
    /// A message before the reply.
    Say(Bytes),
    /// The client may drop the connection now.
    Pause,
    /// The reply; nothing follows.
    End(Answer),
    /// The client took the request back; nothing follows.
    Withdrawn,
}

/// A reply and the HTTP status it owes.
pub(crate) struct Answer {
    /// One JSON-RPC message.
    pub(crate) bytes: Bytes,
    /// Meaningful only while no stream is open.
    pub(crate) status: u16,
    /// The same.
    pub(crate) hint: Option<Hint>,
}

/// What the headers of an answer say beside its status.
pub(crate) enum Hint {
    /// When to come back.
    After(Duration),
    /// The scopes that a token for this needs.
    Scopes(Vec<String>),
}

/// `span` as `Retry-After` says it: whole seconds, never too few, at least one.
pub(crate) fn seconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

impl Answer {
    /// A reply with status 200.
    pub(crate) fn ok(bytes: Vec<u8>) -> Self {
        Self::with_status(bytes, 200)
    }

    /// A reply that owes this status.
    pub(crate) fn with_status(bytes: Vec<u8>, status: u16) -> Self {
        Self { bytes: bytes.into(), status, hint: None }
    }
}

/// What becomes of the work when nobody waits for it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It is cancelled.
    Cancel,
    /// It goes on to its end, and nobody hears of it but the audit.
    Finish,
}

/// What the client wants to hear before the reply.
#[derive(Default)]
pub(crate) struct Wishes {
    /// The token under which it wants progress.
    pub(crate) progress: Option<Value>,
    /// From which level on it wants log messages.
    pub(crate) level: Option<Level>,
}

/// The work itself.
pub(crate) type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A place by which the request can be taken back, and the moment when it is.
type Withdrawal = (Seat, Pin<Box<WaitForCancellationFutureOwned>>);

/// A call that is being answered.
pub(crate) struct Exchange {
    pub(crate) work: Option<Work>,
    pub(crate) signals: Option<mpsc::Receiver<Signal>>,
    pub(crate) questions: Option<mpsc::Receiver<Bytes>>,
    pub(crate) wishes: Wishes,
    /// The last progress that was passed on; it must grow.
    pub(crate) furthest: f64,
    pub(crate) answer: Option<Answer>,
    pub(crate) on_leave: Leave,
    pub(crate) on_withdrawal: Leave,
    pub(crate) withdrawal: Option<Withdrawal>,
    pub(crate) tasks: TaskTracker,
    pub(crate) kill: CancellationToken,
}

impl Exchange {
    /// Lets the client take the request back by its id, for as long as it runs.
    pub(crate) fn seat(&mut self, seat: Seat) {
        let withdrawn = Box::pin(seat.withdrawn());
        self.withdrawal = Some((seat, withdrawn));
    }

    /// The next thing to send.
    pub(crate) async fn next(&mut self) -> Out {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next thing to send; not to be asked again after the reply.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Out> {
        loop {
            if let Some(out) = self.poll_said(cx) {
                return Poll::Ready(out);
            }
            if let Some(answer) = self.answer.take() {
                return Poll::Ready(Out::End(answer));
            }
            if let Some((_, withdrawn)) = &mut self.withdrawal
                && withdrawn.as_mut().poll(cx).is_ready()
            {
                self.on_leave = self.on_withdrawal;
                self.leave();
                return Poll::Ready(Out::Withdrawn);
            }
            let Some(work) = &mut self.work else { return Poll::Pending };
            match work.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(answer) => {
                    self.work = None;
                    self.withdrawal = None;
                    self.answer = Some(answer);
                }
            }
        }
    }

    /// What was said and not yet passed on.
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Option<Out> {
        while let Some(signals) = &mut self.signals {
            match signals.poll_recv(cx) {
                Poll::Ready(Some(signal)) => {
                    if let Some(out) = self.translate(&signal) {
                        return Some(out);
                    }
                }
                Poll::Ready(None) => self.signals = None,
                Poll::Pending => break,
            }
        }
        match self.questions.as_mut()?.poll_recv(cx) {
            Poll::Ready(Some(question)) => Some(Out::Say(question)),
            Poll::Ready(None) => {
                self.questions = None;
                None
            }
            Poll::Pending => None,
        }
    }

    /// `signal` as the client wants it, if it wants it.
    fn translate(&mut self, signal: &Signal) -> Option<Out> {
        let bytes = match signal {
            Signal::Pause => return Some(Out::Pause),
            Signal::Progress { progress, total, message } => {
                let token = self.wishes.progress.as_ref()?;
                if *progress <= self.furthest || !progress.is_finite() {
                    return None;
                }
                self.furthest = *progress;
                let total = total.filter(|total| total.is_finite());
                encode::notification(&Notice::Progress { token, progress: *progress, total, message: message.as_deref() }, None)
            }
            Signal::Log { level, logger, data } => {
                self.wishes.level.filter(|wanted| level >= wanted)?;
                encode::notification(&Notice::Log { level: *level, logger: logger.as_deref(), data }, None)
            }
        };
        Some(Out::Say(bytes.into()))
    }

    /// Nobody waits any more.
    fn leave(&mut self) {
        self.signals = None;
        self.questions = None;
        let withdrawal = self.withdrawal.take();
        let Some(work) = mem::take(&mut self.work) else { return };
        // Without a runtime the process is ending, and nothing can go on.
        if self.on_leave == Leave::Finish && Handle::try_current().is_ok() {
            // A client that lost the connection can still take the request back, if that is allowed to end it.
            let withdrawal = withdrawal.filter(|_| self.on_withdrawal == Leave::Cancel);
            self.tasks.spawn(finish(work, withdrawal, self.kill.clone()));
        }
    }
}

/// Brings `work` to its end, unless it is taken back or the gate's time is over.
async fn finish(work: Work, withdrawal: Option<Withdrawal>, kill: CancellationToken) {
    let withdrawn = async {
        match withdrawal {
            Some((_seat, withdrawn)) => withdrawn.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = work => {}
        () = withdrawn => {}
        () = kill.cancelled() => {}
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.leave();
    }
}
