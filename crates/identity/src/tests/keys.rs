//! API keys: given out, taken, revoked, guessed.

use std::{path::Path, sync::Arc, time::Duration};

use callgate_model::{Caller, Credentials, Identify as _, Proof, Unidentified};
use callgate_store::Store;
use callgate_testkit::Folder;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::advance;

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
