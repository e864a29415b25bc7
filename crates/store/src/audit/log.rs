//! The audit log as it is read: by the commands, beside a gate that may be writing it.

use std::{collections::HashMap, fmt};

use async_trait::async_trait;

use super::{Hash, Head};
use crate::Error;

/// A record as it is stored, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The chain.
    pub chain: u32,
    /// Its place in the chain.
    pub seq: u64,
    /// What it is said to hash to; `None` if that is no hash.
    pub hash: Option<Hash>,
    /// Its line.
    pub line: Vec<u8>,
}

/// What stands beside the chains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Calls that may have changed something and have no record yet: they run, or their gate ended.
    pub intents: u64,
    /// Records of versions that had no chain.
    pub before_chain: u64,
    /// Where chains begin that were shortened by age, latest of each chain.
    pub checkpoints: Vec<Head>,
}

/// Reads an audit log; writes nothing, whatever happens.
#[async_trait]
pub trait Log: Send + Sync + fmt::Debug {
    /// At most `most` records behind this place, in the order of chain and place.
    async fn after(&self, chain: u32, seq: u64, most: usize) -> Result<Vec<Row>, Error>;

    /// The last records of each chain, at most `most` of each, in the order of chain and place.
    async fn last(&self, most: usize) -> Result<Vec<Row>, Error>;

    /// The names of callers by their pseudonyms, of those that are known.
    async fn names(&self, pseudonyms: &[String]) -> Result<HashMap<String, String>, Error>;

    /// What stands beside the chains.
    async fn left(&self) -> Result<Left, Error>;
}
