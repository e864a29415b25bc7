//! Which published keys are of use.

use std::collections::HashMap;

use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use crate::token::Algorithm;

/// More keys than any issuer publishes; the rest is not looked at.
const MOST: usize = 100;

/// Keys by name.
#[derive(Debug, Default)]
pub(super) struct Set(HashMap<String, Vec<Key>>);

#[derive(Debug)]
struct Key {
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Set {
    /// Reads a JWKS. A key that cannot be read, or is for something else, is passed over.
    pub(super) fn read(document: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        let Document { keys } = serde_json::from_slice(document).map_err(|_| "the answer is no set of keys".to_owned())?;
        let mut set: HashMap<String, Vec<Key>> = HashMap::new();
        for key in keys.into_iter().take(MOST) {
            let Ok(jwk) = serde_json::from_value::<Jwk>(key) else { continue };
            let algorithms: Vec<_> = allowed.iter().copied().filter(|algorithm| fits(&jwk, *algorithm)).collect();
            let Ok(key) = DecodingKey::from_jwk(&jwk) else { continue };
            if !algorithms.is_empty() {
                set.entry(jwk.common.key_id.unwrap_or_default()).or_default().push(Key { algorithms, key });
            }
        }
        if set.is_empty() { Err("none of the keys fits the algorithms that are allowed".into()) } else { Ok(Self(set)) }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key of this name that may sign with `algorithm`; without a name, the only one that may.
    pub(super) fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let fitting = |key: &&Key| key.algorithms.contains(&algorithm);
        let mut found = match name {
            Some(name) => self.0.get(name)?.iter().filter(fitting).collect::<Vec<_>>(),
            None => self.0.values().flatten().filter(fitting).collect(),
        };
        let key = found.pop()?;
        found.is_empty().then_some(&key.key)
    }
}

/// Whether a key may sign with `algorithm`: by its type and curve, and by what it says it is for. A shared secret never may; one
/// that is published is none.
fn fits(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let by_type = match (&jwk.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => key.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let common = &jwk.common;
    let by_use = common.public_key_use.as_ref().is_none_or(|intent| *intent == PublicKeyUse::Signature);
    let by_operations = common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let by_name = common.key_algorithm.is_none_or(|named| named.to_string() == algorithm.as_str());
    by_type && by_use && by_operations && by_name
}
