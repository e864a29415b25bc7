//! The one who recognises callers: looks at each credential a request brought, and at whether they agree.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_egress::Client;
use callgate_model::{Authentication, Caller, Clock, Credentials, Identify, Unidentified};
use tokio::time::Instant;

use crate::{
    Config, Error,
    certificate::Certificates,
    keys::ApiKeys,
    memory::{Digest, Memory, Recalled, Sort, Spans, digest},
    refusal::Refusal,
    token::Tokens,
};

/// What recognising needs beside its configuration.
#[derive(Debug)]
pub struct Parts {
    /// Wall-clock time.
    pub clock: Clock,
    /// What issuers are asked with; without issuers there need not be one.
    pub egress: Option<Client>,
    /// The API keys that were given out, if they are taken.
    pub keys: Option<ApiKeys>,
}

/// Recognises callers as an operator configured it.
#[derive(Debug)]
pub struct Callers {
    memory: Arc<Memory>,
    keys: Option<Arc<ApiKeys>>,
    tokens: Tokens,
    certificates: Certificates,
    authentication: Arc<Authentication>,
}

impl Callers {
    /// Puts it together. Connects to nothing: the keys of an issuer are fetched when its first token comes.
    pub fn open(config: &Config, parts: Parts) -> Result<Self, Error> {
        let Parts { clock, egress, keys } = parts;
        let away = config.keys.as_ref().map(|keys| keys.keep.get()).unwrap_or_default();
        let spans = Spans { usual: config.remember.get(), away };
        let memory = Arc::new(Memory::new(config.memory.0, config.refusals, spans, clock));
        Ok(Self {
            memory,
            keys: keys.map(Arc::new),
            tokens: Tokens::open(config, egress.as_ref(), clock)?,
            certificates: Certificates::new(&config.certificates, clock),
            authentication: Arc::new(Authentication {
                resource: config.resource.clone(),
                authorization_servers: config.issuers.iter().map(|issuer| issuer.issuer.clone()).collect(),
                scopes: config.scopes.clone(),
            }),
        })
    }

    /// Whose credential it is; `None` for a certificate that nobody maps, which is no word about the caller.
    async fn recognise(&self, sort: Sort, credential: &[u8]) -> Result<Option<Arc<Caller>>, Unidentified> {
        let digest = digest(sort, credential);
        match self.memory.recall(&digest) {
            Some(Ok(Recalled { caller, is_due })) => {
                if is_due {
                    self.ask_ahead(sort, digest, credential);
                }
                return Ok(Some(caller));
            }
            Some(Err(refused)) => return Err(refused),
            None => {}
        }
        if let Some(keys) = self.keys_for(sort, credential) {
            return learn(&self.memory, keys, digest, credential).await.map(Some).map_err(Unidentified::from);
        }
        let asked = Instant::now();
        let decision = match sort {
            Sort::Certificate => match self.certificates.recognise(credential) {
                Ok(None) => return Ok(None),
                Ok(Some(caller)) => Ok(caller),
                Err(refusal) => Err(refusal),
            },
            Sort::Bearer => self.tokens.recognise(credential).await,
            Sort::Key => Err(Refusal::lasting("API keys are not taken here")),
        };
        self.memory.keep(digest, credential.len(), asked, &decision);
        decision.map(Some).map_err(Unidentified::from)
    }

    /// Who knows about a credential, if it is an API key and keys are taken.
    fn keys_for(&self, sort: Sort, credential: &[u8]) -> Option<&Arc<ApiKeys>> {
        let keys = self.keys.as_ref()?;
        (sort == Sort::Key || sort == Sort::Bearer && keys.is_one(credential)).then_some(keys)
    }

    /// Asks the store in the background while what is remembered still holds, so that nobody waits for a store that says nothing. What else
    /// stands for a caller is decided without asking anybody.
    fn ask_ahead(&self, sort: Sort, digest: Digest, credential: &[u8]) {
        let Some(keys) = self.keys_for(sort, credential) else { return };
        if self.memory.claim(digest) {
            let (memory, keys, credential) = (self.memory.clone(), keys.clone(), credential.to_vec());
            tokio::spawn(async move { learn(&memory, &keys, digest, &credential).await.is_ok() });
        }
    }
}

/// Asks whose key it is; what the store said last counts while it is away.
async fn learn(memory: &Memory, keys: &ApiKeys, digest: Digest, credential: &[u8]) -> Result<Arc<Caller>, Refusal> {
    let asked = Instant::now();
    let decision = keys.recognise(credential).await;
    memory.keep(digest, credential.len(), asked, &decision);
    memory.outlast(digest, decision)
}

#[async_trait]
impl Identify for Callers {
    async fn identify(&self, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        let brought = [
            (Sort::Bearer, credentials.bearer.map(str::as_bytes)),
            (Sort::Key, credentials.key.map(str::as_bytes)),
            (Sort::Certificate, credentials.certificate),
        ];
        let mut found: Option<Arc<Caller>> = None;
        for (sort, credential) in brought {
            let Some(credential) = credential else { continue };
            let Some(caller) = self.recognise(sort, credential).await? else { continue };
            found = Some(match found {
                None => caller,
                Some(first) => agreed(first, &caller)?,
            });
        }
        found.ok_or(Unidentified::Missing)
    }

    fn authentication(&self) -> Arc<Authentication> {
        self.authentication.clone()
    }
}

/// The caller that two credentials speak of, as the first describes it, for as long as both hold.
fn agreed(first: Arc<Caller>, second: &Caller) -> Result<Arc<Caller>, Unidentified> {
    if first.key() != second.key() {
        return Err(Unidentified::Refused("the request brought credentials of two callers".into()));
    }
    let ends = first.expires.into_iter().chain(second.expires).min();
    if ends == first.expires {
        return Ok(first);
    }
    let mut shorter = first.as_ref().clone();
    shorter.expires = ends;
    Ok(Arc::new(shorter))
}
