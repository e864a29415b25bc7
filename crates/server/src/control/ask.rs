//! The asking side.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::{Answer, Request};

/// Asks the gate behind `socket` and waits for its answer.
#[cfg(unix)]
pub(crate) async fn ask(socket: &Path, request: &Request) -> anyhow::Result<String> {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::UnixStream,
    };
    let nobody = || format!("no gate listens at `{}`; is it running, and with this configuration?", socket.display());
    let mut stream = UnixStream::connect(socket).await.with_context(nobody)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.take(super::LONGEST).read_to_end(&mut answer).await?;
    match serde_json::from_slice(&answer).context("the gate's answer cannot be read; is it of another version?")? {
        Answer::Done(said) => Ok(said),
        Answer::Refused(why) => bail!(why),
    }
}

/// There are no Unix sockets here.
#[cfg(not(unix))]
pub(crate) async fn ask(_: &Path, _: &Request) -> anyhow::Result<String> {
    bail!("a running gate cannot be spoken to on this system; change the files and wait, or start it again")
}
