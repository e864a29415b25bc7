//! A server that is reached by TLS, and whose certificate is trusted only where the operator says so.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use callgate_config::{Secret, Span};
use callgate_testkit::{Folder, PATIENCE, Process, Redis};
use tokio::time::timeout;

use crate::shared::{Config, Error, open};

/// Certificates for tests, good until 2126.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../transport/src/tls/pem");

fn config(url: &str, ca: Option<&str>) -> Config {
    Config { url: Secret::new(url.to_owned()), ca: ca.map(PathBuf::from), timeout: Span::millis(500), ..Config::default() }
}

#[tokio::test]
async fn a_server_with_a_certificate_of_the_operators_own() {
    let Some(program) = Redis::program() else {
        eprintln!("Redis is skipped: there is no redis-server; `cargo xtask test` installs it");
        return;
    };
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port().to_string();
    let nothing: [(&str, &str); 0] = [];
    let folder = Folder::with(nothing).unwrap();
    let (own, file) = (folder.path().display().to_string(), |name: &str| format!("{FILES}/{name}"));
    let (certificate, key, ca) = (file("gate.pem"), file("gate.key"), file("ca.pem"));
    let plain = ["--port", "0", "--tls-port", &port, "--bind", "127.0.0.1", "--dir", &own, "--save", "", "--tls-auth-clients", "no"];
    let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let _server = Process::start(&program, &[&plain[..], &files[..]].concat(), &[]).unwrap();

    let url = format!("rediss://localhost:{port}/0");
    let trusting = open(&config(&url, Some("ca.pem")), Path::new(FILES)).await.unwrap();
    timeout(PATIENCE, async {
        while trusting.put("a", "b".into(), Duration::from_secs(60)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it answers whoever trusts it");
    for ca in [None, Some("foreign.pem")] {
        let other = open(&config(&url, ca), Path::new(FILES)).await.unwrap();
        assert!(other.get("a").await.is_err(), "{ca:?} does not stand for it");
    }
    assert!(trusting.get("a").await.unwrap().is_some());
}

#[tokio::test]
async fn certificates_that_check_nothing_are_a_mistake() {
    for (url, ca, expected) in [
        ("rediss://localhost/0", "gone.pem", "cannot read the certificates in"),
        ("rediss://localhost/0", "gate.key", "there is none"),
        ("redis://localhost/0", "ca.pem", "is for an address that begins with `rediss://`"),
        ("memory", "ca.pem", "is for an address that begins with `rediss://`"),
        ("http://localhost", "ca.pem", "no address of a Redis server"),
    ] {
        let refused: Error = open(&config(url, Some(ca)), Path::new(FILES)).await.map(drop).unwrap_err();
        assert!(refused.to_string().contains(expected), "{url} {ca}: {refused}");
    }
}
