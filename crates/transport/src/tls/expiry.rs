//! The moment at which a certificate ends, read from where it stands in the certificate (X.509, DER). Nothing is verified here.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the certificate ends; `None` if it cannot be read.
pub(super) fn of(certificate: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(certificate, SEQUENCE)?;
    let (_, mut body, _) = element(certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        body = next(body)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        body = next(body)?.2;
    }
    let (_, validity, _) = element(body, SEQUENCE)?;
    let (tag, end, _) = next(next(validity)?.2)?;
    let text = std::str::from_utf8(end).ok()?;
    let text = match tag {
        // Two digits of the year: the years from 1950 to 2049.
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let moment = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    moment.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp())
}

/// The next element, if it has this tag.
fn element(bytes: &[u8], tag: u8) -> Option<(u8, &[u8], &[u8])> {
    next(bytes).filter(|(found, ..)| *found == tag)
}

/// The next element: its tag, what it holds, and what follows it.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| (1..=4).contains(&digits.len()))?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (inside, after) = rest.split_at_checked(length)?;
    Some((tag, inside, after))
}
