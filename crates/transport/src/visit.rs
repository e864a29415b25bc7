//! One request, apart from what it asks: who sends it, from where, and how its reply must look.

use std::sync::Arc;

use bytes::Bytes;
use callgate_model::{Caller, ClientCapabilities, Identity, Origin, RequestId};
use callgate_protocol::{Id, Revision, encode::Frame};

use crate::{exchange::Wishes, legacy::Peer};

/// What is known about a request.
pub(crate) struct Visit {
    pub(crate) revision: Revision,
    pub(crate) id: Id,
    pub(crate) request: RequestId,
    pub(crate) caller: Arc<Caller>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) client: ClientCapabilities,
    pub(crate) wishes: Wishes,
    /// The message itself. It is read again in the rare case that the call has to be made again.
    pub(crate) raw: Bytes,
    /// The legacy client who sends it.
    pub(crate) peer: Option<Arc<Peer>>,
}

impl Visit {
    /// The frame of its reply.
    pub(crate) fn frame<'f>(&'f self, identity: &'f Identity) -> Frame<'f> {
        Frame { revision: self.revision, id: &self.id, identity }
    }
}
