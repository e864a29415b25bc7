//! Listening to the server: one more connection, which exists while anybody listens.
//!
//! Whenever a channel is listened to (anew), its listeners are told that they may have missed something: nobody knows what was said
//! before.

use std::{collections::HashSet, sync::Arc, time::Duration};

use ::redis::{Client, RedisResult};
use futures_util::StreamExt as _;
use tokio::{sync::Notify, time::sleep};

use super::link::{AGAIN, soon};
use crate::shared::subscription::Channels;

/// After so long in silence the connection is asked whether it still stands.
const SILENCE: Duration = Duration::from_secs(1);

/// Listens to all channels that anybody wants to hear, as long as it is not dropped.
pub(super) async fn listen(channels: Channels, client: Client, prefix: String, wanted: Arc<Notify>) {
    loop {
        if channels.names().is_empty() {
            wanted.notified().await;
            continue;
        }
        // Why it ended does not matter: it is tried again.
        let _ = connected(&channels, &client, &prefix, &wanted).await;
        sleep(AGAIN).await;
    }
}

/// Until the connection breaks.
async fn connected(channels: &Channels, client: &Client, prefix: &str, wanted: &Notify) -> RedisResult<()> {
    let (mut sink, mut stream) = soon(client.get_async_pubsub()).await?.split();
    let mut heard = HashSet::new();
    loop {
        for name in channels.names() {
            if !heard.contains(&name) {
                soon(sink.subscribe(format!("{prefix}{name}"))).await?;
                channels.miss(&name);
                heard.insert(name);
            }
        }
        tokio::select! {
            message = stream.next() => {
                let Some(message) = message else { return Ok(()) };
                if let Some(name) = message.get_channel_name().strip_prefix(prefix) {
                    channels.tell(name, message.get_payload_bytes().to_vec().into());
                }
            }
            () = wanted.notified() => {}
            () = sleep(SILENCE) => soon(sink.ping()).await?,
        }
    }
}
