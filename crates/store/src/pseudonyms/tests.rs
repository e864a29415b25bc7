//! What a pseudonym looks like; what is kept and forgotten is in `crate::tests::erasure`.

use super::is_pseudonym;

#[test]
fn a_pseudonym_is_known_by_its_form() {
    for (text, expected) in [
        ("anon-0123456789abcdef0123456789abcdef", true),
        ("anon-0123456789abcdef0123456789abcde", false),
        ("anon-0123456789abcdef0123456789abcdeF", false),
        ("anna-0123456789abcdef0123456789abcdef", false),
        ("alice", false),
        ("", false),
    ] {
        assert_eq!(is_pseudonym(text), expected, "{text}");
    }
}
