//! Connections to PostgreSQL: how they are made, encrypted, checked before use, and replaced.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callgate_model::chain;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::{
    CancelToken, Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::sql::{config, engine::Objection};

/// How long it may take to connect, in all: a server that takes the connection and then says nothing counts as away too.
const CONNECT: Duration = Duration::from_secs(3);

/// A connection at rest for longer than this is asked whether it is still there before it is used.
const TRUST: Duration = Duration::from_secs(2);

/// How long that question may take.
const PING: Duration = Duration::from_secs(1);

/// How long the other side may leave what was sent to it unconfirmed. The connection is dead then, whatever is waited for.
const UNHEARD: Duration = Duration::from_secs(5);

/// How connections are encrypted.
#[derive(Clone)]
pub(super) enum Tls {
    /// Not at all.
    Plain,
    /// With a checked certificate.
    Checked(MakeRustlsConnect),
}

impl Tls {
    /// Tells the server to stop what runs on a connection. It is told only once; what it makes of it shows on the connection.
    pub(super) async fn cancel(&self, token: CancelToken) {
        let told = match self {
            Self::Plain => tokio::time::timeout(CONNECT, token.cancel_query(NoTls)).await,
            Self::Checked(tls) => tokio::time::timeout(CONNECT, token.cancel_query(tls.clone())).await,
        };
        if !matches!(told, Ok(Ok(()))) {
            tracing::warn!("a statement could not be cancelled on the server; its own time limit ends it");
        }
    }
}

/// Why no connection could be made, and where it was tried. Nothing else of the URL is told.
pub(super) fn refused(url: &str, error: &PoolError) -> Objection {
    let config: Config = url.parse().unwrap_or_default();
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    let port = |index: usize| config.get_ports().get(index).or(config.get_ports().first()).map_or(5432, |port| *port);
    let places: Vec<_> = config.get_hosts().iter().enumerate().map(|(index, name)| format!("{}:{}", host(name), port(index))).collect();
    let why = match error {
        PoolError::Backend(error) => chain(error),
        PoolError::Timeout(_) => format!("no answer within {} s", CONNECT.as_secs()),
        error => chain(error),
    };
    Objection::new(format!("cannot connect to PostgreSQL at {}: {why}", places.join(", ")))
        .help("see that it runs, and that host, port, user, password and database in `url` are right")
}

/// A pool of connections to `url`, which counts those it makes. Nothing connects before it is needed.
pub(super) fn pool(url: &str, pool: &config::Pool, opened: Arc<AtomicU64>) -> Result<(Pool, Tls), Objection> {
    let (config, tls) = settings(url)?;
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match &tls {
        Tls::Plain => Manager::from_config(config, NoTls, manager),
        Tls::Checked(tls) => Manager::from_config(config, tls.clone(), manager),
    };
    let (idle, lifetime) = (pool.idle.0, pool.lifetime.0);
    let fresh = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, metrics| {
        let (age, rest) = (metrics.age(), metrics.last_used());
        Box::pin(async move {
            if age >= lifetime || rest >= idle {
                return Err(HookError::message("old enough to be replaced"));
            }
            if rest >= TRUST {
                let ping = tokio::time::timeout(PING, client.batch_execute("")).await;
                ping.map_err(|_| HookError::message("no answer"))?.map_err(HookError::Backend)?;
            }
            Ok(())
        })
    });
    // What is not inside of a transaction that says otherwise cannot write.
    let reading = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        opened.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { client.batch_execute("SET default_transaction_read_only = on").await.map_err(HookError::Backend) })
    });
    let timeouts = Timeouts { wait: Some(pool.wait.0), create: Some(CONNECT), recycle: Some(PING * 2) };
    let built = Pool::builder(manager)
        .max_size(pool.size as usize)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .post_create(reading)
        .pre_recycle(fresh)
        .build();
    Ok((built.map_err(|error| Objection::new(error.to_string()))?, tls))
}

/// The driver's settings. `sslmode` is ours to read: the driver knows no `verify-full`, and encryption without a checked certificate
/// protects from nobody.
fn settings(url: &str) -> Result<(Config, Tls), Objection> {
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
    let mut config: Config =
        url.parse().map_err(|error: tokio_postgres::Error| Objection::new(format!("the URL cannot be used: {error}")))?;
    let tls = match mode {
        None | Some("disable") => Tls::Plain,
        Some("require" | "verify-ca" | "verify-full") => Tls::Checked(MakeRustlsConnect::new(verified(root)?)),
        Some(other) => {
            let help = "use `require` or `verify-full` (encrypted, certificate checked) or `disable`";
            return Err(Objection::new(format!("`sslmode={other}` is not supported")).help(help));
        }
    };
    config.ssl_mode(if matches!(tls, Tls::Plain) { SslMode::Disable } else { SslMode::Require });
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("callgate");
    }
    config.keepalives(true).keepalives_idle(Duration::from_secs(30)).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
    config.tcp_user_timeout(UNHEARD);
    Ok((config, tls))
}

/// Certificates are checked against the file `root`, or against what the machine trusts.
fn verified(root: Option<&str>) -> Result<ClientConfig, Objection> {
    let fail = |error: &dyn std::fmt::Display| Objection::new(format!("TLS cannot be set up: {error}"));
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
