//! The rules that the types of this room keep.

use std::{borrow::Cow, time::Duration};

use crate::{Deadline, Fault, Json, ToolName, UriTemplate};

#[test]
fn names_keep_their_rule() {
    for good in ["a", "get_customer", "A.b-9", &"x".repeat(128)] {
        assert!(ToolName::new(good).is_ok(), "{good}");
    }
    for bad in ["", "a b", "pay\u{200b}ment", "é", "a/b", &"x".repeat(129)] {
        assert!(ToolName::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn names_are_repeated_without_what_cannot_be_seen() {
    let cases = [
        ("pay\u{200b}ment", "pay\u{fffd}ment".to_owned()),
        ("\u{202e}gnp.exe\u{7}", "\u{fffd}gnp.exe\u{fffd}".into()),
        ("\u{e0041}", "\u{fffd}".into()),
        (&"\u{7}".repeat(81), format!("{}…", "\u{fffd}".repeat(80))),
        (&"é".repeat(80), "é".repeat(80)),
    ];
    for (name, expected) in cases {
        assert_eq!(Fault::unknown("tool", name).message(), format!("unknown tool `{expected}`"), "{name:?}");
    }
}

/// `uri` against `template`: the variables as `name=value`, or `-`.
fn variables(template: &str, uri: &str) -> String {
    let template = UriTemplate::parse(template).expect("a template");
    let found = template.matches(uri);
    found.map_or("-".into(), |found| found.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
}

#[test]
fn templates_match_whole_uris_only() {
    let cases = [
        ("db://schema/{table}", "db://schema/orders", "table=orders"),
        ("db://schema/{table}", "db://schema/", "-"),
        ("db://schema/{table}", "db://schema/a/b", "-"),
        ("db://schema/{table}", "db://schema/a%2Fb", "table=a/b"),
        ("db://schema/{table}", "db://schema/a%2", "-"),
        ("db://schema/{table}", "db://schema/a%+1", "-"),
        ("file:///{+path}", "file:///a/b.txt", "path=a/b.txt"),
        ("test://template/{id}/data", "test://template/123/data", "id=123"),
        ("test://template/{id}/data", "test://template/123/data/", "-"),
        ("x://{a}-{b}", "x://1-2-3", "a=1 b=2-3"),
    ];
    for (template, uri, expected) in cases {
        assert_eq!(variables(template, uri), expected, "{template} against {uri}");
    }
}

#[test]
fn templates_expand_to_what_they_match() {
    let template = UriTemplate::parse("shop://customer/{id}").expect("a template");
    let uri = template.expand(|_| Some(Cow::Borrowed("a/ü?"))).expect("a uri");
    assert_eq!(uri, "shop://customer/a%2F%C3%BC%3F");
    assert_eq!(template.matches(&uri), Some(vec![("id", "a/ü?".to_owned())]));
}

#[test]
fn templates_that_cannot_be_read_backwards_are_refused() {
    for bad in ["a{b", "a}b", "{a}{b}", "{a}/{a}", "{?query}", "{}", "{a,b}"] {
        assert!(UriTemplate::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn finished_json_is_passed_on_as_it_was_written() {
    let text = "{ \"b\": 12345678901234567890123,\n\"a\": [1.0] }";
    let json = Json::parse(text).expect("JSON");
    assert_eq!(serde_json::to_string(&json).expect("JSON"), text);
    assert!(Json::parse("{} {}").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_shorter_deadline_counts_from_the_start() {
    let whole = Deadline::after(Duration::from_secs(5));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(whole.within(Duration::from_secs(3)).left(), Duration::from_secs(2));
    assert_eq!(whole.within(Duration::from_secs(9)).left(), Duration::from_secs(4));
}
