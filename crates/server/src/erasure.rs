//! Forgetting a caller: its records stay and verify, and name nobody.
//!
//! The forgetting is itself on record, as any write is: its intent is durable before anything is removed, and its record says which
//! pseudonym is nobody's now and in how many records it stands. It does not say whose it was.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use callgate_model::{Caller, Clock, Origin, Proof, RequestId};
use callgate_store::{Filter, Pending, Record, Store, Subject};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::{Error, Records};

/// How long the log may take to write something down.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of forgetting a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// How many records name nobody now; `None` if the caller had no pseudonym, and nothing was removed.
    pub records: Option<u64>,
    /// How many records name the caller by its own name, from times without pseudonyms. They stay.
    pub bare: u64,
}

/// Forgets a caller of a tenant in `store`, whose log is read by `records`.
pub(crate) async fn erase(store: &dyn Store, records: &Records, tenant: &str, caller: &str) -> Result<Erased, Error> {
    let record = about(tenant);
    let begun = Instant::now();
    let (intent, written) = store.audit().intend(record.clone());
    if !matches!(timeout(PATIENCE, written).await, Ok(Ok(()))) {
        return Err(Error::Unrecorded("nothing was forgotten"));
    }
    let record = Record { intent: Some(intent), ..record };
    let gone = store.callers().forget(tenant, caller).await?;
    let erased = count(records, tenant, caller, gone.as_deref()).await?;
    let arguments = match (&gone, erased.records) {
        (Some(pseudonym), Some(records)) => serde_json::json!({ "pseudonym": pseudonym, "records": records }).to_string(),
        _ => "{}".to_owned(),
    };
    let reason = gone.is_none().then(|| "there was no such pseudonym".to_owned());
    let outcome = if gone.is_some() { "ok" } else { "unknown" };
    let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a new semaphore has its place free");
    let (pending, written) = Pending::urgent(Record { arguments, outcome, reason, duration: begun.elapsed(), ..record }, slot);
    store.audit().append(pending);
    match timeout(PATIENCE, written).await {
        Ok(Ok(())) => Ok(erased),
        Ok(Err(_)) | Err(_) => Err(Error::Unrecorded("the caller is forgotten, and the record will say that this is unclear")),
    }
}

/// The record of a forgetting that has not begun.
fn about(tenant: &str) -> Record {
    Record {
        at: Clock::System.now(),
        request: RequestId::fresh(),
        depth: 0,
        caller: Arc::new(Caller::new(tenant, "gate", Proof::Local)),
        origin: Arc::new(Origin { transport: "command", ..Origin::default() }),
        subject: Subject { sort: "audit", name: "forget".to_owned(), backend: None, effect: None },
        arguments: "{}".to_owned(),
        outcome: "intended",
        reason: None,
        duration: Duration::ZERO,
        intent: None,
    }
}

async fn count(records: &Records, tenant: &str, caller: &str, pseudonym: Option<&str>) -> Result<Erased, Error> {
    let filter = Filter { tenant: Some(tenant.to_owned()), ..Filter::default() };
    let mut erased = Erased { records: pseudonym.map(|_| 0), bare: 0 };
    records
        .each(&filter, |_, entry| {
            // A caller who calls meanwhile has a new pseudonym: those records are another matter.
            if entry.pseudonym.is_none() && entry.caller == caller {
                erased.bare += 1;
            } else if let Some(records) = erased.records.as_mut().filter(|_| Some(entry.caller.as_str()) == pseudonym) {
                *records += 1;
            }
            ControlFlow::Continue(())
        })
        .await?;
    Ok(erased)
}
