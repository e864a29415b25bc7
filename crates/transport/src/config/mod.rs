//! What an operator may write under `wire:`. Every limit of both transports stands here, with its unit and its default.

mod http;
mod sense;

use callgate_config::{Secret, Size, Span};
use callgate_protocol::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

pub use self::http::{Http, Metrics};

/// Limits of the wire. Everything has a default; most gates need none of this.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How deeply a message may be nested. Default 64; a deeper one is refused before anything runs.
    #[schemars(range(min = 1))]
    pub depth: usize,
    /// How many values one message may hold: every text, number, array and object counts. Default 100000; a message with more is
    /// refused before anything runs.
    #[schemars(range(min = 1))]
    pub values: usize,
    /// How many entries one page of a list has. Default 100.
    #[schemars(range(min = 1))]
    pub page: usize,
    /// The longest that any call may take, whatever its tool says. Default 10m; the deadlines of tools are usually far shorter.
    pub longest: Span,
    /// How many progress and log messages a call may be ahead of a slow reader before it has to wait. Default 64.
    #[schemars(range(min = 1))]
    pub ahead: usize,
    /// How long clients may keep replies.
    pub fresh: Fresh,
    /// How long somebody who was recognised stays so.
    pub proof: Proof,
    /// Questions that calls ask the client's side.
    pub questions: Questions,
    /// Streams of notices to modern clients, and what clients of either era watch.
    pub listen: Listen,
    /// Sessions of legacy clients.
    pub sessions: Sessions,
    /// HTTP.
    pub http: Http,
    /// Standard input and output.
    pub stdio: Stdio,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            depth: 64,
            values: 100_000,
            page: 100,
            longest: Span::seconds(600),
            ahead: 64,
            fresh: Fresh::default(),
            proof: Proof::default(),
            questions: Questions::default(),
            listen: Listen::default(),
            sessions: Sessions::default(),
            http: Http::default(),
            stdio: Stdio::default(),
        }
    }
}

impl Config {
    /// What is taken of one message.
    pub(crate) fn limits(&self) -> Limits {
        Limits { depth: self.depth, values: self.values }
    }
}

/// How long somebody who was recognised stays so. Each request is looked at anew; this is for streams and for calls that wait.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Proof {
    /// How often the caller of an open stream is recognised anew. Default 5s; a stream ends when its caller is not recognised
    /// any more.
    pub recheck: Span,
    /// How long a stream, or a call that waits, may outlive the token or key it came with. Default 5s.
    pub grace: Span,
}

impl Default for Proof {
    fn default() -> Self {
        Self { recheck: Span::seconds(5), grace: Span::seconds(5) }
    }
}

/// How long clients may keep replies; modern clients are told.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fresh {
    /// Lists, and what the gate says about itself. Default 60s.
    pub lists: Span,
    /// Resources that were read. Default 0ms: ask again each time.
    pub resources: Span,
    /// Whom a kept reply may be shown to. Default `private`: only the caller who got it.
    pub scope: Scope,
}

impl Default for Fresh {
    fn default() -> Self {
        Self { lists: Span::seconds(60), resources: Span::millis(0), scope: Scope::Private }
    }
}

/// Whom a kept reply may be shown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Only the caller who got it.
    Private,
    /// Anyone, also by caches on the way.
    Public,
}

/// Questions that calls ask the client's side: forms, pages to open, samples of its language model.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Questions {
    /// Secrets that seal what clients keep for us between two rounds, and cursors; at least 32 random characters each. The
    /// first one seals, all of them open, so that a secret can be replaced. Without any the gate makes one up when it starts:
    /// then no other replica, and no later run, knows what this one sealed.
    #[serde(deserialize_with = "long_secrets")]
    pub secrets: Vec<Secret>,
    /// How long a client of 2026-07-28 may take to come back with the answers. Default 10m.
    pub expiry: Span,
    /// How large the sealed state may become. Default 64KiB.
    pub size: Size,
    /// How often one call may ask before it must finish. Default 8. Legacy clients; modern ones decide for themselves.
    #[schemars(range(min = 1))]
    pub rounds: usize,
    /// How long a legacy client may take to answer one round. Default 10m. The deadline of the call stands still meanwhile.
    pub wait: Span,
    /// How many calls of one legacy caller may wait for answers at once. Default 64.
    #[schemars(range(min = 1))]
    pub per_caller: usize,
    /// How many calls of all legacy callers may. Default 1024; one more is told to come back later.
    #[schemars(range(min = 1))]
    pub total: usize,
    /// The pause before a call that asked nothing and only wants to be made again. Default 250ms. Legacy clients.
    pub pace: Span,
    /// How many used states are remembered, so that none starts a write twice. Default 100000, about 100 bytes each, until they
    /// expire; beyond it writes that asked back are refused for a while. Modern clients.
    #[schemars(range(min = 1))]
    pub spent: usize,
    /// How many of them may be of one caller. Default 10000; beyond it only that caller's writes are refused.
    #[schemars(range(min = 1))]
    pub spent_per_caller: usize,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            expiry: Span::seconds(600),
            size: Size::kib(64),
            rounds: 8,
            wait: Span::seconds(600),
            per_caller: 64,
            total: 1024,
            pace: Span::millis(250),
            spent: 100_000,
            spent_per_caller: 10_000,
        }
    }
}

/// What is shorter can be guessed by whoever keeps something that it sealed.
const SHORTEST_SECRET: usize = 32;

fn long_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    let long: Vec<Long> = Vec::deserialize(deserializer)?;
    Ok(long.into_iter().map(|Long(secret)| secret).collect())
}

/// A secret that is long enough. A type of its own, so that the mistake is found at the secret and not at the list.
struct Long(Secret);

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secret = Secret::<String>::deserialize(deserializer)?;
        let length = secret.expose().chars().count();
        if length < SHORTEST_SECRET {
            return Err(D::Error::custom(format_args!("a secret has at least {SHORTEST_SECRET} characters, this one has {length}")));
        }
        Ok(Self(secret))
    }
}

/// Streams of notices to modern clients, and what clients of either era watch.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// How many streams one caller may have open. Default 64.
    #[schemars(range(min = 1))]
    pub per_caller: usize,
    /// How many streams there may be in all. Default 1024.
    #[schemars(range(min = 1))]
    pub total: usize,
    /// How many resources one stream or session may watch. Default 256; further ones are not granted.
    #[schemars(range(min = 1))]
    pub resources: usize,
    /// The longest URI that can be watched. Default 8KiB; a longer one is refused.
    pub uri: Size,
    /// How many bytes the URIs may have that all streams and sessions of one caller watch together, each counted with 64 bytes more than it
    /// is long. Default 1MiB; what goes beyond is refused.
    pub uris_per_caller: Size,
    /// How many bytes they may have of all callers together. Default 64MiB.
    pub uris_total: Size,
    /// How often a silent stream is kept alive by a comment. Default 15s.
    pub keep_alive: Span,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            per_caller: 64,
            total: 1024,
            resources: 256,
            uri: Size::kib(8),
            uris_per_caller: Size::mib(1),
            uris_total: Size::mib(64),
            keep_alive: Span::seconds(15),
        }
    }
}

/// Sessions of legacy clients over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// How many sessions one caller may have. Default 1000; one more ends the one that was idle longest.
    #[schemars(range(min = 1))]
    pub per_caller: usize,
    /// How many sessions there may be in all. Default 10000; one more is refused.
    #[schemars(range(min = 1))]
    pub total: usize,
    /// A session that is not used for so long is over. Default 30m.
    pub idle: Span,
    /// How many requests of one session may run at once. Default 64.
    #[schemars(range(min = 1))]
    pub calls: usize,
    /// How many messages one array of a 2025-03-26 client may have. Default 32.
    #[schemars(range(min = 1))]
    pub batch: usize,
    /// How many streams of one session are kept for clients that lost the connection. Default 16.
    #[schemars(range(min = 1))]
    pub streams: usize,
    /// How many events are kept for each of them. Default 256; the last one, the reply, is always kept.
    #[schemars(range(min = 1))]
    pub events: usize,
    /// How many bytes are kept for each of them. Default 4MiB; the same exception.
    pub bytes: Size,
    /// How many bytes are kept for the streams of all sessions together. Default 64MiB; beyond it only the last event of each stream is.
    pub kept: Size,
    /// How many streams of all sessions together are kept. Default 4096; a further one cannot be fetched again.
    #[schemars(range(min = 1))]
    pub kept_streams: usize,
    /// How long a stream that has come to its end can still be fetched. Default 60s, at most 10s longer.
    pub keep: Span,
    /// How soon a client may come back that lost the connection or was asked to drop it. Default 500ms.
    pub retry: Span,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            per_caller: 1000,
            total: 10_000,
            idle: Span::seconds(1800),
            calls: 64,
            batch: 32,
            streams: 16,
            events: 256,
            bytes: Size::mib(4),
            kept: Size::mib(64),
            kept_streams: 4096,
            keep: Span::seconds(60),
            retry: Span::millis(500),
        }
    }
}

/// Standard input and output.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stdio {
    /// How long a line may be. Default 4MiB; a longer one is refused and skipped.
    pub line: Size,
    /// How many requests may run at once. Default 64; further ones are refused.
    #[schemars(range(min = 1))]
    pub calls: usize,
    /// How many messages may wait to be written. Default 256; then calls wait for the reader.
    #[schemars(range(min = 1))]
    pub waiting: usize,
    /// How long running calls may take to finish after the input has ended or the gate stops. Default 5s.
    pub drain: Span,
}

impl Default for Stdio {
    fn default() -> Self {
        Self { line: Size::mib(4), calls: 64, waiting: 256, drain: Span::seconds(5) }
    }
}
