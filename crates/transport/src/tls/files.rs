//! The files of certificates and keys, and what a listener can offer with them.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{Client, Config, Error, expiry};

/// No file of certificates is longer.
const LONGEST: u64 = 1024 * 1024;

/// What the files hold, as bytes. Nothing if they could not be read.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// What a listener can offer with them.
pub(super) struct Offer {
    pub(super) config: ServerConfig,
    pub(super) ends: Timestamp,
}

impl Files {
    /// Reads the files.
    pub(super) fn read(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            certificate: read("certificate", &config.certificate)?,
            key: read_secret(&config.key)?,
            client_ca: config.client_ca.as_deref().map(|path| read("client_ca", path)).transpose()?,
        })
    }

    /// They could be read.
    pub(super) fn are_readable(&self) -> bool {
        !self.certificate.is_empty()
    }

    /// The offer that they make.
    pub(super) fn offer(&self, config: &Config) -> Result<Offer, Error> {
        let chain = certificates("certificate", &config.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| Error::Empty { key: "key", path: config.key.clone(), wanted: "private key" })?;
        let unfit = |cause: rustls::Error| Error::Unfit { key: "certificate", path: config.certificate.clone(), cause: cause.into() };
        let ends = expiry::of(&chain[0]).ok_or_else(|| unfit(rustls::CertificateError::BadEncoding.into()))?;
        let clients = self.clients(config)?;
        let asks = clients.is_some();
        let versions = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unfit)?;
        let whom = match clients {
            Some(verifier) => versions.with_client_cert_verifier(verifier),
            None => versions.with_no_client_auth(),
        };
        let mut offer = whom.with_single_cert(chain, key).map_err(unfit)?;
        offer.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if asks {
            // A connection that is taken up again would skip the look at the client's certificate.
            offer.session_storage = Arc::new(NoServerSessionStorage {});
            offer.send_tls13_tickets = 0;
        }
        Ok(Offer { config: offer, ends })
    }

    /// Who looks at the certificates of clients.
    fn clients(&self, config: &Config) -> Result<Option<Arc<dyn ClientCertVerifier>>, Error> {
        let Some((path, pem)) = config.client_ca.as_ref().zip(self.client_ca.as_ref()) else {
            return if config.client.is_some() { Err(Error::NoAuthority) } else { Ok(None) };
        };
        let unfit = |cause| Error::Unfit { key: "client_ca", path: path.clone(), cause };
        let mut roots = RootCertStore::empty();
        for authority in certificates("client_ca", path, pem)? {
            roots.add(authority).map_err(|cause| unfit(cause.into()))?;
        }
        let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()));
        if config.client == Some(Client::Optional) {
            verifier = verifier.allow_unauthenticated();
        }
        verifier.build().map(Some).map_err(|cause| unfit(cause.into()))
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |cause| Error::Read { key, path: path.to_owned(), cause };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LONGEST {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    std::fs::read(path).map_err(failed)
}

/// Reads a file that not everyone may read.
fn read_secret(path: &Path) -> Result<Vec<u8>, Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map(|file| file.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o004 != 0) {
            return Err(Error::Exposed(path.to_owned()));
        }
    }
    read("key", path)
}

/// The certificates in `pem`; at least one.
fn certificates(key: &'static str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Error::Empty { key, path: path.to_owned(), wanted: "certificate" }),
    }
}
