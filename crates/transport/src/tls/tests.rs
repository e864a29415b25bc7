//! Handshakes that are made and refused, files that change, and mistakes. The certificates under `pem` are good until 2126 where they are
//! good, and nobody trusts them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use callgate_config::Span;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Client, Tls, expiry};
use crate::{
    Config,
    testbed::{
        Script,
        client::{Connection, Site},
    },
};

const FILES: [(&str, &str); 11] = [
    ("ca.pem", include_str!("pem/ca.pem")),
    ("gate.pem", include_str!("pem/gate.pem")),
    ("gate.key", include_str!("pem/gate.key")),
    ("renewed.pem", include_str!("pem/renewed.pem")),
    ("renewed.key", include_str!("pem/renewed.key")),
    ("client.pem", include_str!("pem/client.pem")),
    ("client.key", include_str!("pem/client.key")),
    ("expired.pem", include_str!("pem/expired.pem")),
    ("expired.key", include_str!("pem/expired.key")),
    ("foreign.pem", include_str!("pem/foreign.pem")),
    ("foreign.key", include_str!("pem/foreign.key")),
];

fn pem(name: &str) -> &'static str {
    FILES.iter().find(|(file, _)| *file == name).expect("a file").1
}

/// Writes `pem` as only its owner may read it.
fn write(path: &Path, pem: &str) {
    fs::write(path, pem).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("made private");
}

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    FILES.iter().for_each(|(name, pem)| write(&folder.path().join(name), pem));
    folder
}

fn config() -> super::Config {
    super::Config {
        certificate: "gate.pem".into(),
        key: "gate.key".into(),
        client_ca: None,
        client: None,
        handshake: Span::seconds(10),
        look: Span::millis(5),
        warn: Span::seconds(1),
    }
}

fn asking(client: Option<Client>) -> super::Config {
    super::Config { client_ca: Some("ca.pem".into()), client, ..config() }
}

async fn open(folder: &TempDir, tls: &super::Config) -> Site {
    let tls = Tls::open(tls, folder.path()).expect("good files");
    Site::of(Script::guarded(), &Config::default(), Some(tls)).await
}

/// A client that trusts the tests' authority and shows this certificate, if any.
fn client(shows: Option<&str>, protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem("ca.pem").as_bytes()).expect("a certificate")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_root_certificates(roots);
    let mut config = match shows {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let chain = vec![CertificateDer::from_pem_slice(pem(&format!("{name}.pem")).as_bytes()).expect("a certificate")];
            let key = PrivateKeyDer::from_pem_slice(pem(&format!("{name}.key")).as_bytes()).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a pair")
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config).into()
}

async fn agree(site: &Site, client: TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(site.address).await?;
    client.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}

/// The status of an answer over TLS, and who is answered; 0 if there is none.
async fn ask(site: &Site, shows: Option<&str>) -> (u16, String) {
    let Ok(stream) = agree(site, client(shows, &[])).await else { return (0, String::new()) };
    let mut connection = Connection::of(stream);
    connection.send(&crate::http::whoami()).await;
    let answer = connection.whole().await;
    let text = serde_json::from_str::<serde_json::Value>(&answer.body).unwrap_or_default();
    (answer.head.status, text["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_client_is_who_its_certificate_says_if_it_holds() {
    let folder = folder();
    let cert = (200, "2:t1:cert".to_owned());
    let (closed, stranger) = ((0, String::new()), (401, String::new()));
    let cases = [
        (config(), None, &stranger),
        (config(), Some("client"), &stranger),
        (asking(None), None, &closed),
        (asking(None), Some("client"), &cert),
        (asking(Some(Client::Required)), Some("expired"), &closed),
        (asking(Some(Client::Required)), Some("foreign"), &closed),
        (asking(Some(Client::Optional)), None, &stranger),
        (asking(Some(Client::Optional)), Some("client"), &cert),
        (asking(Some(Client::Optional)), Some("expired"), &closed),
        (asking(Some(Client::Optional)), Some("foreign"), &closed),
    ];
    for (tls, shows, expected) in &cases {
        let site = open(&folder, tls).await;
        assert_eq!(ask(&site, *shows).await, **expected, "{:?} {shows:?}", tls.client);
    }
}

#[tokio::test]
async fn what_is_not_tls_is_closed_without_an_answer() {
    let site = open(&folder(), &config()).await;
    let mut plain = site.connect().await;
    plain.send("GET /health/live HTTP/1.1\nhost: localhost").await;
    assert!(!plain.hears(b"HTTP").await);
    let mut h2 = site.connect().await;
    h2.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    h2.closed().await;
}

#[tokio::test]
async fn old_versions_are_refused() {
    // Curve, points, signatures: what this certificate needs.
    const EXTENSIONS: [u8; 22] = [0, 10, 0, 4, 0, 2, 0, 0x17, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3];
    const REFUSED: &[u8] = &[0, 2, 2, 70];
    const HELLO: &[u8] = &[0x16, 3, 3];
    for (minor, expected) in [(1, REFUSED), (2, REFUSED), (3, HELLO)] {
        let site = open(&folder(), &config()).await;
        // Version, random, no session, one suite, no compression.
        let hello = [&[3, minor][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 22], &EXTENSIONS].concat();
        let length = u8::try_from(hello.len()).expect("short");
        let record = [&[0x16, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat();
        let mut client = site.connect().await;
        client.raw(&record).await;
        assert!(client.hears(expected).await, "TLS 1.{}", minor - 1);
    }
}

#[tokio::test]
async fn http2_is_agreed_on_where_the_client_knows_it() {
    let site = open(&folder(), &config()).await;
    for (protocols, expected) in [(&["h2", "http/1.1"][..], Some(&b"h2"[..])), (&["http/1.1"], Some(b"http/1.1")), (&[], None)] {
        let stream = agree(&site, client(None, protocols)).await.expect("agreed");
        assert_eq!(stream.get_ref().1.alpn_protocol(), expected);
    }
    let stream = agree(&site, client(None, &["h2"])).await.expect("agreed");
    let mut connection = Connection::of(stream);
    connection.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    // Its own settings, then that it has read ours.
    assert!(connection.hears(&[0, 0, 0, 4, 1, 0, 0, 0, 0]).await);
}

#[tokio::test]
async fn a_client_that_does_not_agree_in_time_is_cut_off() {
    let site = open(&folder(), &super::Config { handshake: Span::millis(30), ..config() }).await;
    let mut silent = site.connect().await;
    silent.closed().await;
}

/// The certificate that the gate shows.
async fn shown(site: &Site) -> Vec<u8> {
    let stream = agree(site, client(None, &[])).await.expect("agreed");
    stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
}

#[tokio::test]
async fn new_files_are_used_without_losing_a_connection_and_bad_ones_are_not() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let der = |name| CertificateDer::from_pem_slice(pem(name).as_bytes()).expect("a certificate").to_vec();
    let site = open(&folder, &config()).await;
    let mut old = Connection::of(agree(&site, client(None, &[])).await.expect("agreed"));
    assert_eq!(shown(&site).await, der("gate.pem"));
    write(&at("gate.pem"), pem("renewed.pem"));
    write(&at("gate.key"), pem("renewed.key"));
    while shown(&site).await != der("renewed.pem") {}
    old.send("GET /health/live HTTP/1.1\nhost: localhost").await;
    assert_eq!(old.whole().await.head.status, 200);
    // These are looked at here and not by the site, so that it is known when.
    let tls = Tls::open(&config(), folder.path()).expect("good files");
    let good = tls.ends();
    for bad in ["nonsense", ""] {
        write(&at("gate.pem"), bad);
        tls.look(callgate_model::Clock::System);
        assert_eq!(tls.ends(), good, "{bad:?}");
    }
    fs::remove_file(at("gate.pem")).expect("removed");
    tls.look(callgate_model::Clock::System);
    assert_eq!(tls.ends(), good);
    assert_eq!(shown(&site).await, der("renewed.pem"));
    write(&at("gate.pem"), pem("gate.pem"));
    tls.look(callgate_model::Clock::System);
    assert_eq!(tls.ends(), good, "the key does not fit yet");
    write(&at("gate.key"), pem("gate.key"));
    tls.look(callgate_model::Clock::System);
    assert_eq!(tls.ends().to_string(), "2126-01-01T00:00:00Z");
}

#[test]
fn the_end_of_a_certificate_is_read_in_both_forms() {
    let of = |name| expiry::of(&CertificateDer::from_pem_slice(pem(name).as_bytes()).expect("a certificate")).map(|end| end.to_string());
    let ends = ["gate.pem", "renewed.pem", "expired.pem"].map(of);
    assert_eq!(ends, ["2126-01-01T00:00:00Z", "2049-01-01T00:00:00Z", "2001-01-01T00:00:00Z"].map(|end| Some(end.to_owned())));
    let whole = CertificateDer::from_pem_slice(pem("gate.pem").as_bytes()).expect("a certificate");
    for length in 0..150 {
        assert_eq!(expiry::of(&whole[..length]), None, "the first {length} bytes");
    }
}

#[test]
fn an_ending_certificate_is_warned_of_once_a_day() {
    let folder = folder();
    let tls = Tls::open(&super::Config { warn: Span::seconds(3600), ..config() }, folder.path()).expect("good files");
    let at = |text: &str| callgate_model::Clock::Fixed(text.parse().expect("a moment"));
    let warned = || tls.seen.lock().expect("no panic").warned.map(|at| at.to_string());
    let cases = [
        ("2125-12-31T22:59:00Z", None),
        ("2125-12-31T23:01:00Z", Some("2125-12-31T23:01:00Z")),
        ("2126-01-01T12:00:00Z", Some("2125-12-31T23:01:00Z")),
        ("2126-01-02T12:00:00Z", Some("2126-01-02T12:00:00Z")),
    ];
    for (now, expected) in cases {
        tls.look(at(now));
        assert_eq!(warned().as_deref(), expected, "{now}");
    }
}

#[test]
fn mistakes_name_their_key() {
    let folder = folder();
    fs::write(folder.path().join("open.key"), pem("gate.key")).expect("written");
    fs::set_permissions(folder.path().join("open.key"), fs::Permissions::from_mode(0o644)).expect("made public");
    let cases = [
        (super::Config { certificate: "none.pem".into(), ..config() }, "certificate: cannot read"),
        (super::Config { certificate: "gate.key".into(), ..config() }, "certificate: holds no certificate in PEM"),
        (super::Config { key: "gate.pem".into(), ..config() }, "key: everyone"),
        (super::Config { key: "ca.pem".into(), ..config() }, "key: holds no private key in PEM"),
        (super::Config { key: "client.key".into(), ..config() }, "certificate: cannot be used"),
        (super::Config { key: "open.key".into(), ..config() }, "key: everyone"),
        (super::Config { client_ca: Some("none.pem".into()), ..config() }, "client_ca: cannot read"),
        (super::Config { client: Some(Client::Optional), ..config() }, "client: `client` says"),
    ];
    fs::set_permissions(folder.path().join("gate.pem"), fs::Permissions::from_mode(0o644)).expect("made public");
    for (config, expected) in cases {
        let error = Tls::open(&config, folder.path()).expect_err(expected);
        let (key, about) = expected.split_once(": ").expect("two parts");
        assert!(error.key() == key && error.to_string().contains(about), "{expected}: {error}");
    }
}
