//! One token at a time: what is in it, how it is signed.

use callgate_model::Unidentified;
use callgate_testkit::issuer::{Key, encode};
use serde_json::{Value, json};

use super::{GATE, NOW, World, told};

/// Claims that are put over good ones, and whether the token is taken then.
fn cases() -> Vec<(Value, bool)> {
    let (good, bad) = (true, false);
    vec![
        (json!({}), good),
        // A-08: meant for somebody else, however alike.
        (json!({ "aud": null }), bad),
        (json!({ "aud": "https://other.example/mcp" }), bad),
        (json!({ "aud": ["https://other.example/mcp"] }), bad),
        (json!({ "aud": [] }), bad),
        (json!({ "aud": "https://gate.example/mcp/" }), bad),
        (json!({ "aud": "https://gate.example/MCP" }), bad),
        (json!({ "aud": "https://GATE.example/mcp" }), bad),
        (json!({ "aud": "https://gate.example:443/mcp" }), bad),
        (json!({ "aud": "https://gate.example:8443/mcp" }), bad),
        (json!({ "aud": "https://gate.example" }), bad),
        (json!({ "aud": "https://user@gate.example/mcp" }), bad),
        (json!({ "aud": { "url": GATE } }), bad),
        (json!({ "aud": [GATE, 7] }), bad),
        (json!({ "aud": 7 }), bad),
        (json!({ "aud": ["https://other.example/mcp", GATE] }), good),
        // A-09: of another issuer.
        (json!({ "iss": null }), bad),
        (json!({ "iss": "https://other.example" }), bad),
        (json!({ "iss": [] }), bad),
        // A-10: times.
        (json!({ "exp": null }), bad),
        (json!({ "exp": NOW - 29 }), good),
        (json!({ "exp": NOW - 30 }), bad),
        (json!({ "exp": NOW - 31 }), bad),
        (json!({ "exp": 9_223_372_036_854_775_808_u64 }), bad),
        (json!({ "exp": i64::MAX }), bad),
        (json!({ "exp": -1 }), bad),
        (json!({ "exp": (NOW + 60).to_string() }), bad),
        (json!({ "exp": 1_800_000_060.0 }), bad),
        (json!({ "exp": [NOW + 60] }), bad),
        (json!({ "exp": true }), bad),
        (json!({ "nbf": NOW + 30 }), good),
        (json!({ "nbf": NOW + 31 }), bad),
        (json!({ "nbf": NOW.to_string() }), bad),
        (json!({ "nbf": 1.5 }), bad),
        (json!({ "iat": NOW + 30 }), good),
        (json!({ "iat": NOW + 31 }), bad),
        (json!({ "iat": NOW.to_string() }), bad),
        // Who it is.
        (json!({ "sub": null }), bad),
        (json!({ "sub": "" }), bad),
        (json!({ "sub": 7 }), bad),
        (json!({ "sub": "a\nb" }), bad),
        (json!({ "sub": "a".repeat(257) }), bad),
        (json!({ "roles": ["a", 7] }), bad),
        (json!({ "roles": { "a": true } }), bad),
        (json!({ "scope": "a  b" }), good),
        (json!({ "scope": 7 }), bad),
    ]
}

#[tokio::test]
async fn claims_decide_letter_for_letter() {
    let world = World::new(json!({})).await;
    let expected = format!("{}/alice", world.issuer.url());
    for (over, is_good) in cases() {
        let decision = world.ask(&world.token(&over)).await;
        assert_eq!(told(&decision) == expected, is_good, "{over}: {}", told(&decision));
        assert!(is_good || matches!(decision, Err(Unidentified::Refused(_))), "{over}");
    }
    assert_eq!(world.issuer.fetches(), 1, "claims that do not hold make nobody fetch keys");
}

#[tokio::test]
async fn an_issuer_is_its_name_letter_for_letter() {
    let world = World::new(json!({})).await;
    let url = world.issuer.url();
    for alike in [format!("{url}/"), url.to_uppercase(), format!(" {url}"), url.replace("http:", "https:")] {
        let decision = world.ask(&world.token(&json!({ "iss": alike }))).await;
        assert_eq!(told(&decision), "refused: the token is of no issuer that is known here", "{alike}");
    }
}

#[tokio::test]
async fn the_header_decides_nothing() {
    let world = World::new(json!({})).await;
    let claims = world.claims(&json!({}));
    let stranger = Key::ec("one").unwrap();
    let as_secret = Key::shared("one", &world.key.public_bytes());
    let unsigned = |alg: &str| format!("{}.{}.", encode(json!({ "alg": alg, "kid": "one" }).to_string()), encode(claims.to_string()));
    let header = |header: Value| world.key.sign_under(&header, &claims);
    let mut cases = vec![
        // A-03, A-04: no signature, another kind of signature, the public key as a secret.
        unsigned("none"),
        unsigned("None"),
        unsigned("nOnE"),
        unsigned("ES256"),
        header(json!({ "alg": "none", "kid": "one" })),
        header(json!({ "alg": "RS256", "kid": "one" })),
        header(json!({ "alg": "es256", "kid": "one" })),
        header(json!({ "alg": "ES384", "kid": "one" })),
        header(json!({ "alg": ["ES256"], "kid": "one" })),
        header(json!({ "kid": "one" })),
        as_secret.sign(&claims),
        as_secret.sign_under(&json!({ "alg": "ES256", "kid": "one" }), &claims),
        // The right name on another key, and places where the token would like its key to be found.
        stranger.sign(&claims),
        stranger.sign_under(&json!({ "alg": "ES256", "jwk": stranger.public() }), &claims),
        stranger.sign_under(&json!({ "alg": "ES256", "kid": "one", "jku": "http://127.0.0.1:1/keys" }), &claims),
        // Demands.
        header(json!({ "alg": "ES256", "kid": "one", "crit": ["exp"] })),
        header(json!({ "alg": "ES256", "kid": "one", "crit": null })),
        header(json!({ "alg": "ES256", "kid": "one", "b64": false })),
        header(json!({ "alg": "ES256", "kid": "one", "typ": "logout+jwt" })),
        header(json!({ "alg": "ES256", "kid": "k".repeat(257) })),
        header(json!({ "alg": "ES256", "kid": 7 })),
        // Twice.
        world.key.sign_text(r#"{"alg":"none","alg":"ES256","kid":"one"}"#, &claims.to_string()),
        world.key.sign_text(r#"{"alg":"ES256","kid":"one"}"#, &claims.to_string().replacen('{', r#"{"sub":"bob","#, 1)),
        world.key.sign_text(r#"{"alg":"ES256","kid":"one"}"#, "[]"),
        world.key.sign_text(r#"{"alg":"ES256","kid":"one"}"#, "{"),
    ];
    // No JWT at all (A-01).
    cases.extend(["", ".", "..", "...", "sk-fake", "a.b.c", "e30.e30.e30", "é.é.é"].map(str::to_owned));
    let good = world.token(&json!({}));
    cases.extend([format!("{good}."), format!("{good}.x"), format!("{good}="), format!(" {good}"), good.replacen('.', "..", 1)]);
    for token in cases {
        let decision = world.ask(&token).await;
        assert!(matches!(decision, Err(Unidentified::Refused(_))), "{token}: {}", told(&decision));
    }
    for token in [good, header(json!({ "alg": "ES256", "kid": "one", "typ": "AT+JWT" })), header(json!({ "alg": "ES256" }))] {
        assert!(world.ask(&token).await.is_ok(), "{token}");
    }
}

#[tokio::test]
async fn any_byte_of_a_token_counts() {
    let world = World::new(json!({})).await;
    let good = world.token(&json!({}));
    for index in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bytes).unwrap();
        let decision = world.ask(&bent).await;
        assert!(decision.is_err(), "byte {index}");
    }
}

#[tokio::test]
async fn every_kind_of_key_signs_as_it_is_listed() {
    for key in [Key::rsa("one").unwrap(), Key::ec("one").unwrap(), Key::ed("one").unwrap()] {
        for allowed in ["RS256", "ES256", "EdDSA", "PS256", "ES384"] {
            let world = World::new(json!({ "algorithms": [allowed] })).await;
            world.issuer.publish(vec![key.clone()]);
            let decision = world.ask(&key.sign(&world.claims(&json!({})))).await;
            assert_eq!(decision.is_ok(), key.algorithm() == allowed, "{} where {allowed} is: {}", key.algorithm(), told(&decision));
        }
    }
}

#[tokio::test]
async fn a_shared_secret_signs_where_it_is_configured() {
    let secret = "0123456789abcdef0123456789abcdef";
    let world = World::new(json!({ "algorithms": ["HS256"], "secret": secret })).await;
    let claims = world.claims(&json!({}));
    assert!(world.ask(&Key::shared("any", secret.as_bytes()).sign(&claims)).await.is_ok());
    assert!(world.ask(&Key::shared("any", b"another").sign(&claims)).await.is_err());
    assert!(world.ask(&world.key.sign(&claims)).await.is_err());
    assert_eq!(world.issuer.fetches(), 0);
}

#[tokio::test]
async fn claims_become_tenant_roles_and_scopes() {
    let world = World::new(json!({
        "claims": { "caller": "email", "tenant": "org", "roles": "/realm_access/roles", "scopes": "scp" },
        "required": { "azp": ["agents", "desk"] },
    }))
    .await;
    let claims = json!({
        "email": "alice@acme.example", "org": "acme", "realm_access": { "roles": ["finance", "admin"] },
        "scp": ["read:customers"], "azp": "agents",
    });
    let caller = world.ask(&world.token(&claims)).await.unwrap();
    assert_eq!(caller.to_string(), "acme/alice@acme.example");
    assert!(caller.is("finance") && caller.is("admin") && !caller.is("read:customers"));
    assert!(caller.scopes.contain("read:customers") && !caller.scopes.contain("admin"));
    assert_eq!(caller.expires.map(|end| end.as_second()), Some(NOW + 330));
    assert_eq!(caller.claims.get("org"), Some(&json!("acme")));
    assert_eq!(caller.claims.get("exp"), None);
    for over in
        [json!({ "org": null }), json!({ "org": ["acme"] }), json!({ "azp": "other" }), json!({ "azp": null }), json!({ "email": null })]
    {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(over.as_object().cloned().unwrap());
        let decision = world.ask(&world.token(&claims)).await;
        assert!(matches!(decision, Err(Unidentified::Refused(_))), "{over}");
    }
}
