//! The keys of an issuer over time: rotated, withdrawn, out of reach.

use std::time::Duration;

use callgate_model::Unidentified;
use callgate_testkit::{
    Issuer,
    issuer::{Key, Mood},
};
use serde_json::json;
use tokio::time::advance;

use super::{GATE, NOW, World, open, told};

const MOODS: [Mood; 6] = [Mood::Status(500), Mood::Redirect, Mood::Html, Mood::Empty, Mood::Huge, Mood::Status(404)];

#[tokio::test]
async fn a_rotated_key_is_fetched_once_however_many_ask() {
    let world = World::new(json!({})).await;
    assert!(world.ask(&world.token(&json!({}))).await.is_ok());
    // The cool-down since the first fetch is over.
    tokio::time::pause();
    advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    let next = Key::ec("two").unwrap();
    world.issuer.publish(vec![world.key.clone(), next.clone()]);
    let rotated = next.sign(&world.claims(&json!({})));
    let (good, bad) = tokio::join!(world.ask(&rotated), async {
        for count in 0..1000 {
            let unknown = world.key.sign_under(&json!({ "alg": "ES256", "kid": format!("../{count}") }), &world.claims(&json!({})));
            assert!(world.ask(&unknown).await.is_err());
        }
    });
    let () = bad;
    assert!(good.is_ok(), "{}", told(&good));
    assert_eq!(world.issuer.fetches(), 2);
}

#[tokio::test]
async fn an_unknown_key_is_refused_and_not_looked_for_again_at_once() {
    let world = World::new(json!({})).await;
    assert!(world.ask(&world.token(&json!({}))).await.is_ok());
    for name in ["../../dev/null", "' OR 1=1--", "|cmd", "http://127.0.0.1:1/", "two"] {
        let token = world.key.sign_under(&json!({ "alg": "ES256", "kid": name }), &world.claims(&json!({})));
        assert_eq!(told(&world.ask(&token).await), "refused: the token's key is none of its issuer's");
    }
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn known_keys_outlive_an_outage_up_to_a_bound() {
    for mood in MOODS {
        let world = World::new(json!({ "keep": "1h" })).await;
        assert!(world.ask(&world.token(&json!({}))).await.is_ok());
        world.issuer.answer(mood);
        let later = |seconds| async move {
            tokio::time::pause();
            advance(Duration::from_secs(seconds)).await;
            tokio::time::resume();
        };
        later(600).await;
        assert!(world.ask(&world.token(&json!({ "jti": "a" }))).await.is_ok(), "{mood:?}: known keys keep working");
        // The fetch that this began in the background has to end before the next may begin.
        while world.issuer.fetches() < 2 {
            tokio::task::yield_now().await;
        }
        later(31).await;
        let unknown = world.key.sign_under(&json!({ "alg": "ES256", "kid": "two" }), &world.claims(&json!({})));
        let decision = world.ask(&unknown).await;
        assert!(matches!(decision, Err(Unidentified::Unavailable { .. })), "{mood:?}: {}", told(&decision));
        later(3600).await;
        let decision = world.ask(&world.token(&json!({ "jti": "b" }))).await;
        assert!(matches!(decision, Err(Unidentified::Unavailable { .. })), "{mood:?}: {}", told(&decision));
        world.issuer.answer(Mood::Well);
        later(31).await;
        assert!(world.ask(&world.token(&json!({ "jti": "c" }))).await.is_ok(), "{mood:?}: it comes back by itself");
    }
}

#[tokio::test]
async fn an_issuer_that_was_never_there_is_an_outage() {
    for mood in MOODS {
        let world = World::new(json!({})).await;
        world.issuer.answer(mood);
        let decision = world.ask(&world.token(&json!({}))).await;
        assert!(matches!(decision, Err(Unidentified::Unavailable { .. })), "{mood:?}: {}", told(&decision));
        assert!(world.ask(&world.token(&json!({}))).await.is_err());
        assert_eq!(world.issuer.fetches(), 1, "{mood:?}: not asked again before the cool-down is over");
    }
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_use_up_the_fetch() {
    let world = World::new(json!({})).await;
    {
        let token = world.token(&json!({}));
        let asking = world.ask(&token);
        tokio::pin!(asking);
        // Polled once: the fetch has begun. Then the caller is gone.
        assert!(polled_once(asking.as_mut()).await);
    }
    let decision = world.ask(&world.token(&json!({ "jti": "a" }))).await;
    assert!(decision.is_ok(), "{}", told(&decision));
    assert_eq!(world.issuer.fetches(), 1);
}

/// Polls once; says whether it is still pending.
async fn polled_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn keys_for_other_things_are_no_keys() {
    let key = Key::ec("one").unwrap();
    for (change, with) in
        [("use", json!("enc")), ("alg", json!("ES384")), ("crv", json!("P-384")), ("key_ops", json!(["sign"])), ("kty", json!("oct"))]
    {
        let world = World::new(json!({})).await;
        let mut published = key.public();
        published[change] = with;
        world.issuer.publish(vec![Key::ec("other").unwrap()]);
        world.issuer.publish_also(published);
        world.issuer.publish_also(json!({ "kty": "nonsense" }));
        world.issuer.publish_also(json!(7));
        let decision = world.ask(&key.sign(&world.claims(&json!({})))).await;
        assert_eq!(told(&decision), "refused: the token's key is none of its issuer's", "{change}");
    }
    // A secret that is published is none, even where the list allows it (and has not been checked).
    let world = World::new(json!({ "algorithms": ["ES256", "HS256"] })).await;
    let secret = Key::shared("secret", b"0123456789abcdef0123456789abcdef");
    world.issuer.publish_also(secret.public());
    assert!(world.ask(&secret.sign(&world.claims(&json!({})))).await.is_err());
}

#[tokio::test]
async fn without_a_name_only_an_only_key_counts() {
    let world = World::new(json!({})).await;
    let nameless = |claims| world.key.sign_under(&json!({ "alg": "ES256" }), &claims);
    assert!(world.ask(&nameless(world.claims(&json!({})))).await.is_ok());
    let world = World::new(json!({})).await;
    world.issuer.publish(vec![world.key.clone(), Key::ec("two").unwrap()]);
    assert!(world.ask(&world.key.sign_under(&json!({ "alg": "ES256" }), &world.claims(&json!({})))).await.is_err());
}

#[tokio::test]
async fn one_issuer_does_not_speak_for_another() {
    let (one, two) = (Key::ec("same").unwrap(), Key::ec("same").unwrap());
    let (first, second) = (Issuer::start(vec![one.clone()]).await.unwrap(), Issuer::start(vec![two.clone()]).await.unwrap());
    let callers = open(json!({ "resource": GATE, "issuers": [{ "issuer": first.url() }, { "issuer": second.url() }] }));
    let world = World { issuer: first, key: one, callers: callers.into() };
    let claims = world.claims(&json!({}));
    assert!(world.ask(&world.key.sign(&claims)).await.is_ok());
    assert!(world.ask(&two.sign(&second.claims(GATE, "alice", NOW))).await.is_ok());
    // The claims of the first, the signature of the second.
    let decision = world.ask(&two.sign(&claims)).await;
    assert_eq!(told(&decision), "refused: the token's signature does not hold");
}

#[tokio::test]
async fn what_was_decided_is_remembered_for_five_seconds_and_no_longer() {
    let world = World::new(json!({ "refresh": "1s", "cooldown": "1s" })).await;
    let token = world.token(&json!({}));
    assert!(world.ask(&token).await.is_ok());
    world.issuer.publish(vec![Key::ec("two").unwrap()]);
    tokio::time::pause();
    advance(Duration::from_millis(4900)).await;
    assert!(world.ask(&token).await.is_ok());
    assert_eq!(world.issuer.fetches(), 1, "a remembered token needs no key");
    advance(Duration::from_millis(200)).await;
    tokio::time::resume();
    // The first token after that begins to fetch, and still finds its key; then the key is gone.
    let _ = world.ask(&world.token(&json!({ "jti": "a" }))).await;
    while world.issuer.fetches() < 2 {
        tokio::task::yield_now().await;
    }
    let mut decision = world.ask(&world.token(&json!({ "jti": "b" }))).await;
    while decision.is_ok() {
        tokio::task::yield_now().await;
        decision = world.ask(&world.token(&json!({ "jti": "b2" }))).await;
    }
    assert!(world.ask(&token).await.is_err());
}
