//! Looking again at who a stream is for, for as long as it is open.
//!
//! A request is recognised once, when it comes. What answers it for minutes must not go on for a caller whose token has expired, or
//! whose key was revoked, or who lost a role: it ends, and the client has to come again.

use std::sync::Arc;

use callgate_model::{Credentials, RequestId, Unidentified};
use tokio::time::{Instant, sleep_until};

use super::{arrival::Arrival, connected::Connected, credentials};
use crate::desk::Desk;

/// What a request brought, kept while its answer goes on.
struct Kept {
    request: RequestId,
    bearer: Option<String>,
    key: Option<String>,
    connected: Arc<Connected>,
}

impl Kept {
    fn credentials(&self) -> Credentials<'_> {
        Credentials { bearer: self.bearer.as_deref(), key: self.key.as_deref(), certificate: self.connected.certificate.as_deref() }
    }
}

/// Done when the caller is not to be served any more on what the request brought. If that cannot be decided for a while, the stream goes
/// on until what was proven at the beginning is over.
pub(super) fn over(desk: &Arc<Desk>, connected: &Arc<Connected>, arrival: Arrival<'_>) -> impl Future<Output = ()> + Send + use<> {
    let Arrival { parts, labels, caller } = arrival;
    let (caller, request) = (caller.clone(), labels.request.clone());
    let brought = credentials::of(parts, None).unwrap_or_default();
    let kept = Kept { request, bearer: brought.bearer.map(Into::into), key: brought.key.map(Into::into), connected: connected.clone() };
    let desk = desk.clone();
    async move {
        let limits = &desk.config.proof;
        let end = caller.expires.map(|end| Instant::now() + desk.until(end) + limits.grace.get());
        loop {
            let next = Instant::now() + limits.recheck.get();
            sleep_until(end.map_or(next, |end| end.min(next))).await;
            if end.is_some_and(|end| end <= Instant::now()) {
                return;
            }
            match desk.gateway.identify(&kept.request, &kept.credentials()).await {
                Ok(again) if Arc::ptr_eq(&again, &caller) || again == caller => {}
                Err(Unidentified::Unavailable { .. }) => {}
                Ok(_) | Err(Unidentified::Missing | Unidentified::Refused(_)) => return,
            }
        }
    }
}
