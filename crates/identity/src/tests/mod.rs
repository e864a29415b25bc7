//! Who is recognised, by what, and who is not.

mod credentials;
mod issuers;
mod keys;
mod mistakes;
mod tokens;

use std::{path::Path, sync::Arc};

use callgate_model::{Caller, Clock, Credentials, Identify as _, Unidentified};
use callgate_testkit::{Issuer, issuer::Key};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{ApiKeys, Callers, Config, Parts};

/// The moment at which everything here happens, in seconds.
const NOW: i64 = 1_800_000_000;
const GATE: &str = "https://gate.example/mcp";

/// An issuer and a gate that takes its tokens.
struct World {
    issuer: Issuer,
    key: Key,
    callers: Arc<Callers>,
}

impl World {
    /// The issuer signs with one key, `one` (ES256); `more` are settings of the issuer beside its name.
    async fn new(more: Value) -> Self {
        let key = Key::ec("one").unwrap();
        let issuer = Issuer::start(vec![key.clone()]).await.unwrap();
        let mut settings = json!({ "issuer": issuer.url() });
        settings.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let callers = Arc::new(open(json!({ "resource": GATE, "issuers": [settings] })));
        Self { issuer, key, callers }
    }

    /// Good claims of `alice` with these put over them; `null` takes one away.
    fn claims(&self, over: &Value) -> Value {
        let mut claims = self.issuer.claims(GATE, "alice", NOW);
        for (name, value) in over.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    fn token(&self, over: &Value) -> String {
        self.key.sign(&self.claims(over))
    }

    async fn ask(&self, token: &str) -> Result<Arc<Caller>, Unidentified> {
        self.callers.identify(&Credentials { bearer: Some(token), ..Credentials::default() }).await
    }
}

/// Recognises callers by these settings, at [`NOW`].
fn open(settings: Value) -> Callers {
    open_with(settings, None)
}

/// The same with API keys.
fn open_with(settings: Value, keys: Option<ApiKeys>) -> Callers {
    let config: Config = serde_json::from_value(settings).unwrap();
    let allowed = callgate_egress::Config { allow: vec!["127.0.0.1".into()], ..callgate_egress::Config::default() };
    let egress = callgate_egress::Client::new(&allowed, Path::new(".")).unwrap();
    Callers::open(&config, Parts { clock: clock(), egress: Some(egress), keys }).unwrap()
}

fn clock() -> Clock {
    Clock::Fixed(Timestamp::from_second(NOW).unwrap())
}

/// The decision in one line: who, or why not.
fn told(decision: &Result<Arc<Caller>, Unidentified>) -> String {
    match decision {
        Ok(caller) => format!("{}/{}", caller.tenant(), caller.id()),
        Err(Unidentified::Missing) => "missing".into(),
        Err(Unidentified::Refused(reason)) => format!("refused: {reason}"),
        Err(Unidentified::Unavailable { retry_after, reason }) => format!("unavailable for {retry_after:?}: {reason}"),
    }
}
