//! A gate that asks its clients for certificates, and those who come without a good one.
//!
//! The certificates are those of the transport's own tests: nobody trusts them elsewhere, and the good ones are good until 2126.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use callgate_testkit::{Folder, PATIENCE, Process, http::Request};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsConnector;

use crate::{
    row::{Edit as _, call},
    wire,
};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../transport/src/tls/pem");

const CONFIG: &str = r#"
version: 1
name: sealed
auth: { certificates: [{ uri: "{URI}", tenant: acme }] }
wire: { http: { tls: { certificate: gate.pem, key: gate.key, client_ca: ca.pem, client: {CLIENT} } } }
backends:
  main: { kind: sql, url: "sqlite:data.db" }
tools:
  who: { backend: main, description: Who the caller is., effect: read, allow: anyone, returns: one, sql: "SELECT :caller.tenant || '/' || :caller.id AS who" }
"#;

/// A gate that serves TLS.
struct Sealed {
    address: SocketAddr,
    process: Process,
    _folder: Folder,
}

impl Sealed {
    async fn start(uri: &str, client: &str) -> Self {
        let config = CONFIG.replace("{URI}", uri).replace("{CLIENT}", client);
        let folder = Folder::with([("gate.yaml", config.as_str()), ("data.db", "")]).unwrap();
        for name in ["ca.pem", "gate.pem", "gate.key"] {
            let path = folder.path().join(name);
            fs::copy(Path::new(FILES).join(name), &path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let (path, log) = (folder.path().display().to_string(), folder.path().join("said.log"));
        let program = env!("CARGO_BIN_EXE_callgate").as_ref();
        let process = Process::logging(program, &["serve", &path, "--listen", "127.0.0.1:0"], &[], &log).unwrap();
        let begun = Instant::now();
        let address = loop {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let url = said.split('"').find_map(|text| text.strip_prefix("https://")?.strip_suffix("/mcp"));
            if let Some(address) = url {
                break address.parse().unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not serve: {said}");
            sleep(std::time::Duration::from_millis(10)).await;
        };
        Self { address, process, _folder: folder }
    }

    /// The status of a call by a client that shows this certificate, and who it is taken for; 0 if the gate hangs up.
    async fn call(&self, shows: Option<&str>, name: &str, request: &Request) -> (u16, String) {
        let Ok(stream) = TcpStream::connect(self.address).await else { return (0, String::new()) };
        let Ok(mut stream) = client(shows).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await else {
            return (0, String::new());
        };
        let request = request.clone().header("Connection", "close");
        let mut heard = Vec::new();
        if stream.write_all(&wire::bytes(&request, self.address)).await.is_err() {
            return (0, String::new());
        }
        let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
        let text = String::from_utf8_lossy(&heard).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body: Value = text.find("\r\n\r\n").and_then(|at| serde_json::from_str(&text[at..]).ok()).unwrap_or_default();
        (status, body["result"]["structuredContent"]["who"].as_str().unwrap_or_default().to_owned())
    }

    async fn stop(mut self) {
        self.process.signal("TERM").await.unwrap();
        assert_eq!(self.process.end().await.unwrap().code(), Some(0));
    }
}

/// A client that trusts the tests' authority and shows this certificate, if any.
fn client(shows: Option<&str>) -> TlsConnector {
    let pem = |name: &str| fs::read(Path::new(FILES).join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem("ca.pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let config = match shows {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let chain = vec![CertificateDer::from_pem_slice(&pem(&format!("{name}.pem"))).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(&pem(&format!("{name}.key"))).unwrap()).unwrap()
        }
    };
    Arc::new(config).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates() {
    let (mine, other) = ("spiffe://tests/client", "spiffe://tests/other");
    let request = call("who", &json!({}));
    let forged = request.clone().bearer("sk-fake-0123456789").header("X-Client-Cert", mine).header("X-Forwarded-Client-Cert", mine);
    let (nobody, taken) = (String::new(), format!("acme/{mine}"));
    // What the gate maps, what it asks for, what is shown, to which name, with what, and what comes back.
    for (uri, asks, shows, name, request, expected) in [
        (mine, "required", Some("client"), "localhost", &request, (200, &taken)),
        (mine, "required", None, "localhost", &request, (0, &nobody)),
        (mine, "required", Some("expired"), "localhost", &request, (0, &nobody)),
        (mine, "required", Some("foreign"), "localhost", &request, (0, &nobody)),
        (mine, "required", Some("gate"), "localhost", &request, (0, &nobody)),
        (mine, "required", Some("client"), "evil.example", &request, (0, &nobody)),
        (other, "required", Some("client"), "localhost", &request, (401, &nobody)),
        (mine, "optional", None, "localhost", &request, (401, &nobody)),
        (mine, "optional", None, "localhost", &forged, (401, &nobody)),
        (mine, "optional", Some("expired"), "localhost", &request, (0, &nobody)),
        (other, "optional", Some("client"), "localhost", &forged, (401, &nobody)),
    ] {
        let gate = Sealed::start(uri, asks).await;
        let (status, who) = gate.call(shows, name, request).await;
        assert_eq!((status, &who), expected, "{uri} {asks} {shows:?} {name}");
        gate.stop().await;
    }
}

/// A greeting of TLS 1.0 or 1.1, as old clients send it.
fn old_greeting(minor: u8) -> Vec<u8> {
    let random = [7; 32];
    let hello = [&[3, minor][..], &random, &[0, 0, 4, 0x00, 0x2f, 0x00, 0x35, 1, 0]].concat();
    let length = u8::try_from(hello.len()).expect("it is short");
    [&[22, 3, minor, 0, length + 4, 1, 0, 0, length][..], &hello].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_good_tls() {
    let gate = Sealed::start("spiffe://tests/client", "required").await;
    let plain = wire::bytes(&call("who", &json!({})), gate.address);
    let cases = [
        ("plain HTTP", plain),
        ("plain HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()),
        ("TLS 1.0", old_greeting(1)),
        ("TLS 1.1", old_greeting(2)),
        ("SSL 3.0", old_greeting(0)),
        ("garbage", vec![0xff; 4096]),
    ];
    for (name, bytes) in cases {
        let heard = wire::exchange(gate.address, &bytes).await.unwrap();
        // An alert at most.
        assert!(heard.closed && heard.statuses().is_empty() && (heard.bytes.is_empty() || heard.bytes[0] == 21), "{name}: {heard:?}");
    }
    assert_eq!(gate.call(Some("client"), "localhost", &call("who", &json!({}))).await.0, 200);
    gate.stop().await;
}
