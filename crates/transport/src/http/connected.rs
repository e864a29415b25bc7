//! What is known of a connection before any request has come on it.

use std::net::IpAddr;

use http::uri::Scheme;

/// One connection.
#[derive(Debug)]
pub(super) struct Connected {
    /// Where it comes from.
    pub(super) address: IpAddr,
    /// The client's certificate (DER), if it has shown one that holds.
    pub(super) certificate: Option<Vec<u8>>,
    /// `https` if it is encrypted up to here.
    pub(super) scheme: Scheme,
}
