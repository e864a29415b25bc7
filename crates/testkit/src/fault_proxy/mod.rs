//! A TCP proxy on a free port of loopback that can be told what to do to its connections.
//!
//! What it is told holds at once, for connections that are open and for those that come. It knows nothing of what it carries. It
//! promises that everything it does ends when the value is dropped; bytes that were held back are then lost, as they would be.

mod pump;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use pump::{End, Towards, carry};

/// What is done to connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// What the server says arrives this much later, piece by piece.
    Late(Duration),
    /// What the server says arrives byte by byte, with this much time between.
    Drip(Duration),
    /// The connection is closed after this many more bytes of the server.
    Cut(usize),
    /// Open connections and new ones are reset.
    Reset,
    /// New connections are taken and nothing is carried either way; open ones fall silent.
    Silent,
    /// Every byte of the server arrives as another.
    Garbled,
    /// Open connections are closed and new ones refused.
    Refused,
}

/// A running proxy.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    heard: watch::Receiver<Fault>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts one before `server`; nothing is done to its connections yet.
    pub async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((server.ip(), 0)).await.context("no free port")?;
        let address = listener.local_addr()?;
        let (fault, faults) = watch::channel(Fault::None);
        let (hear, heard) = watch::channel(Fault::None);
        let task = tokio::spawn(serve(listener, address, server, faults, hear));
        Ok(Self { address, fault, heard, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From when this returns, this is done to all connections.
    pub async fn inflict(&mut self, fault: Fault) {
        self.fault.send_replace(fault);
        // The proxy ends only with this value.
        let _ = self.heard.wait_for(|heard| *heard == fault).await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections for as long as it is not aborted; those it took end with it.
async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    server: SocketAddr,
    mut faults: watch::Receiver<Fault>,
    hear: watch::Sender<Fault>,
) {
    let mut listener = Some(listener);
    let mut open = JoinSet::new();
    loop {
        let fault = *faults.borrow_and_update();
        match fault {
            Fault::Refused => listener = None,
            _ if listener.is_none() => listener = again(address).ok(),
            _ => {}
        }
        hear.send_replace(fault);
        tokio::select! {
            changed = faults.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            Some(client) = accepted(listener.as_ref()) => {
                open.spawn(connection(client, server, faults.clone()));
            }
            Some(_) = open.join_next() => {}
        }
    }
}

/// The next connection; never, while none are taken.
async fn accepted(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

/// Listens at the same address as before.
fn again(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn connection(client: TcpStream, server: SocketAddr, faults: watch::Receiver<Fault>) {
    let fault = *faults.borrow();
    if fault == Fault::Reset {
        let _ = client.set_zero_linger();
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    // What is not late on purpose is not late at all.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client, server) = (Arc::new(client), Arc::new(server));
    let end = tokio::select! {
        end = carry(&client, &server, Towards::Server, faults.clone()) => end,
        end = carry(&server, &client, Towards::Client, faults) => end,
    };
    if end == End::Reset {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}
