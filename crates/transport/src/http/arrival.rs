//! A request whose caller is known; its body has not been read.

use std::{sync::Arc, time::Duration};

use callgate_model::{Caller, Credentials, Unidentified};
use http::{Response, request::Parts};

use super::{
    Server,
    challenge::{self, Brought},
    connected::Connected,
    credentials,
    health::Sight,
    labels::Labels,
    reply::Body,
};
use crate::config::Metrics;

/// When to come back to a gate that does not know its own user.
const AGAIN: Duration = Duration::from_secs(1);

/// A request apart from its body, and who sent it.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'r> {
    pub(super) parts: &'r Parts,
    pub(super) labels: &'r Labels,
    pub(super) caller: &'r Arc<Caller>,
}

impl Server {
    /// Who sent this request; or the answer to whoever did not say so.
    pub(super) async fn identify(&self, connected: &Connected, parts: &Parts, labels: &Labels) -> Result<Arc<Caller>, Box<Response<Body>>> {
        let (gateway, request) = (&self.desk.gateway, &labels.request);
        let Some(authentication) = gateway.authentication() else {
            // Nobody is asked who they are, so that nothing they say about it matters.
            return gateway.identify(request, &Credentials::default()).await.map_err(|_| Box::new(challenge::unavailable(AGAIN)));
        };
        let refuse = |brought| Box::new(challenge::unauthorized(&authentication, parts, &connected.scheme, brought));
        let credentials = credentials::of(parts, connected.certificate.as_deref()).map_err(|why| {
            gateway.turned_away(request, why);
            refuse(Brought::Bad(why))
        })?;
        gateway.identify(request, &credentials).await.map_err(|unidentified| match unidentified {
            Unidentified::Missing => refuse(Brought::Nothing),
            Unidentified::Refused(reason) => {
                tracing::debug!(reason, "a caller was not recognised");
                refuse(Brought::Bad("this token or key is not known here, or not valid any more"))
            }
            Unidentified::Unavailable { retry_after, reason } => {
                tracing::debug!(reason, "nobody can be recognised just now");
                Box::new(challenge::unavailable(retry_after))
            }
        })
    }

    /// Whether this request comes from one who runs the gate; if not, the answer to it.
    pub(super) async fn operates(&self, connected: &Connected, parts: &Parts, labels: &Labels) -> Result<(), Box<Response<Body>>> {
        if self.is_open(connected) {
            return Ok(());
        }
        let role = &self.desk.config.http.operators;
        let caller = self.identify(connected, parts, labels).await?;
        if caller.is(role) { Ok(()) } else { Err(Box::new(challenge::not_for_you(role))) }
    }

    /// How much of the gate's state the sender of this request may see. Whoever brings nothing is not asked: what keeps the process
    /// running looks every few seconds.
    pub(super) async fn sight(&self, connected: &Connected, parts: &Parts, labels: &Labels) -> Sight {
        let is_good = match credentials::of(parts, connected.certificate.as_deref()) {
            Ok(Credentials { bearer: None, key: None, certificate: None }) | Err(_) => self.is_open(connected),
            Ok(_) => self.operates(connected, parts, labels).await.is_ok(),
        };
        if is_good { Sight::Parts } else { Sight::Whole }
    }

    /// Nobody on this connection needs to be asked whether they run the gate.
    fn is_open(&self, connected: &Connected) -> bool {
        let is_open = match self.desk.config.http.metrics {
            Metrics::Operators => false,
            Metrics::Loopback => connected.address.to_canonical().is_loopback(),
            Metrics::Public => true,
        };
        is_open || self.desk.gateway.authentication().is_none()
    }
}
