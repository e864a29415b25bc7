//! The client: one request, one bounded answer.

use std::{error::Error as _, fmt, path::Path, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use callgate_model::chain;
use http::{Method, Request, Response};
use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;

use crate::{
    Config, Error, Target,
    guard::{Guard, Resolver},
};

/// More headers than any answer needs.
const MOST_HEADERS: usize = 100;
/// Connections that wait for the next request, per host.
const IDLE: usize = 4;

/// How much one answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time for all of it.
    pub time: Duration,
    /// The length of its body.
    pub bytes: usize,
}

/// Calls other systems by URL. Cloning shares the connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Arc<Guard>,
    limits: Limits,
}

impl Client {
    /// A client as the operator configured it; relative paths are relative to `folder`. Connects to nothing.
    pub fn new(config: &Config, folder: &Path) -> Result<Self, Error> {
        let guard = Arc::new(Guard::new(config)?);
        let resolver = Resolver::system(guard.clone());
        Self::with(config, folder, guard, resolver)
    }

    pub(crate) fn with(config: &Config, folder: &Path, guard: Arc<Guard>, resolver: Resolver) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(trust(config, folder)?)
            .dns_resolver(Arc::new(resolver))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(config.connect.get())
            .http1_max_headers(MOST_HEADERS)
            .pool_max_idle_per_host(IDLE)
            .build()
            .map_err(|error| Error::Setup(chain(&error)))?;
        Ok(Self { http, guard, limits: Limits { time: config.timeout.get(), bytes: config.answer.bytes() } })
    }

    /// What an answer may be where nobody says otherwise.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Asks for what is at `target`.
    pub async fn get(&self, target: &Target, limits: Limits) -> Result<Response<Bytes>, Error> {
        self.send(target, Request::builder().method(Method::GET).body(Bytes::new()).expect("a method is a request"), limits).await
    }

    /// Sends `request` to `target`, whatever URI the request itself has. Every status is an answer, a redirect too. Dropping the
    /// future drops the request.
    pub async fn send(&self, target: &Target, request: Request<Bytes>, limits: Limits) -> Result<Response<Bytes>, Error> {
        self.guard.admit(target)?;
        let host = || target.host().to_owned();
        let exchange = tokio::time::timeout(limits.time, self.exchange(target, request, limits.bytes));
        exchange.await.unwrap_or_else(|_| Err(Error::Slow { host: host(), span: limits.time }))
    }

    async fn exchange(&self, target: &Target, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Error> {
        let (parts, body) = request.into_parts();
        let failed = |error: reqwest::Error| failure(target, error);
        let request = self.http.request(parts.method, target.as_str()).headers(parts.headers).body(body);
        let mut answer = request.send().await.map_err(failed)?;
        let long = || Error::Long { host: target.host().to_owned(), most };
        if answer.content_length().is_some_and(|length| length > most as u64) {
            return Err(long());
        }
        let mut read = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            if read.len() + piece.len() > most {
                return Err(long());
            }
            read.extend_from_slice(&piece);
        }
        let mut response = Response::new(read.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("guard", &self.guard).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Whose certificates are trusted: those the machine trusts, and the operator's own.
fn trust(config: &Config, folder: &Path) -> Result<ClientConfig, Error> {
    let setup = |error: &dyn fmt::Display| Error::Setup(error.to_string());
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let mut own = Vec::new();
    if let Some(path) = &config.ca {
        let unreadable = |error: &dyn fmt::Display| Error::Setup(format!("the certificates in `{}`: {error}", path.display()));
        for certificate in CertificateDer::pem_file_iter(folder.join(path)).map_err(|error| unreadable(&error))? {
            own.push(certificate.map_err(|error| unreadable(&error))?);
        }
        if own.is_empty() {
            return Err(unreadable(&"there is none"));
        }
    }
    let verifier = Verifier::new_with_extra_roots(own, provider.clone()).map_err(|error| setup(&error))?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|error| setup(&error))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// What became of a request, with the guard's word where it was the guard who spoke.
fn failure(target: &Target, error: reqwest::Error) -> Error {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(Error::Forbidden { host, class }) = cause.downcast_ref::<Error>() {
            return Error::Forbidden { host: host.clone(), class };
        }
        next = cause.source();
    }
    Error::Failed { host: target.host().to_owned(), cause: chain(&error.without_url()) }
}
