//! Which credentials a request brings, and what it means if there are several.

use std::{str::FromStr as _, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use callgate_model::{Credentials, Identify as _};
use serde_json::json;
use x509_cert::{
    Certificate, TbsCertificate, Version,
    der::{
        Encode as _,
        asn1::{BitString, GeneralizedTime, Ia5String, ObjectIdentifier, OctetString},
        oid::AssociatedOid as _,
    },
    ext::{
        Extension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
    time::{Time, Validity},
};

use super::{GATE, NOW, World, open, told};

#[tokio::test]
async fn without_proof_nobody_is_anybody() {
    let nobody = open(json!({}));
    for credentials in [Credentials::default(), Credentials { certificate: Some(b"nonsense"), ..Credentials::default() }] {
        assert_eq!(told(&nobody.identify(&credentials).await), "missing");
    }
    let bearer = Credentials { bearer: Some("sk-fake"), ..Credentials::default() };
    assert_eq!(told(&nobody.identify(&bearer).await), "refused: tokens are not taken here");
}

#[tokio::test]
async fn clients_are_told_where_to_get_a_token() {
    let world = World::new(json!({})).await;
    let authentication = world.callers.authentication();
    assert_eq!(authentication.resource.as_deref(), Some(GATE));
    assert_eq!(authentication.authorization_servers, [world.issuer.url()]);
}

/// A certificate with these alternative names. It is signed by nobody: the listener has looked at that before.
fn certificate(names: &[GeneralName], ends: u64) -> Vec<u8> {
    let algorithm = AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap("1.3.101.112"), parameters: None };
    let nothing = || BitString::from_bytes(&[0; 32]).unwrap();
    let moment = |seconds| Time::GeneralTime(GeneralizedTime::from_unix_duration(Duration::from_secs(seconds)).unwrap());
    let alternative = SubjectAltName(names.to_vec());
    let extension =
        Extension { extn_id: SubjectAltName::OID, critical: false, extn_value: OctetString::new(alternative.to_der().unwrap()).unwrap() };
    let certificate = Certificate {
        tbs_certificate: TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(&[1]).unwrap(),
            signature: algorithm.clone(),
            issuer: Name::from_str("CN=authority").unwrap(),
            validity: Validity { not_before: moment(1), not_after: moment(ends) },
            subject: Name::from_str("CN=agent,O=Example").unwrap(),
            subject_public_key_info: SubjectPublicKeyInfoOwned { algorithm: algorithm.clone(), subject_public_key: nothing() },
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: (!names.is_empty()).then(|| vec![extension]),
        },
        signature_algorithm: algorithm,
        signature: nothing(),
    };
    certificate.to_der().unwrap()
}

fn uri(text: &str) -> GeneralName {
    GeneralName::UniformResourceIdentifier(Ia5String::new(text).unwrap())
}

fn dns(text: &str) -> GeneralName {
    GeneralName::DnsName(Ia5String::new(text).unwrap())
}

const LATER: u64 = NOW as u64 + 60;

#[tokio::test]
async fn a_certificate_stands_for_the_first_row_that_fits() {
    let good = certificate(&[uri("spiffe://example/agent"), dns("agent.example")], LATER);
    let print: String = digest(&SHA256, &good).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    for (row, told_as) in [
        (json!({ "uri": "spiffe://example/agent" }), "default/spiffe://example/agent"),
        (json!({ "dns": "AGENT.example", "tenant": "acme" }), "acme/AGENT.example"),
        (json!({ "subject": "CN=agent,O=Example", "caller": "robot" }), "default/robot"),
        (json!({ "fingerprint": print, "caller": "robot" }), "default/robot"),
        (json!({ "uri": "spiffe://example/agent", "dns": "agent.example" }), "default/spiffe://example/agent"),
        (json!({ "uri": "spiffe://example/agent", "dns": "other.example" }), "missing"),
        (json!({ "uri": "spiffe://example/agent2" }), "missing"),
        (json!({ "uri": "spiffe://example/" }), "missing"),
        (json!({ "uri": "agent.example" }), "missing"),
        (json!({ "email": "agent.example" }), "missing"),
        (json!({ "dns": "example" }), "missing"),
        (json!({ "subject": "CN=agent" }), "missing"),
        (json!({ "fingerprint": "0".repeat(64) }), "missing"),
        (json!({}), "missing"),
    ] {
        let callers = open(json!({ "certificates": [row.clone()] }));
        let decision = callers.identify(&Credentials { certificate: Some(&good), ..Credentials::default() }).await;
        assert_eq!(told(&decision), told_as, "{row}");
        assert!(decision.is_err() || decision.unwrap().expires.is_some_and(|end| end.as_second() == NOW + 60));
    }
}

#[tokio::test]
async fn a_certificate_that_ended_or_is_none_stands_for_nobody() {
    let callers = open(json!({ "certificates": [{ "subject": "CN=agent,O=Example" }] }));
    for (certificate, told_as) in [
        (certificate(&[], LATER), "default/CN=agent,O=Example"),
        (certificate(&[], NOW as u64), "refused: the client certificate has expired"),
        (b"nonsense".to_vec(), "refused: the client certificate cannot be read"),
    ] {
        let decision = callers.identify(&Credentials { certificate: Some(&certificate), ..Credentials::default() }).await;
        assert_eq!(told(&decision), told_as);
    }
}

#[tokio::test]
async fn a_certificate_and_a_token_must_agree() {
    let world = World::new(json!({ "tenant": "acme" })).await;
    let issuer = json!({ "issuer": world.issuer.url(), "tenant": "acme" });
    let callers = open(json!({
        "resource": GATE, "issuers": [issuer],
        "certificates": [{ "dns": "alice.example", "tenant": "acme", "caller": "alice" }, { "dns": "bob.example", "tenant": "acme", "caller": "bob" }],
    }));
    let token = world.token(&json!({}));
    for (name, told_as) in [
        ("alice.example", "acme/alice"),
        ("bob.example", "refused: the request brought credentials of two callers"),
        // Nobody's certificate says nothing; the token does.
        ("mallory.example", "acme/alice"),
    ] {
        let certificate = certificate(&[dns(name)], LATER);
        let both = Credentials { bearer: Some(&token), key: None, certificate: Some(&certificate) };
        let decision = callers.identify(&both).await;
        assert_eq!(told(&decision), told_as, "{name}");
        // The proof that ends first counts.
        assert!(decision.is_err() || name != "alice.example" || decision.unwrap().expires.is_some_and(|end| end.as_second() == NOW + 60));
    }
}
