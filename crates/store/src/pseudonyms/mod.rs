//! Pseudonyms: records that do not name whom they are about, so that a person can be forgotten while the hash chain still holds.
//!
//! With them, what is hashed and stored bears a random pseudonym in place of the caller, and a table beside the records says whose it
//! is. Whoever reads the log gets the names from there. To forget a caller is to remove the row: the records stay as they are and
//! verify as before, and nobody can say any more whose they were.
//!
//! - A caller of a tenant has one pseudonym at a time, whichever gate writes. It is made with the first batch that needs it, and is
//!   stored before any record that bears it.
//! - How often callers were forgotten is counted in the store, and every batch is written under the count that it knows. If that has
//!   moved, what a gate remembers is void and the batch is named anew: a forgotten caller who calls again gets another pseudonym from
//!   all gates, at once.
//! - The id of a session would tie the records before to those behind, so the digest of pseudonym and session stands in its place.
//! - Who is no person keeps its name: the machine's own user, the gate itself, and nobody.
//! - A row goes by age once its caller's last record is older than what is kept.
//!
//! Everything here happens on the thread that writes. It leaves to the kinds of store how the table is kept, and to `server` that a
//! forgetting is itself on record.

mod config;
mod names;

use async_trait::async_trait;

pub use config::Config;
pub(crate) use names::{Names, SLACK, view};

use crate::Error;

/// What says whose a pseudonym is.
#[async_trait]
pub trait Callers: Send + Sync {
    /// Removes what says which pseudonym this caller has; gives the pseudonym, or `None` if there was none.
    async fn forget(&self, tenant: &str, caller: &str) -> Result<Option<String>, Error>;
}

/// What every pseudonym begins with.
const PREFIX: &str = "anon-";

/// How many hexadecimal digits follow.
const DIGITS: usize = 32;

/// Whether this has the form of a pseudonym.
#[must_use]
pub fn is_pseudonym(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == DIGITS);
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit() || matches!(digit, b'a'..=b'f')))
}

#[cfg(test)]
mod tests;
