//! Server-sent events: the frame around a message, and comments that keep a silent stream alive.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

/// One message, on one line.
pub(crate) fn event(message: &[u8]) -> Bytes {
    frame(&[], message)
}

/// One message that a client can name when it comes back.
pub(crate) fn numbered(id: &str, message: &[u8]) -> Bytes {
    frame(&[b"id: ", id.as_bytes(), b"\n"], message)
}

/// The message in an event of ours.
pub(crate) fn message(event: &[u8]) -> Option<&[u8]> {
    event.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"data: "))
}

/// The first event of a stream whose client may lose the connection: a name to come back to, and when.
pub(crate) fn prime(id: &str, retry: Duration) -> Bytes {
    format!("id: {id}\nretry: {}\ndata: \n\n", retry.as_millis()).into()
}

fn frame(head: &[&[u8]], message: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(message.len() + 64);
    head.iter().for_each(|part| event.put_slice(part));
    event.put_slice(b"data: ");
    let start = event.len();
    event.put_slice(message);
    // Inside JSON a raw line break is only ever space between tokens.
    for byte in event[start..].iter_mut().filter(|byte| matches!(**byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    event.put_slice(b"\n\n");
    event.freeze()
}

/// `events`, with a comment after each `pause` in which nothing came.
pub(crate) struct KeptAlive<S> {
    events: Pin<Box<S>>,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl<S> KeptAlive<S> {
    /// Keeps `events` alive.
    pub(crate) fn new(events: S, pause: Duration) -> Self {
        Self { events: Box::pin(events), pause, sleep: Box::pin(sleep(pause)) }
    }
}

impl<S: Stream<Item = Bytes>> Stream for KeptAlive<S> {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let pause = self.pause;
        if let Poll::Ready(event) = self.events.as_mut().poll_next(cx) {
            self.sleep.as_mut().reset(Instant::now() + pause);
            return Poll::Ready(event);
        }
        if self.sleep.as_mut().poll(cx).is_ready() {
            self.sleep.as_mut().reset(Instant::now() + pause);
            return Poll::Ready(Some(Bytes::from_static(b": \n\n")));
        }
        Poll::Pending
    }
}
