//! Secrets that must not be found anywhere, and every dress in which they are looked for.

use std::collections::HashMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// One secret: where it is put, and its text.
pub(crate) struct Canary {
    pub(crate) place: &'static str,
    pub(crate) text: &'static str,
}

/// In an argument that is a password by its name. It has signs that JSON, URLs and HTML write differently.
pub(crate) const PASSWORD: &str = "c4n4ry-Pass\"wörd<&>\\+/%40";
/// In an argument: a number that cards have.
pub(crate) const CARD: &str = "4111111111111111";
/// In an argument: an address.
pub(crate) const EMAIL: &str = "c4n4ry.victim@example.net";
/// In `_meta` of every message.
pub(crate) const META: &str = "c4n4ry-meta-5up3r?s&cret";
/// In a cookie of every request.
pub(crate) const COOKIE: &str = "c4n4ry-cookie-1nside~it";
/// In the environment of the process, as the pepper of its keys.
pub(crate) const PEPPER: &str = "c4n4ry-pepper-0123456789abcdef-from-the-environment";
/// In the configuration, as a secret that seals what clients keep.
pub(crate) const SEAL: &str = "c4n4ry-seal-0123456789abcdef-in-the-configuration";
/// In the environment of the process, where nothing reads it.
pub(crate) const UNREAD: &str = "c4n4ry-unread-environment-variable";

/// In the configuration, as what the gate shows to the collector of its traces.
pub(crate) const TELLER: &str = "c4n4ry-teller-who-sends-the-traces";

const FIXED: [Canary; 9] = [
    Canary { place: "the argument `password`", text: PASSWORD },
    Canary { place: "an argument", text: CARD },
    Canary { place: "an argument", text: EMAIL },
    Canary { place: "`_meta`", text: META },
    Canary { place: "`Cookie`", text: COOKIE },
    Canary { place: "the pepper", text: PEPPER },
    Canary { place: "the seal", text: SEAL },
    Canary { place: "what the collector is shown", text: TELLER },
    Canary { place: "the environment", text: UNREAD },
];

/// All that must not be found: the fixed ones, and what the callers of one gate showed.
pub(crate) struct Cage {
    /// A name and one form each, by their first bytes: much is searched for much.
    forms: HashMap<[u8; LEAST], Vec<(String, Vec<u8>)>>,
    /// By two bytes, whether any form begins with them.
    begins: Vec<bool>,
}

/// No form is shorter.
const LEAST: usize = 8;

impl Cage {
    pub(crate) fn new() -> Self {
        let mut cage = Self { forms: HashMap::new(), begins: vec![false; 1 << 16] };
        for canary in FIXED {
            cage.add(canary.place, canary.text);
        }
        cage
    }

    /// One more, such as a key or a token.
    pub(crate) fn add(&mut self, place: &str, text: &str) {
        for (dress, form) in forms(text) {
            let first = *form.first_chunk::<LEAST>().unwrap_or_else(|| panic!("`{text}` is too short to be found"));
            self.begins[usize::from(u16::from_ne_bytes([first[0], first[1]]))] = true;
            self.forms.entry(first).or_default().push((format!("{place} ({dress})"), form));
        }
    }

    /// Which of them are in `hay`.
    pub(crate) fn found(&self, hay: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        let mut rest = hay;
        while let Some(first) = rest.first_chunk::<LEAST>() {
            if self.begins[usize::from(u16::from_ne_bytes([first[0], first[1]]))]
                && let Some(forms) = self.forms.get(first)
            {
                found.extend(forms.iter().filter(|(_, form)| rest.starts_with(form)).map(|(name, _)| name.as_str()));
            }
            rest = &rest[1..];
        }
        found.dedup();
        found
    }
}

/// The secret as it is, and as programs write it down.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let url = |lower: bool| {
        let escape = |byte: &u8| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => char::from(*byte).to_string(),
            byte if lower => format!("%{byte:02x}"),
            byte => format!("%{byte:02X}"),
        };
        bytes.iter().map(escape).collect::<String>()
    };
    let json = serde_json::to_string(text).unwrap_or_default();
    let ascii: String =
        json.chars().map(|sign| if sign.is_ascii() { sign.to_string() } else { format!("\\u{:04x}", u32::from(sign)) }).collect();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("in capitals", text.to_uppercase().into_bytes()),
        ("in hexadecimal", hex.to_uppercase().into_bytes()),
        ("in hexadecimal", hex.into_bytes()),
        ("for URLs", url(true).into_bytes()),
        ("for URLs", url(false).into_bytes()),
        ("for JSON", json.trim_matches('"').as_bytes().to_vec()),
        ("for JSON twice", format!("{json:?}").trim_matches(['"', '\\']).as_bytes().to_vec()),
        ("for JSON in ASCII", ascii.trim_matches('"').as_bytes().to_vec()),
        ("for HTML", html.into_bytes()),
        ("for Rust", format!("{text:?}").trim_matches('"').as_bytes().to_vec()),
    ];
    // Wherever it begins in the three bytes of a group; the signs at both ends depend on its neighbours.
    for shift in 0..3 {
        let padded = [&vec![b' '; shift][..], bytes].concat();
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let (begin, end) = ((shift * 8).div_ceil(6), encoded.len() - 2);
            forms.push(("in base64", encoded.as_bytes()[begin..end].to_vec()));
        }
    }
    forms
}

#[test]
fn a_secret_is_found_in_every_dress() {
    let cage = Cage::new();
    let wrapped = |text: &str| serde_json::json!({ "a": text }).to_string();
    for hay in [
        format!("before {PASSWORD} behind"),
        wrapped(PASSWORD),
        wrapped(&wrapped(PASSWORD)),
        STANDARD_NO_PAD.encode(format!("a{COOKIE}b")),
        URL_SAFE_NO_PAD.encode(format!("xy{META}")),
        format!("{:?}", Some(PASSWORD)),
        format!("?q={}", "c4n4ry-meta-5up3r%3Fs%26cret"),
    ] {
        assert!(!cage.found(hay.as_bytes()).is_empty(), "not found in {hay}");
    }
    assert_eq!(cage.found(b"c4n4ry and 4111 and nothing else"), Vec::<&str>::new());
}
