//! What a legacy client expects the gate to remember. Over HTTP it belongs to a session, over stdio to the process.

mod peer;

pub(crate) use self::peer::Peer;
