//! A connection on loan. Unless it is given back clean, what runs on it is cancelled on the server and the connection is closed.

use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::CancelToken;

use super::connect::Tls;

/// A connection on loan.
///
/// States: *dirty* from the beginning; *clean* once the transaction has ended, by [`Lease::clean`]. A clean one goes back to the pool
/// when it is dropped. A dirty one was given up in the middle of something: its statement is cancelled and it is never used again.
pub(super) struct Lease {
    client: Option<Object>,
    token: CancelToken,
    tls: Tls,
}

impl Lease {
    /// Takes charge of a connection.
    pub(super) fn new(client: Object, tls: Tls) -> Self {
        Self { token: client.cancel_token(), client: Some(client), tls }
    }

    /// The connection.
    pub(super) fn client(&self) -> &ClientWrapper {
        self.client.as_ref().expect("the connection leaves only when the lease is over")
    }

    /// Nothing runs on it and no transaction is open: it goes back.
    pub(super) fn clean(mut self) {
        self.client = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let client = Object::take(client);
        // Without a runtime everything is over anyway; the server notices when the socket closes.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (token, tls) = (self.token.clone(), self.tls.clone());
        runtime.spawn(async move {
            if !client.is_closed() {
                tls.cancel(token).await;
            }
            drop(client);
        });
    }
}
