//! The connection to the server, and who looks after it.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use ::redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, aio::MultiplexedConnection};
use arc_swap::ArcSwapOption;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::script::Script;

/// How long connecting may take, until the server has answered.
const CONNECT: Duration = Duration::from_millis(500);
/// How long after a failure the server is looked for again.
pub(super) const AGAIN: Duration = Duration::from_millis(500);
/// So many operations in a row that take too long are not chance.
const STRIKES: u32 = 3;
/// How many operations may stand in line for the socket.
const LINE: usize = 1024;

/// The way to the server, if there is one just now.
#[derive(Default)]
pub(super) struct Link {
    live: ArcSwapOption<Live>,
    lost: Notify,
    up: Gauge<i64, AtomicI64>,
}

/// A connection that has answered.
pub(super) struct Live {
    connection: MultiplexedConnection,
    strikes: AtomicU32,
}

impl Live {
    /// The connection; all share its socket.
    pub(super) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    /// An operation was answered in time.
    pub(super) fn answered(&self) {
        if self.strikes.load(Ordering::Relaxed) > 0 {
            self.strikes.store(0, Ordering::Relaxed);
        }
    }
}

impl Link {
    /// The connection, if there is one.
    pub(super) fn live(&self) -> Option<Arc<Live>> {
        self.live.load_full()
    }

    /// An operation took too long.
    pub(super) fn strike(&self, live: &Arc<Live>) {
        if live.strikes.fetch_add(1, Ordering::Relaxed) + 1 >= STRIKES && self.take_away(live) {
            tracing::warn!("Redis does not answer in time: going on without what replicas share until it does");
        }
    }

    /// The connection is no longer of use.
    pub(super) fn lose(&self, live: &Arc<Live>, error: &RedisError) {
        if self.take_away(live) {
            tracing::warn!(
                error = error.category(),
                "the connection to Redis is lost: going on without what replicas share until it is back"
            );
        }
    }

    /// Tries once, so that the first call finds a connection if there is one to be had.
    pub(super) async fn first(&self, client: &Client, script: &Script) {
        match connect(client, script).await {
            Ok(connection) => self.put(connection),
            Err(error) => tracing::warn!(error = error.category(), "Redis cannot be reached: going on without what replicas share"),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("mcp_redis_up", "1 while the server that replicas share answers", self.up.clone());
    }

    fn put(&self, connection: MultiplexedConnection) {
        self.live.store(Some(Arc::new(Live { connection, strikes: AtomicU32::new(0) })));
        self.up.set(1);
    }

    /// Whether it was this connection, and we were the first.
    fn take_away(&self, live: &Arc<Live>) -> bool {
        let before = self.live.compare_and_swap(live, None);
        let ours = before.as_ref().is_some_and(|before| Arc::ptr_eq(before, live));
        if ours {
            self.up.set(0);
            self.lost.notify_one();
        }
        ours
    }
}

/// Sees to it that there is a connection whenever there can be one.
pub(super) async fn keep(link: Arc<Link>, client: Client, script: Script) {
    loop {
        if link.live.load().is_some() {
            link.lost.notified().await;
            sleep(AGAIN).await;
        }
        match connect(&client, &script).await {
            Ok(connection) => {
                link.put(connection);
                tracing::info!("Redis answers again");
            }
            Err(_) => sleep(AGAIN).await,
        }
    }
}

/// A connection to a server that has answered and knows the script.
async fn connect(client: &Client, script: &Script) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None).set_pipeline_buffer_size(LINE);
    soon(async {
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        script.load().exec_async(&mut connection).await?;
        Ok(connection)
    })
    .await
}

/// What takes longer than connecting may is an error like others.
pub(super) async fn soon<T>(work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(CONNECT, work).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
