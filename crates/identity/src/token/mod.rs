//! Tokens of identity providers (JWT).
//!
//! It promises that the header of a token decides nothing: the issuer is found by the claim `iss`, exactly as it is written; the
//! issuer's own list says which algorithms count; and the key is one that this issuer published. Claims are looked at before keys
//! are, so that a token that is good for nothing makes nobody ask an issuer for anything.

mod check;
mod config;
mod map;
mod parse;

use std::sync::Arc;

use callgate_egress::Client;
use callgate_model::{Caller, Clock};
use jsonwebtoken::crypto;

pub(crate) use self::config::{Algorithm, Config};
use self::{map::caller, parse::Token};
use crate::{Config as Auth, Error, jwks::Keys, refusal::Refusal};

/// The issuers whose tokens are taken.
#[derive(Debug)]
pub(crate) struct Tokens {
    issuers: Vec<Issuer>,
    longest: usize,
    clock: Clock,
}

/// One issuer: what it may say, and the keys by which one knows that it said so.
#[derive(Debug)]
pub(crate) struct Issuer {
    config: Config,
    audiences: Vec<String>,
    keys: Keys,
}

impl Tokens {
    pub(crate) fn open(auth: &Auth, egress: Option<&Client>, clock: Clock) -> Result<Self, Error> {
        let issuers = auth.issuers.iter().map(|config| {
            let audiences = if config.audiences.is_empty() { auth.resource.iter().cloned().collect() } else { config.audiences.clone() };
            Ok(Issuer { audiences, keys: Keys::open(config, egress)?, config: config.clone() })
        });
        Ok(Self { issuers: issuers.collect::<Result<_, Error>>()?, longest: auth.token.bytes(), clock })
    }

    /// Whose token it is.
    pub(crate) async fn recognise(&self, token: &[u8]) -> Result<Arc<Caller>, Refusal> {
        if self.issuers.is_empty() {
            return Err(Refusal::lasting("tokens are not taken here"));
        }
        if token.len() > self.longest {
            return Err(Refusal::lasting("the token is too long"));
        }
        let Token { header, claims, message, signature } = Token::parse(token)?;
        let issuer = claims.get("iss").and_then(serde_json::Value::as_str);
        let issuer = self.issuers.iter().find(|known| issuer == Some(known.config.issuer.as_str()));
        let issuer = issuer.ok_or_else(|| Refusal::lasting("the token is of no issuer that is known here"))?;
        let algorithm = issuer.config.algorithms.iter().find(|own| own.as_str() == header.algorithm);
        let algorithm = *algorithm.ok_or_else(|| Refusal::lasting("the token is signed in a way that its issuer does not sign"))?;
        let ends = issuer.check(&claims, self.clock.now())?;
        let key = issuer.keys.find(header.key.as_deref(), algorithm).await?;
        if !crypto::verify(signature, message, &key, algorithm.into()).is_ok_and(|holds| holds) {
            return Err(Refusal::lasting("the token's signature does not hold"));
        }
        caller(&issuer.config, claims, ends).map(Arc::new)
    }
}
