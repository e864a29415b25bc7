//! Who the scripted gate recognises. What a token is good for is in its name: `ann` and `bob` are callers, `ops` runs the gate,
//! `away` cannot be looked at just now. Each is good as a bearer token and as a key.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use callgate_model::{Authentication, Caller, Credentials, Proof, RequestId, Unidentified};

/// The list of guests.
#[derive(Default)]
pub(crate) struct Guests {
    pub(crate) authentication: Arc<Authentication>,
    revoked: Mutex<HashSet<String>>,
    turned_away: Mutex<Vec<String>>,
}

impl Guests {
    pub(super) fn new() -> Self {
        let authentication = Authentication {
            resource: Some("https://gate.example/mcp".into()),
            authorization_servers: vec!["https://id.example".into()],
            scopes: vec!["read:customers".into(), "write:orders".into()],
        };
        Self { authentication: Arc::new(authentication), ..Self::default() }
    }

    pub(super) fn identify(&self, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        let brought = [credentials.bearer, credentials.key, credentials.certificate.map(|_| "cert")];
        let mut brought: Vec<_> = brought.into_iter().flatten().collect();
        brought.dedup();
        let name = match brought[..] {
            [] => return Err(Unidentified::Missing),
            [name] => name,
            _ => return Err(Unidentified::Refused("they disagree".into())),
        };
        if self.revoked.lock().expect("no panic").contains(name) {
            return Err(Unidentified::Refused("revoked".into()));
        }
        match name {
            "ann" | "bob" | "cert" => Ok(Arc::new(Caller::new("t1", name, Proof::Key))),
            "ops" => {
                let mut operator = Caller::new("t1", name, Proof::Key);
                operator.roles.push("operator".into());
                Ok(Arc::new(operator))
            }
            // Ann again, by a token that reaches further.
            "ann+" => {
                let mut ann = Caller::new("t1", "ann", Proof::Key);
                ann.roles.push("operator".into());
                Ok(Arc::new(ann))
            }
            // Good until long ago: whoever is served on it is served for the grace alone.
            "brief" => {
                let mut brief = Caller::new("t1", name, Proof::Token);
                brief.expires = Some(jiff::Timestamp::UNIX_EPOCH);
                Ok(Arc::new(brief))
            }
            "away" => Err(Unidentified::Unavailable { retry_after: Duration::from_millis(2500), reason: "no answer".into() }),
            _ => Err(Unidentified::Refused("nobody knows it".into())),
        }
    }

    pub(super) fn turned_away(&self, request: &RequestId, why: &'static str) {
        self.turned_away.lock().expect("no panic").push(format!("{request}: {why}"));
    }

    /// Which requests were turned away unheard.
    pub(crate) fn unheard(&self) -> Vec<String> {
        self.turned_away.lock().expect("no panic").clone()
    }

    pub(crate) fn revoke(&self, name: &str) {
        self.revoked.lock().expect("no panic").insert(name.into());
    }
}
