//! API keys in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{ApiKey, Error, Keys};

/// The table.
#[derive(Debug, Default)]
pub(super) struct Table(Mutex<Vec<ApiKey>>);

impl Table {
    fn lock(&self) -> MutexGuard<'_, Vec<ApiKey>> {
        // Nothing under this lock can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Keys for Table {
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        Ok(self.lock().iter().find(|key| key.id == id).cloned())
    }

    async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        Ok(self.lock().clone())
    }

    async fn add(&self, key: &ApiKey) -> Result<(), Error> {
        let mut keys = self.lock();
        if keys.iter().any(|other| other.id == key.id) {
            return Err(Error::Taken { id: key.id.clone() });
        }
        keys.push(key.clone());
        Ok(())
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, Error> {
        let mut keys = self.lock();
        let key = keys.iter_mut().find(|key| key.id == id && key.revoked.is_none());
        Ok(key.map(|key| key.revoked = Some(at)).is_some())
    }
}
