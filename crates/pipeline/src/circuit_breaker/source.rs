//! Who had an attempt made, as far as a circuit tells them apart: the tenant, or the tool in a gate of one tenant.

use crate::layer::Tenants;

/// One of a few groups of tenants or tools. Two that fall into the same one count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source(u8);

impl Source {
    /// How many are told apart.
    pub(super) const COUNT: usize = 16;

    /// That of a call; `tool` is the tool's index, if it is about one.
    pub(crate) fn of(tenants: Tenants, tenant: &str, tool: Option<usize>) -> Self {
        match tenants {
            Tenants::Many => Self::at(hash(tenant)),
            Tenants::One => Self::at(tool.map_or(0, |tool| tool + 1)),
        }
    }

    /// The one of this number, counted around.
    pub(super) fn at(number: usize) -> Self {
        Self(u8::try_from(number % Self::COUNT).expect("there are fewer than 256"))
    }

    pub(super) fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// FNV-1a. Nobody gains by two names that fall together: then more is left out of the count, not less.
fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    usize::from((hash >> 56) as u8 ^ (hash >> 28) as u8)
}
