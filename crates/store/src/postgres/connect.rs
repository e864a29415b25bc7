//! Connections to PostgreSQL: how they are made, encrypted and bounded.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config as Target, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::trouble::{Trouble, within};
use crate::Config;

/// How long the other side may leave what was sent to it unconfirmed. The connection is dead then, whatever is waited for.
const UNHEARD: Duration = Duration::from_secs(5);

/// Where the store is, and how long anything there may take.
#[derive(Clone)]
pub(super) struct Server {
    target: Target,
    tls: Option<MakeRustlsConnect>,
    connect: Duration,
    statement: Duration,
}

/// One connection and what drives it.
pub(super) struct Link {
    pub(super) client: Client,
    driver: JoinHandle<()>,
}

/// What is wrong with the URL, without repeating it.
pub(crate) fn check(config: &Config) -> Result<(), String> {
    Server::of(config).map(drop).map_err(|why| why.to_string())
}

impl Server {
    /// The server of a configuration. Connects to nothing.
    pub(super) fn of(config: &Config) -> Result<Self, Trouble> {
        let url = config.url.as_ref().ok_or_else(|| Trouble::Url("there is no `url` of a PostgreSQL server".into()))?;
        let (connect, statement) = (config.connect.get(), config.statement.get());
        let (mut target, tls) = settings(url.expose())?;
        target.connect_timeout(connect);
        Ok(Self { target, tls, connect, statement })
    }

    /// How long a few statements may take, with whatever is between here and the server.
    pub(super) fn patience(&self) -> Duration {
        self.statement + self.connect
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<Link, Trouble> {
        let link = within(self.connect, async {
            Ok(match &self.tls {
                None => {
                    let (client, connection) = self.target.connect(NoTls).await?;
                    Link::new(client, connection)
                }
                Some(tls) => {
                    let (client, connection) = self.target.connect(tls.clone()).await?;
                    Link::new(client, connection)
                }
            })
        });
        let link = link.await?;
        within(self.patience(), async { Ok(link.client.batch_execute(&self.manners()).await?) }).await?;
        Ok(link)
    }

    /// Connections that are shared. Nothing connects before it is needed.
    pub(super) fn pool(&self, size: usize) -> Result<Pool, Trouble> {
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Verified };
        let manager = match &self.tls {
            None => Manager::from_config(self.target.clone(), NoTls, manager),
            Some(tls) => Manager::from_config(self.target.clone(), tls.clone(), manager),
        };
        let manners = self.manners();
        let polite = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let manners = manners.clone();
            Box::pin(async move { client.batch_execute(&manners).await.map_err(HookError::Backend) })
        });
        let most = Some(self.connect);
        let timeouts = Timeouts { wait: most, create: most, recycle: most };
        let built = Pool::builder(manager).max_size(size).timeouts(timeouts).runtime(Runtime::Tokio1).post_create(polite).build();
        built.map_err(|error| Trouble::Url(error.to_string()))
    }

    /// What every session is told. The server is to find out within seconds that a gate is gone: its chain is free then.
    fn manners(&self) -> String {
        let statement = self.statement.as_millis().max(1);
        format!(
            "SET statement_timeout = {statement}; SET lock_timeout = {statement}; \
             SET idle_in_transaction_session_timeout = {statement}; \
             SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3; \
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    }
}

impl Link {
    fn new<S, T>(client: Client, connection: tokio_postgres::Connection<S, T>) -> Self
    where
        tokio_postgres::Connection<S, T>: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    {
        // Why it broke off, the statements say that it leaves behind.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Self { client, driver }
    }

    /// Says goodbye, so that the server need not find out by itself.
    pub(super) async fn close(self) {
        let Self { client, mut driver } = self;
        drop(client);
        if tokio::time::timeout(GOODBYE, &mut driver).await.is_err() {
            driver.abort();
        }
    }
}

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// The driver's settings. `sslmode` is ours to read: the driver knows no `verify-full`, and encryption without a checked certificate
/// protects from nobody.
fn settings(url: &str) -> Result<(Target, Option<MakeRustlsConnect>), Trouble> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(Trouble::Url("this is no address of a PostgreSQL server".into()));
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut root, mut others) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => root = Some(value),
            _ => others.push(pair),
        }
    }
    let url = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    // The driver's own message does not repeat the URL, and with it the password.
    let mut target: Target = url.parse().map_err(Trouble::Server)?;
    let tls = match mode {
        None | Some("disable") => None,
        Some("require" | "verify-ca" | "verify-full") => Some(MakeRustlsConnect::new(verified(root)?)),
        Some(_) => return Err(Trouble::Url("of `sslmode`, only `disable`, `require` and `verify-full` are known".into())),
    };
    target.ssl_mode(if tls.is_none() { SslMode::Disable } else { SslMode::Require });
    if target.get_application_name().is_none() {
        target.application_name("callgate store");
    }
    target.keepalives(true).keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(3)).keepalives_retries(3);
    target.tcp_user_timeout(UNHEARD);
    Ok((target, tls))
}

/// Certificates are checked against the file `root`, or against what the machine trusts.
fn verified(root: Option<&str>) -> Result<ClientConfig, Trouble> {
    let fail = |error: &dyn std::fmt::Display| Trouble::Url(format!("TLS cannot be set up: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| fail(&error))?;
    let Some(path) = root else {
        return Ok(builder.with_platform_verifier().map_err(|error| fail(&error))?.with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fail(&error))? {
        roots.add(certificate.map_err(|error| fail(&error))?).map_err(|error| fail(&error))?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
