//! Texts and the values they stand for.

use std::time::Duration;

use super::{Secret, Size, Span};

#[test]
fn durations_carry_a_unit() {
    for (text, expected) in [
        ("30s", Some(Duration::from_secs(30))),
        ("500ms", Some(Duration::from_millis(500))),
        ("5m", Some(Duration::from_secs(300))),
        ("1h", Some(Duration::from_secs(3600))),
        ("2d", Some(Duration::from_secs(172_800))),
        ("0s", Some(Duration::ZERO)),
        ("30", None),
        ("s", None),
        ("1.5s", None),
        ("-1s", None),
        ("30 s", None),
        ("99999999999999999999s", None),
        ("18446744073709551615d", None),
    ] {
        let read: Option<Span> = serde_json::from_value(text.into()).ok();
        assert_eq!(read.map(Span::get), expected, "{text}");
    }
}

#[test]
fn sizes_carry_a_unit() {
    for (text, expected) in [
        ("100B", Some(100)),
        ("256KiB", Some(256 << 10)),
        ("4MiB", Some(4 << 20)),
        ("1GiB", Some(1 << 30)),
        ("4MB", None),
        ("4", None),
        ("MiB", None),
        ("18446744073709551615GiB", None),
    ] {
        let read: Option<Size> = serde_json::from_value(text.into()).ok();
        assert_eq!(read.map(|size| size.0), expected, "{text}");
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    for text in ["30s", "500ms", "5m", "1h", "2d", "0ms", "90s"] {
        let span: Span = serde_json::from_value(text.into()).unwrap();
        assert_eq!(span.to_string(), text);
    }
    for text in ["100B", "256KiB", "4MiB", "1GiB", "0B"] {
        let size: Size = serde_json::from_value(text.into()).unwrap();
        assert_eq!(size.to_string(), text);
    }
}

#[test]
fn a_secret_is_not_printed() {
    assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
}
