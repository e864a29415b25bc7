//! MCP over standard input and output, or any other pair of byte streams: one message per line, both eras in one process.
//!
//! Nothing but MCP is written. Requests run side by side; when the input ends or the gate stops, running calls may finish
//! within a bound, and what is left is cancelled.

mod lines;
mod process;
mod requests;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use callgate_model::{Caller, Gateway};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    time::timeout,
};

use self::{lines::Lines, process::Process};
use crate::{
    config::Config,
    desk::{Desk, Drained},
};

/// How long the last bytes may take to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves `gateway` to `caller`, who is the one client at the other end, until its input ends, it stops reading, or `shutdown` is done.
pub async fn serve<R, W>(
    reader: R,
    writer: W,
    gateway: Arc<dyn Gateway>,
    caller: Arc<Caller>,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let desk = Desk::new(gateway, config, "stdio");
    let (out, messages) = mpsc::channel(config.stdio.waiting.max(1));
    let mut writing = tokio::spawn(write(writer, messages));
    let process = Process::new(desk.clone(), caller, out);
    tokio::select! {
        () = process.run(Lines::new(reader, config.stdio.line.bytes())) => {}
        _ = &mut writing => {}
        () = shutdown => {}
    }
    process.hang_up();
    drop(process);
    let drained = desk.drain(config.stdio.drain.get()).await;
    if !writing.is_finished() && timeout(LAST_WORDS, &mut writing).await.is_err() {
        writing.abort();
    }
    drained
}

/// Writes messages, one on each line, until nobody has any more or nobody reads.
async fn write(mut writer: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<Bytes>) {
    let mut line = BytesMut::new();
    while let Some(message) = messages.recv().await {
        line.clear();
        // Inside JSON a raw line break is only ever space between tokens.
        line.extend(message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        line.extend_from_slice(b"\n");
        let written = match writer.write_all(&line).await {
            Ok(()) if messages.is_empty() => writer.flush().await,
            written => written,
        };
        if written.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
