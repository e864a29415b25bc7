//! Client certificates: the listener has verified the chain, here the leaf is matched with a caller.

mod config;
mod leaf;

use std::sync::Arc;

use callgate_model::{Caller, Clock, Proof, Scopes};

pub(crate) use self::config::Config;
use self::leaf::Leaf;
use crate::refusal::Refusal;

/// The certificates that stand for callers.
#[derive(Debug)]
pub(crate) struct Certificates {
    rows: Vec<Config>,
    clock: Clock,
}

impl Certificates {
    pub(crate) fn new(rows: &[Config], clock: Clock) -> Self {
        Self { rows: rows.to_vec(), clock }
    }

    /// The caller of the first row that fits; `None` if none does, or if certificates stand for nobody here.
    pub(crate) fn recognise(&self, der: &[u8]) -> Result<Option<Arc<Caller>>, Refusal> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let leaf = Leaf::read(der).ok_or_else(|| Refusal::lasting("the client certificate cannot be read"))?;
        if leaf.ends <= self.clock.now() {
            return Err(Refusal::lasting("the client certificate has expired"));
        }
        let Some((row, name)) = self.rows.iter().find_map(|row| Some((row, row.fits(&leaf)?))) else { return Ok(None) };
        let id = row.caller.as_deref().unwrap_or(name);
        let mut caller = Caller::new(row.tenant.as_str(), id, Proof::Certificate);
        caller.roles = row.roles.iter().map(|role| role.as_str().into()).collect();
        caller.scopes = Scopes::Named(row.scopes.iter().map(|scope| scope.as_str().into()).collect());
        caller.expires = Some(leaf.ends);
        Ok(Some(Arc::new(caller)))
    }
}
