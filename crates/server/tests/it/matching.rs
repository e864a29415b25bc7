//! Whether a reply contains what is expected.

use serde_json::Value;

/// Why `actual` does not contain `expected`; `None` if it does. Members of objects may be more than expected, lists are as long as
/// expected, `null` also stands for a member that is not there, and `…` in a text stands for anything.
pub(crate) fn mismatch(expected: &Value, actual: &Value, path: &str) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .find_map(|(key, expected)| mismatch(expected, actual.get(key).unwrap_or(&Value::Null), &format!("{path}/{key}"))),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.find_map(|(index, (expected, actual))| mismatch(expected, actual, &format!("{path}/{index}")))
        }
        (Value::String(pattern), Value::String(text)) if fits(pattern, text) => None,
        (expected, actual) if expected == actual => None,
        _ => Some(format!("at `{path}`: expected {expected}, got {actual}")),
    }
}

/// `…` in `pattern` stands for anything.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn anything_may_stand_between() {
    for (pattern, text, expected) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a…", "abc", true),
        ("…c", "abc", true),
        ("a…c", "abc", true),
        ("a…b…d", "abcd", true),
        ("a…x…d", "abcd", false),
        ("…", "", true),
        ("ab…bc", "abc", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}
