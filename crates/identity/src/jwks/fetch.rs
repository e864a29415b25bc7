//! Asking an issuer for its keys.

use callgate_egress::{Client, Target};
use serde::Deserialize;

use super::key::Set;
use crate::{
    Error,
    token::{Algorithm, Config},
};

/// Where a discovery document stands below its issuer (OpenID Connect Discovery 1.0).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Where an issuer's keys are, and the way there.
#[derive(Debug)]
pub(super) struct Source {
    client: Client,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// The operator said where.
    Keys(Target),
    /// The discovery document says where.
    Discovery { document: Target, issuer: String },
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    pub(super) fn new(config: &Config, client: Client) -> Result<Self, Error> {
        let failed = |cause| Error::Issuer { issuer: config.issuer.clone(), cause };
        let place = match &config.jwks {
            Some(jwks) => Place::Keys(Target::parse(jwks).map_err(failed)?),
            None => {
                let document = format!("{}{DISCOVERY}", config.issuer.trim_end_matches('/'));
                Place::Discovery { document: Target::parse(&document).map_err(failed)?, issuer: config.issuer.clone() }
            }
        };
        Ok(Self { client, place })
    }

    /// The keys that are published now and fit `allowed`, or why there are none.
    pub(super) async fn fetch(&self, allowed: &[Algorithm]) -> Result<Set, String> {
        match &self.place {
            Place::Keys(target) => Set::read(&self.ask(target).await?, allowed),
            Place::Discovery { document, issuer } => {
                let discovered = serde_json::from_slice::<Discovered>(&self.ask(document).await?);
                let Discovered { issuer: named, jwks_uri } = discovered.map_err(|_| "the answer is no discovery document".to_owned())?;
                if named != *issuer {
                    return Err("the discovery document is of another issuer".into());
                }
                let target = Target::parse(&jwks_uri).map_err(|error| format!("the keys' place: {error}"))?;
                if !target.is_encrypted() && !target.is_loopback() {
                    return Err("the discovery document names a place for keys that is not https".into());
                }
                Set::read(&self.ask(&target).await?, allowed)
            }
        }
    }

    async fn ask(&self, target: &Target) -> Result<callgate_egress::Bytes, String> {
        let answer = self.client.get(target, self.client.limits()).await.map_err(|error| error.to_string())?;
        if answer.status() == 200 {
            Ok(answer.into_body())
        } else {
            Err(format!("`{}` answered {}", target.host(), answer.status().as_u16()))
        }
    }
}
