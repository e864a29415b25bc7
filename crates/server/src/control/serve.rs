//! The answering side.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};
use tracing::{debug, warn};

use super::{Answer, LONGEST, Request};
use crate::reload::Reloader;

/// How many may speak at once.
const MOST: usize = 8;
/// How long one may take to say what is wanted. What is done for it may take longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A control socket that is listened to. Dropping it takes the socket away.
#[derive(Debug)]
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Takes the socket at `path`. A gate that already listens there keeps it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            private(folder)?;
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another gate listens there"));
        }
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        Ok(Self { listener: UnixListener::bind(path)?, path: path.to_owned() })
    }

    /// Answers, forever.
    pub(crate) async fn run(self, reloader: Reloader) {
        let places = Arc::new(Semaphore::new(MOST));
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(cause) => {
                    warn!(error = %cause, "the control socket does not accept");
                    tokio::time::sleep(PATIENCE).await;
                    continue;
                }
            };
            // Too many at once: the connection ends without an answer.
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let reloader = reloader.clone();
            tokio::spawn(async move {
                if let Err(cause) = answer(stream, &reloader).await {
                    debug!(error = %cause, "a conversation on the control socket broke off");
                }
                drop(place);
            });
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(stream: UnixStream, reloader: &Reloader) -> io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut line = String::new();
    timeout(PATIENCE, BufReader::new(input.take(LONGEST)).read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(Request::Reload) => reload(reloader).await,
        Ok(Request::Forget { what, tenant }) => match reloader.forget(&what, tenant.as_deref()).await {
            Ok(()) => Answer::Done("dropped".to_owned()),
            Err(cause) => Answer::Refused(cause.to_string()),
        },
        Err(cause) => Answer::Refused(format!("this gate does not know that command: {cause}")),
    };
    let bytes = serde_json::to_vec(&answer).map_err(io::Error::other)?;
    timeout(PATIENCE, output.write_all(&bytes)).await??;
    output.shutdown().await
}

async fn reload(reloader: &Reloader) -> Answer {
    match reloader.reload("callgate reload").await {
        Ok(done) => {
            let counts = done.counts;
            let mut said = format!("in place: {} tools, {} resources, {} prompts", counts.tools, counts.resources, counts.prompts);
            if !done.waiting.is_empty() {
                said.push_str(&format!("; changed, but only read at the next start: {}", done.waiting.join(", ")));
            }
            Answer::Done(said)
        }
        Err(cause) => Answer::Refused(format!("{:#}\nthe configuration in place stays", anyhow::Error::from(cause))),
    }
}

/// Makes the folder for its owner alone, or makes sure that it is so.
fn private(folder: &Path) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            let about = fs::metadata(folder)?;
            if about.permissions().mode() & 0o077 == 0 && about.mode() & 0o170_000 == 0o040_000 {
                return Ok(());
            }
            let why = format!("others may enter `{}`; take that right from them (chmod 700)", folder.display());
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        }
        made => made,
    }
}
