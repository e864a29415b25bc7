//! The chain: each record's hash covers its line and the hash of the record before it.
//!
//! `hash = SHA-256(hex of the previous hash ‖ line)`; before the first record of a chain stand 64 zeros. Everybody can check it:
//!
//! ```sh
//! printf '%s%s' "$previous" "$line" | sha256sum
//! ```
//!
//! A gate writes one chain at a time, and nobody else writes that chain meanwhile. A store has room for [`CHAINS`] of them.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// How many gates can write to one store at once.
pub const CHAINS: u32 = 256;

/// Bits of a row's number that count inside its chain; the bits above say which chain it is.
const COUNT: u32 = 40;

/// The hash of a record.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hash(pub(crate) [u8; 32]);

/// The last record of a chain: where it stands and what it hashes to. Before the first record: 0 and zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The chain.
    pub chain: u32,
    /// The place of its last record.
    pub seq: u64,
    /// The hash of its last record.
    pub hash: Hash,
}

impl Head {
    /// The head of a chain without records.
    #[must_use]
    pub fn start(chain: u32) -> Self {
        Self { chain, ..Self::default() }
    }

    /// The number under which this record is stored.
    pub(crate) fn row(&self) -> i64 {
        row(self.chain, self.seq)
    }

    /// The head once `line` stands behind this one.
    pub(crate) fn then(&self, line: &[u8]) -> Self {
        Self { chain: self.chain, seq: self.seq + 1, hash: self.hash.then(line) }
    }
}

/// The number of a record's row.
pub(crate) fn row(chain: u32, seq: u64) -> i64 {
    // 256 chains of 2^40 records leave the sign alone.
    (i64::from(chain) << COUNT) | i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Chain and place of a row.
pub(crate) fn place(row: i64) -> (u32, u64) {
    let seq = row & ((1 << COUNT) - 1);
    (u32::try_from(row >> COUNT).unwrap_or(u32::MAX), seq.unsigned_abs())
}

impl Hash {
    /// The hash of `line` behind a record with this hash.
    #[must_use]
    pub fn then(&self, line: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&self.hex());
        context.update(line);
        Self::of(context.finish().as_ref()).expect("SHA-256 gives 32 bytes")
    }

    /// A hash that was read; `None` if it is none.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// A hash that was written in hexadecimal.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.bytes().map(|digit| char::from(digit).to_digit(16)).map(|digit| u8::try_from(digit?).ok()).collect::<Option<_>>()?;
        Self::of(&digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect::<Vec<u8>>())
            .filter(|_| digits.len() == 64)
    }

    fn hex(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 64];
        for (index, byte) in self.0.iter().enumerate() {
            hex[2 * index] = DIGITS[usize::from(byte >> 4)];
            hex[2 * index + 1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hex().iter().try_for_each(|digit| fmt::Write::write_char(f, char::from(*digit)))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
