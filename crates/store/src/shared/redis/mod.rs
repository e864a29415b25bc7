//! What replicas share on a Redis or Valkey server, version 6 or later. One server, or an address behind which one answers; Sentinel
//! and Cluster are not spoken.
//!
//! *Up*: operations go to the server, each within its budget. *Away*: they end at once, without asking. A connection that breaks, or
//! three operations in a row that take too long, lead to *away*; a keeper (`link.rs`) that connects and gets an answer leads back
//! *up*, and tries twice a second. The server may lose everything at any time.

mod link;
mod listen;
mod operations;
pub(super) mod script;

use std::{fmt, sync::Arc, time::Duration};

use ::redis::{Client, Cmd, FromRedisValue, RedisResult, ServerErrorKind, TlsCertificates, cmd};
use async_trait::async_trait;
use bytes::Bytes;
use prometheus_client::registry::Registry;
use tokio::{sync::Notify, task::JoinSet, time::Instant};

use self::{
    link::Link,
    operations::{Operation, Operations, Status},
    script::Script,
};
use super::{Away, Claim, Config, Shared, Subscription, Verdict, subscription::Channels};

/// State on a server.
pub(super) struct Redis {
    prefix: String,
    budget: Duration,
    longest: usize,
    script: Script,
    link: Arc<Link>,
    channels: Channels,
    wanted: Arc<Notify>,
    operations: Operations,
    /// The keeper and the listener; they end with the value.
    _tasks: JoinSet<()>,
}

/// The client for a URL; no message of its error holds the URL.
pub(super) fn client(url: &str) -> RedisResult<Client> {
    Client::open(url)
}

/// The same, and the server's certificate is checked against these (PEM).
pub(super) fn client_trusting(url: &str, authority: Vec<u8>) -> RedisResult<Client> {
    Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert: Some(authority) })
}

impl Redis {
    /// Starts looking for the server, and waits for it for a moment.
    pub(super) async fn open(config: &Config, client: Client) -> Self {
        let link = Arc::new(Link::default());
        let script = Script::new();
        let (channels, wanted) = (Channels::default(), Arc::new(Notify::new()));
        let prefix = format!("{}:", config.prefix);
        let mut tasks = JoinSet::new();
        link.first(&client, &script).await;
        tasks.spawn(link::keep(link.clone(), client.clone(), script.clone()));
        tasks.spawn(listen::listen(channels.clone(), client, prefix.clone(), wanted.clone()));
        Self {
            prefix,
            budget: config.timeout.get(),
            longest: config.value.bytes(),
            script,
            link,
            channels,
            wanted,
            operations: Operations::default(),
            _tasks: tasks,
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Asks the server, within the budget.
    async fn ask<T: FromRedisValue>(&self, operation: Operation, command: &Cmd) -> Result<T, Away> {
        self.ask_or(operation, command, |_| None).await
    }

    /// The same; an error of the server may be worth asking otherwise.
    async fn ask_or<T: FromRedisValue>(
        &self,
        operation: Operation,
        command: &Cmd,
        otherwise: impl Fn(&::redis::RedisError) -> Option<Cmd> + Send,
    ) -> Result<T, Away> {
        let Some(live) = self.link.live() else {
            self.operations.count(operation, Status::Away);
            return Err(Away);
        };
        let mut connection = live.connection();
        let begun = Instant::now();
        let asked = tokio::time::timeout(self.budget, async {
            match command.query_async(&mut connection).await {
                Err(error) => match otherwise(&error) {
                    Some(other) => other.query_async(&mut connection).await,
                    None => Err(error),
                },
                answer => answer,
            }
        });
        let answer = asked.await;
        let status = match &answer {
            Ok(Ok(_)) => Status::Ok,
            Ok(Err(_)) => Status::Error,
            Err(_) => Status::Timeout,
        };
        self.operations.time(operation, status, begun.elapsed());
        match answer {
            Ok(Ok(value)) => {
                live.answered();
                return Ok(value);
            }
            Ok(Err(error)) if error.is_unrecoverable_error() => self.link.lose(&live, &error),
            Ok(Err(error)) => tracing::warn!(operation = operation.as_str(), error = error.category(), "Redis refuses"),
            Err(_) => self.link.strike(&live),
        }
        Err(Away)
    }
}

#[async_trait]
impl Shared for Redis {
    async fn take(&self, claims: &[Claim<'_>]) -> Result<Verdict, Away> {
        let command = self.script.command(&self.prefix, claims);
        let is_new = |error: &::redis::RedisError| error.kind() == ::redis::ErrorKind::Server(ServerErrorKind::NoScript);
        let whole = |error: &::redis::RedisError| is_new(error).then(|| self.script.whole(&self.prefix, claims));
        let (claim, wait): (i64, u64) = self.ask_or(Operation::Take, &command, whole).await?;
        Ok(match usize::try_from(claim) {
            Ok(claim) => Verdict::Refused { claim, retry_after: Duration::from_micros(wait) },
            Err(_) => Verdict::Taken,
        })
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Away> {
        let mut command = cmd("GETRANGE");
        // One byte more than is allowed shows a value that is too long, which we have not put there.
        command.arg(self.key(key)).arg(0).arg(self.longest);
        let value: Vec<u8> = self.ask(Operation::Get, &command).await?;
        Ok((!value.is_empty() && value.len() <= self.longest).then(|| value.into()))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), Away> {
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        if value.is_empty() || value.len() > self.longest || millis == 0 {
            return Ok(());
        }
        self.ask(Operation::Put, cmd("SET").arg(self.key(key)).arg(&value[..]).arg("PX").arg(millis)).await
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Away> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut command = cmd("UNLINK");
        for key in keys {
            command.arg(self.key(key));
        }
        self.ask(Operation::Delete, &command).await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), Away> {
        self.ask(Operation::Publish, cmd("PUBLISH").arg(self.key(channel)).arg(&message[..])).await
    }

    fn subscribe(&self, channel: &str) -> Subscription {
        let subscription = self.channels.subscribe(channel);
        self.wanted.notify_one();
        subscription
    }

    fn register(&self, registry: &mut Registry) {
        self.operations.register(registry);
        self.link.register(registry);
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
