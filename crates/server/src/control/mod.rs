//! The control socket: how commands on the same machine speak to a gate that runs.
//!
//! A Unix socket in a folder that only the gate's own user may enter; whoever can open it may do what it offers. One line of JSON
//! goes in, one comes out, and the connection ends. Both are bounded in size and time, and so are the connections. Where there are
//! no Unix sockets there is no control; SIGHUP's part is done by the watched files there.

mod ask;
#[cfg(unix)]
mod serve;

use std::{borrow::Cow, path::PathBuf};

use callgate_pipeline::Forget;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub(crate) use ask::ask;
#[cfg(unix)]
pub(crate) use serve::Control;

/// Where commands on this machine reach the running gate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The socket; default `data/control/callgate.sock`. Its folder is made for the gate's user alone. `none`: no control; `SIGHUP`
    /// and watched files still reload.
    pub(crate) socket: Socket,
}

impl Default for Config {
    fn default() -> Self {
        Self { socket: Socket::At("data/control/callgate.sock".into()) }
    }
}

/// The word for no socket. A file of that name would be written `./none`.
const NONE: &str = "none";

/// Where the socket is, if there is one.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(from = "PathBuf", into = "PathBuf")]
pub(crate) enum Socket {
    /// There is none.
    Nowhere,
    /// Here, relative to the configuration.
    At(PathBuf),
}

impl From<PathBuf> for Socket {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == NONE { Self::Nowhere } else { Self::At(path) }
    }
}

impl From<Socket> for PathBuf {
    fn from(socket: Socket) -> Self {
        match socket {
            Socket::Nowhere => NONE.into(),
            Socket::At(path) => path,
        }
    }
}

impl JsonSchema for Socket {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Socket".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "x-expected": "a path such as `data/control/callgate.sock`, or `none` for no control" })
    }
}

/// What can be asked of a running gate.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Request {
    /// Read the configuration again.
    Reload,
    /// Drop kept replies, of one tenant or of all.
    Forget {
        /// Which.
        what: Forget,
        /// Of whom.
        tenant: Option<String>,
    },
}

/// What the gate answers: sentences for the person who asked.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Answer {
    /// It was done.
    Done(String),
    /// It was not, and why.
    Refused(String),
}

/// The longest line in either direction.
const LONGEST: u64 = 256 * 1024;
