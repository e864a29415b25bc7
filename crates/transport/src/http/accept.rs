//! Accepting connections: so many in all, so many from one address, until the gate stops.
//!
//! Two spans here are no configuration. The breath is taken only when the system is out of handles. The sweep frees memory and decides
//! nothing: a session that is over is refused at its next request, swept or not.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{Server, connection};

/// How long to wait when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(50);
/// How often sessions that are over are looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// The room that one connection takes; free again when dropped.
pub(super) struct Room {
    _permit: OwnedSemaphorePermit,
    addresses: Arc<Addresses>,
    address: IpAddr,
}

/// Accepts until `shutdown` is done. The listener is closed when this returns.
pub(super) async fn until(server: &Arc<Server>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let limits = &server.desk.config.http;
    let connections = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let builder = Arc::new(connection::builder(limits));
    let mut shutdown = pin!(shutdown);
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => return,
            _ = sweep.tick() => {
                server.sessions.sweep();
                continue;
            }
            accepted = next(&listener, &connections) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let Ok(peer) = stream.peer_addr() else { continue };
        if let Some(room) = server.addresses.room(peer.ip(), permit, limits.per_address) {
            server.desk.tasks.spawn(connection::serve(server.clone(), builder.clone(), stream, peer.ip(), room));
        }
    }
}

/// The next connection and its place among all.
async fn next(listener: &TcpListener, connections: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // A peer that was gone again at once is none of our business; without file handles we wait for some to be closed.
            tracing::debug!(%error, "a connection could not be accepted");
            sleep(BREATH).await;
            None
        }
    }
}

/// How many connections each address has.
#[derive(Default)]
pub(super) struct Addresses(Mutex<HashMap<IpAddr, usize>>);

impl Addresses {
    /// How many connections there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Room for one more connection; `None` if its address has too many.
    fn room(self: &Arc<Self>, address: IpAddr, permit: OwnedSemaphorePermit, most: usize) -> Option<Room> {
        let address = household(address);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= most.max(1) {
            return None;
        }
        *count += 1;
        Some(Room { _permit: permit, addresses: self.clone(), address })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut open = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// In IPv6 one customer has a whole /64.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}
