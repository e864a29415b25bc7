//! API keys: given out, taken, revoked, guessed.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use callgate_model::{Caller, Credentials, Identify as _, Proof, Unidentified};
use callgate_store::{ApiKey, Audit, Error, Store};
use callgate_testkit::Folder;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, advance};

use super::{NOW, clock, open_with, told};
use crate::{ApiKeys, Callers, Grant, keys};

async fn store() -> Arc<dyn Store> {
    let config = callgate_store::Config { kind: callgate_store::Name::Memory, ..callgate_store::Config::default() };
    let opening = callgate_store::Opening { config: &config, upkeep: callgate_store::Upkeep::default(), folder: Path::new(".") };
    callgate_store::open(&opening).await.unwrap()
}

/// The keys of `store` under this pepper.
fn keys(store: &Arc<dyn Store>, pepper: &str) -> ApiKeys {
    let config: keys::Config = serde_json::from_value(json!({ "pepper": pepper })).unwrap();
    ApiKeys::open(&config, store.clone(), None, clock()).unwrap()
}

fn grant() -> Grant {
    Grant {
        caller: "alice".into(),
        tenant: "acme".into(),
        roles: vec!["finance".into()],
        scopes: vec!["read:customers".into()],
        expires: None,
    }
}

/// A gate with keys, and one that was given out.
async fn world(grant: Grant) -> (Callers, ApiKeys, String, String) {
    let store = store().await;
    let (taken, given) = (keys(&store, "a pepper of the operator"), keys(&store, "a pepper of the operator"));
    let (text, key) = given.add(grant).await.unwrap();
    (open_with(json!({ "keys": {} }), Some(taken)), given, text, key.id)
}

async fn ask(callers: &Callers, key: &str) -> Result<Arc<Caller>, Unidentified> {
    callers.identify(&Credentials { key: Some(key), ..Credentials::default() }).await
}

#[tokio::test]
async fn a_key_stands_for_its_caller_either_way() {
    let (callers, given, text, id) = world(grant()).await;
    assert!(text.starts_with(&format!("cg_{id}_")) && text.len() == 3 + 12 + 1 + 51, "{text}");
    for credentials in
        [Credentials { key: Some(&text), ..Credentials::default() }, Credentials { bearer: Some(&text), ..Credentials::default() }]
    {
        let caller = callers.identify(&credentials).await.unwrap();
        assert_eq!((caller.to_string().as_str(), caller.proof), ("acme/alice", Proof::Key));
        assert!(caller.is("finance") && caller.scopes.contain("read:customers"));
    }
    // Both at once agree; what is kept is not the key.
    let both = Credentials { key: Some(&text), bearer: Some(&text), certificate: None };
    assert!(callers.identify(&both).await.is_ok());
    let kept = format!("{:?}", given.list().await.unwrap());
    assert!(!kept.contains(&text[16..]), "{kept}");
}

#[tokio::test]
async fn two_keys_of_two_callers_do_not_agree() {
    let (callers, given, text, _) = world(grant()).await;
    let (other, _) = given.add(Grant { caller: "bob".into(), ..grant() }).await.unwrap();
    let both = Credentials { key: Some(&text), bearer: Some(&other), certificate: None };
    assert_eq!(told(&callers.identify(&both).await), "refused: the request brought credentials of two callers");
}

#[tokio::test]
async fn a_key_that_nobody_gave_out_is_none() {
    let (callers, _, text, id) = world(grant()).await;
    let mut bent: Vec<String> = (0..text.len())
        .map(|index| {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'a' { b'b' } else { b'a' };
            String::from_utf8(bytes).unwrap()
        })
        .collect();
    bent.extend(
        ["", "cg_", "cg__", "cg_ä", "Bearer", &text[3..], &format!("{text}a"), &format!(" {text}"), &text.to_uppercase()]
            .map(str::to_owned),
    );
    bent.push(format!("cg_{id}_{}", "A".repeat(51)));
    for key in bent {
        assert_eq!(told(&ask(&callers, &key).await), "refused: nobody gave out this API key", "{key}");
    }
}

#[tokio::test]
async fn a_stolen_table_opens_nothing() {
    let store = store().await;
    let (text, _) = keys(&store, "a pepper of the operator").add(grant()).await.unwrap();
    let other = open_with(json!({ "keys": {} }), Some(keys(&store, "a pepper of somebody else")));
    assert!(ask(&other, &text).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_is_refused_within_five_seconds() {
    let (callers, given, text, id) = world(grant()).await;
    assert!(ask(&callers, &text).await.is_ok());
    assert!(given.revoke(&id).await.unwrap());
    assert!(!given.revoke(&id).await.unwrap(), "it was revoked before");
    advance(Duration::from_secs(5)).await;
    assert_eq!(told(&ask(&callers, &text).await), format!("refused: the API key `{id}` was revoked"));
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() {
    for (end, is_good) in [(NOW - 1, false), (NOW, false), (NOW + 1, true)] {
        let (callers, _, text, _) = world(Grant { expires: Some(Timestamp::from_second(end).unwrap()), ..grant() }).await;
        let decision = ask(&callers, &text).await;
        assert_eq!(decision.is_ok(), is_good, "{end}");
        assert!(decision.is_err() || decision.unwrap().expires.is_some());
    }
}

#[tokio::test]
async fn without_keys_no_key_is_taken() {
    let (_, _, text, _) = world(grant()).await;
    let callers = open_with(json!({}), None);
    assert_eq!(told(&ask(&callers, &text).await), "refused: API keys are not taken here");
}

#[tokio::test]
async fn a_pepper_is_made_once_and_kept_from_others() {
    let folder = Folder::with([]).unwrap();
    let path = folder.path().join("data/callgate.pepper");
    let store = store().await;
    let open = || ApiKeys::open(&keys::Config::default(), store.clone(), Some(&path), clock());
    let (text, _) = open().unwrap().add(grant()).await.unwrap();
    let callers = open_with(json!({ "keys": {} }), Some(open().unwrap()));
    assert!(ask(&callers, &text).await.is_ok(), "the second one reads what the first one made");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open().is_err(), "a secret that everybody can read is none");
    }
}

/// A store that says nothing for a while.
#[derive(Debug)]
struct Moody {
    store: Arc<dyn Store>,
    is_silent: AtomicBool,
}

impl Store for Moody {
    fn audit(&self) -> &dyn Audit {
        self.store.audit()
    }

    fn callers(&self) -> &dyn callgate_store::Callers {
        self.store.callers()
    }

    fn keys(&self) -> &dyn callgate_store::Keys {
        self
    }
}

#[async_trait]
impl callgate_store::Keys for Moody {
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        if self.is_silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.store.keys().find(id).await
    }

    async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        self.store.keys().list().await
    }

    async fn add(&self, key: &ApiKey) -> Result<(), Error> {
        self.store.keys().add(key).await
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, Error> {
        self.store.keys().revoke(id, at).await
    }
}

/// A store that takes its time to say what it found.
#[derive(Debug)]
struct Slow(Arc<dyn Store>);

impl Store for Slow {
    fn audit(&self) -> &dyn Audit {
        self.0.audit()
    }

    fn callers(&self) -> &dyn callgate_store::Callers {
        self.0.callers()
    }

    fn keys(&self) -> &dyn callgate_store::Keys {
        self
    }
}

#[async_trait]
impl callgate_store::Keys for Slow {
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        let found = self.0.keys().find(id).await;
        tokio::time::sleep(Duration::from_millis(1900)).await;
        found
    }

    async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        self.0.keys().list().await
    }

    async fn add(&self, key: &ApiKey) -> Result<(), Error> {
        self.0.keys().add(key).await
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, Error> {
        self.0.keys().revoke(id, at).await
    }
}

/// What the store said may be old when it arrives, and counts no longer for that.
#[tokio::test(start_paused = true)]
async fn a_revoked_key_is_taken_for_five_seconds_though_the_store_is_slow() {
    let slow: Arc<dyn Store> = Arc::new(Slow(store().await));
    let (taken, given) = (keys(&slow, "a pepper of the operator"), keys(&slow, "a pepper of the operator"));
    let (text, key) = given.add(grant()).await.unwrap();
    let callers = Arc::new(open_with(json!({ "keys": {} }), Some(taken)));
    let first = tokio::spawn({
        let (callers, text) = (callers.clone(), text.clone());
        async move { ask(&callers, &text).await.is_ok() }
    });
    tokio::task::yield_now().await;
    // The store has found the key and not said so yet.
    given.revoke(&key.id).await.unwrap();
    let revoked = Instant::now();
    assert!(first.await.unwrap());
    tokio::time::sleep_until(revoked + Duration::from_millis(5001)).await;
    assert!(told(&ask(&callers, &text).await).starts_with("refused"), "{:?} after it was revoked", revoked.elapsed());
}

/// A gate over a store that may fall silent, with two keys; the first has been used.
async fn moody() -> (Callers, Arc<Moody>, ApiKeys, [(String, ApiKey); 2]) {
    let moody = Arc::new(Moody { store: store().await, is_silent: AtomicBool::new(false) });
    let shared: Arc<dyn Store> = moody.clone();
    let (taken, given) = (keys(&shared, "a pepper of the operator"), keys(&shared, "a pepper of the operator"));
    let made = [given.add(grant()).await.unwrap(), given.add(grant()).await.unwrap()];
    let callers = open_with(json!({ "keys": {} }), Some(taken));
    assert!(ask(&callers, &made[0].0).await.is_ok());
    (callers, moody, given, made)
}

#[tokio::test(start_paused = true)]
async fn who_was_known_stays_known_while_the_store_says_nothing_and_waits_for_nothing() {
    let (callers, moody, given, [(used, key), (unused, _)]) = moody().await;
    moody.is_silent.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(59) {
        let before = Instant::now();
        assert_eq!(told(&ask(&callers, &used).await), "acme/alice", "after {:?}", begun.elapsed());
        assert_eq!(before.elapsed(), Duration::ZERO, "after {:?}", begun.elapsed());
        advance(Duration::from_millis(500)).await;
    }
    assert!(told(&ask(&callers, &unused).await).starts_with("unavailable"), "it was never seen");
    advance(Duration::from_secs(2)).await;
    assert!(told(&ask(&callers, &used).await).starts_with("unavailable"), "the bound is a minute");
    given.revoke(&key.id).await.unwrap();
    moody.is_silent.store(false, Ordering::SeqCst);
    assert_eq!(told(&ask(&callers, &used).await), format!("refused: the API key `{}` was revoked", key.id));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_rarely_used_outlasts_the_store_too() {
    let (callers, moody, given, [(used, key), _]) = moody().await;
    moody.is_silent.store(true, Ordering::SeqCst);
    advance(Duration::from_secs(30)).await;
    let before = Instant::now();
    assert_eq!(told(&ask(&callers, &used).await), "acme/alice");
    assert_eq!(before.elapsed(), Duration::from_secs(2), "as long as the store may take to answer");
    given.revoke(&key.id).await.unwrap();
    moody.is_silent.store(false, Ordering::SeqCst);
    advance(Duration::from_secs(5)).await;
    assert!(told(&ask(&callers, &used).await).starts_with("refused"), "once the store answers, it counts");
}

#[tokio::test(start_paused = true)]
async fn a_key_in_use_is_looked_up_ahead_of_time_once() {
    let (callers, _, given, [(used, key), _]) = moody().await;
    given.revoke(&key.id).await.unwrap();
    advance(Duration::from_millis(1900)).await;
    assert!(ask(&callers, &used).await.is_ok());
    tokio::task::yield_now().await;
    assert!(ask(&callers, &used).await.is_ok(), "it is not due yet");
    advance(Duration::from_millis(200)).await;
    assert!(ask(&callers, &used).await.is_ok(), "nobody waits for the store");
    tokio::task::yield_now().await;
    assert!(told(&ask(&callers, &used).await).starts_with("refused"));
}
