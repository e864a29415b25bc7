//! Where a request may go, and how much of an answer is taken.

use std::{collections::HashMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use callgate_testkit::{
    Issuer,
    issuer::{Key, Mood},
};

use crate::{
    Client, Config, Error, Limits, Target,
    guard::{Guard, Resolver},
};

/// Names that a fixture resolves; everything else does not exist.
const NAMES: [(&str, &[&str]); 6] = [
    ("localhost", &["127.0.0.1", "::1"]),
    ("127.0.0.1.nip.io", &["127.0.0.1"]),
    ("rebound.example", &["93.184.216.34", "10.0.0.1"]),
    ("idp.internal", &["10.1.2.3"]),
    ("sneaky.internal", &["169.254.169.254"]),
    ("mapped.example", &["::ffff:10.1.2.3"]),
];

fn client(allow: &[&str]) -> Client {
    let config = Config { allow: allow.iter().map(|&entry| entry.into()).collect(), ..Config::default() };
    let guard = Arc::new(Guard::new(&config).unwrap());
    let names: HashMap<&str, Vec<SocketAddr>> =
        NAMES.map(|(name, found)| (name, found.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect())).into();
    let resolver = Resolver::with(
        guard.clone(),
        Arc::new(move |name| {
            let found = names.get(name.as_str()).cloned().ok_or_else(|| std::io::Error::other("no such name"));
            Box::pin(async move { found })
        }),
    );
    Client::with(&config, Path::new("."), guard, resolver).unwrap()
}

/// A little time: nothing here is meant to be reached.
fn limits() -> Limits {
    Limits { time: Duration::from_millis(200), bytes: 1024 }
}

async fn refused(url: &str, allow: &[&str]) -> bool {
    let Ok(target) = Target::parse(url) else { return true };
    matches!(client(allow).get(&target, limits()).await, Err(Error::Forbidden { .. }))
}

#[tokio::test]
async fn only_public_addresses_are_called() {
    for url in [
        // This machine in all its spellings (S-01).
        "http://127.0.0.1/",
        "http://localhost/",
        "http://127.1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1.nip.io/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        // Private and reserved (S-03).
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://198.18.0.1/",
        "http://192.0.0.1/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://169.254.1.1/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd12:3456::1]/",
        "http://[ff02::1]/",
        "http://[2002:7f00:1::1]/",
        "http://[2001:db8::1]/",
        "http://[::127.0.0.1]/",
        "http://mapped.example/",
        // One bad address among good ones.
        "http://rebound.example/",
        "http://idp.internal/",
    ] {
        assert!(refused(url, &[]).await, "{url}");
    }
}

#[tokio::test]
async fn where_clouds_hand_out_credentials_is_never_called() {
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "http://169.254.170.2/",
        "http://100.100.100.200/",
        "http://192.0.0.192/",
        "http://168.63.129.16/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://metadata.google.internal/",
        "http://METADATA.google.internal./",
        "http://sneaky.internal/",
        "http://2852039166/",
    ] {
        let allow =
            ["169.254.0.0/16", "100.64.0.0/10", "192.0.0.0/8", "168.0.0.0/8", "fc00::/7", "sneaky.internal", "metadata.google.internal"];
        assert!(refused(url, &allow).await, "{url}");
    }
}

#[tokio::test]
async fn what_is_allowed_is_called() {
    // Nobody answers; what counts is that it was tried.
    for (url, allow) in [
        ("http://127.0.0.1:1/", "127.0.0.1"),
        ("http://[::1]:1/", "::1"),
        ("http://localhost:1/", "localhost"),
        ("http://LOCALHOST:1/", "localhost"),
        ("http://127.0.0.1.nip.io:1/", "127.0.0.0/8"),
        ("http://[::ffff:127.0.0.1]:1/", "127.0.0.1"),
    ] {
        assert!(!refused(url, &[allow]).await, "{url} with {allow}");
        assert!(refused(url, &["10.0.0.0/8", "idp.internal"]).await, "{url} without");
    }
}

#[test]
fn only_plain_urls_are_urls() {
    for url in [
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "dict://example.com/",
        "data:text/plain,x",
        "jar:http://example.com!/",
        "unix:/run/docker.sock",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://:secret@example.com/",
        "//example.com/",
        "example.com",
        "",
        "http://",
        "http:// example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\r\nX: y",
        "http://256.1.1.1/",
    ] {
        assert!(Target::parse(url).is_err(), "{url}");
    }
    assert_eq!(Target::parse("HTTPS://Example.COM:443/a").unwrap().as_str(), "https://example.com/a");
}

#[test]
fn an_entry_of_the_list_is_an_address_a_network_or_a_name() {
    for (entry, is_one) in [
        ("127.0.0.1", true),
        ("10.0.0.0/8", true),
        ("fd00::/8", true),
        ("idp.internal", true),
        ("localhost", true),
        ("0.0.0.0/0", false),
        ("::/0", false),
        ("*", false),
        ("*.internal", false),
        ("", false),
        ("http://idp.internal", false),
        ("idp.internal:8080", false),
        ("10.0.0.256", false),
        ("10.0.0.0/33", false),
    ] {
        let config = Config { allow: vec![entry.into()], ..Config::default() };
        assert_eq!(Guard::new(&config).is_ok(), is_one, "{entry}");
    }
}

/// What comes back from a server in this mood.
async fn asked(mood: Mood) -> Result<(u16, usize), Error> {
    let issuer = Issuer::start(vec![Key::ed("one").unwrap()]).await.unwrap();
    issuer.answer(mood);
    let limits = Limits { time: Duration::from_secs(if mood == Mood::Never { 1 } else { 20 }), bytes: 1 << 20 };
    let target = Target::parse(&format!("{}/keys", issuer.url())).unwrap();
    let answer = client(&["127.0.0.1"]).get(&target, limits).await?;
    assert_eq!(issuer.fetches(), 1, "{mood:?}: it is asked once");
    Ok((answer.status().as_u16(), answer.body().len()))
}

#[tokio::test]
async fn an_answer_is_bounded_and_a_redirect_is_one() {
    assert!(matches!(asked(Mood::Well).await, Ok((200, 100..))));
    assert!(matches!(asked(Mood::Redirect).await, Ok((302, _))), "nobody follows");
    assert!(matches!(asked(Mood::Status(500)).await, Ok((500, 0))));
    assert!(matches!(asked(Mood::Huge).await, Err(Error::Long { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_not_waited_for() {
    assert!(matches!(asked(Mood::Never).await, Err(Error::Slow { .. })));
}
