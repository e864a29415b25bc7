//! One direction of one connection.

use std::io;

use tokio::{net::TcpStream, sync::watch, time::sleep};

use super::Fault;

/// Which way bytes go. Most faults are done to what the server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Towards {
    Client,
    Server,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    Reset,
}

/// Carries bytes until one side closes, or a fault ends the connection.
pub(super) async fn carry(from: &TcpStream, to: &TcpStream, towards: Towards, mut faults: watch::Receiver<Fault>) -> End {
    let mut buffer = vec![0; 16 * 1024];
    let mut carried = 0;
    loop {
        let fault = match passing(&mut faults).await {
            Ok(fault) => fault,
            Err(end) => return end,
        };
        let read = tokio::select! {
            changed = faults.changed() => {
                // Counted from when the fault began.
                carried = 0;
                if changed.is_ok() { continue } else { return End::Closed }
            }
            ready = from.readable() => ready.and_then(|()| from.try_read(&mut buffer)),
        };
        let length = match read {
            Ok(0) => return End::Closed,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => return End::Closed,
        };
        let bytes = &mut buffer[..length];
        let done = if towards == Towards::Client { deliver(to, bytes, fault, &mut carried).await } else { write(to, bytes).await };
        if done.is_err() {
            return End::Closed;
        }
    }
}

/// Waits while nothing may pass; then the fault that does let something pass, or how the connection ends.
async fn passing(faults: &mut watch::Receiver<Fault>) -> Result<Fault, End> {
    loop {
        match *faults.borrow_and_update() {
            Fault::Reset => return Err(End::Reset),
            Fault::Refused => return Err(End::Closed),
            Fault::Silent => {}
            fault => return Ok(fault),
        }
        faults.changed().await.map_err(|_| End::Closed)?;
    }
}

/// What the server said, in the way the fault has it.
async fn deliver(client: &TcpStream, bytes: &mut [u8], fault: Fault, carried: &mut usize) -> io::Result<()> {
    match fault {
        Fault::Late(time) => {
            sleep(time).await;
            write(client, bytes).await
        }
        Fault::Drip(time) => {
            for byte in bytes.chunks(1) {
                write(client, byte).await?;
                sleep(time).await;
            }
            Ok(())
        }
        Fault::Cut(after) => {
            let left = after.saturating_sub(*carried).min(bytes.len());
            *carried += left;
            write(client, &bytes[..left]).await?;
            if *carried >= after { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
        }
        Fault::Garbled => {
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            write(client, bytes).await
        }
        Fault::None | Fault::Reset | Fault::Silent | Fault::Refused => write(client, bytes).await,
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
