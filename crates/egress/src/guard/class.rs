//! What kind of address an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of addresses that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somewhere on the internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// This wire only.
    LinkLocal,
    /// Where a cloud hands out credentials to whoever asks.
    Metadata,
    /// Nothing one could call: multicast, reserved, documentation, tunnels.
    Reserved,
}

/// Addresses at which clouds hand out credentials.
const METADATA_V4: [[u8; 4]; 6] =
    [[169, 254, 169, 254], [169, 254, 170, 2], [169, 254, 170, 23], [100, 100, 100, 200], [192, 0, 0, 192], [168, 63, 129, 16]];
const METADATA_V6: [[u16; 8]; 3] =
    [[0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]];

impl Class {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "an address of this machine",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "where a cloud hands out credentials: never called",
            Self::Reserved => "a reserved address",
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [a, b, c, _] = address.octets();
        if METADATA_V4.contains(&address.octets()) {
            return Self::Metadata;
        }
        match (a, b, c) {
            (127, ..) => Self::Loopback,
            (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Self::Private,
            (169, 254, _) => Self::LinkLocal,
            // This network, protocol assignments, documentation, benchmarks, 6to4 relays, multicast and what is beyond.
            (0, ..) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) | (224.., ..) => Self::Reserved,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let segments = address.segments();
        if METADATA_V6.contains(&segments) {
            return Self::Metadata;
        }
        if let Some(inner) = embedded(&segments) {
            return Self::of_v4(inner);
        }
        match segments[0] {
            _ if address.is_loopback() => Self::Loopback,
            0xfc00..=0xfdff => Self::Private,
            0xfe80..=0xfebf => Self::LinkLocal,
            // Documentation, Teredo, benchmarks, ORCHID, 6to4: all below 2001:200 or with a prefix of their own.
            0x2001 if segments[1] < 0x200 || segments[1] == 0xdb8 => Self::Reserved,
            0x2002 | 0x3fff => Self::Reserved,
            0x2000..=0x3fff => Self::Public,
            _ => Self::Reserved,
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, or translated by NAT64 (well-known prefix).
fn embedded(segments: &[u16; 8]) -> Option<Ipv4Addr> {
    let [high, low] = [segments[6].to_be_bytes(), segments[7].to_be_bytes()];
    let inner = Ipv4Addr::new(high[0], high[1], low[0], low[1]);
    matches!(segments, [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..]).then_some(inner)
}
