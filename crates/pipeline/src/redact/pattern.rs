//! What a text may hold that must not be written down, whatever the argument is called: card numbers, addresses, credentials.
//!
//! A text is walked once; each kind of finding looks only at the characters of its own run, so that the time is proportional to the
//! length, whatever somebody sends. Nearly every character is passed by with one look at it.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

/// What is looked for in texts.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Payment card numbers: 13 to 19 digits, in groups or not, whose check digit is right.
    Card,
    /// E-mail addresses.
    Email,
    /// Bearer and JSON web tokens, keys that say what they are by how they begin, user and password in a URL.
    Token,
}

/// Stands for what was found.
const FOUND: &str = "[redacted]";

/// How credentials begin that say what they are.
const BEGINNINGS: &[&str] = &[
    "eyJ",
    "sk-",
    "sk_",
    "pk_live_",
    "rk_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "npm_",
    "cg_",
    "-----BEGIN",
];

/// What follows the beginning of a credential is at least this long.
const SHORTEST: usize = 8;

/// `text` with everything that was found replaced; `None` if there was nothing.
pub(super) fn hide(patterns: &[Pattern], text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut hidden = String::new();
    let (mut from, mut kept) = (0, 0);
    while let Some(at) = telling(bytes, from) {
        let likely = candidate(bytes, at).filter(|pattern| patterns.contains(pattern));
        let Some(found) = likely.and_then(|pattern| pattern.find(bytes, at, kept)) else {
            from = at + 1;
            continue;
        };
        // What is found begins and ends beside ASCII characters, so these are borders of characters.
        hidden.push_str(text.get(kept..found.start).unwrap_or_default());
        hidden.push_str(FOUND);
        (from, kept) = (found.end, found.end);
    }
    if kept == 0 {
        return None;
    }
    hidden.push_str(text.get(kept..).unwrap_or_default());
    Some(hidden)
}

/// The next place from `from` on whose character tells of something where it stands. Nearly all characters tell of nothing.
fn telling(text: &[u8], from: usize) -> Option<usize> {
    let mut before = if from == 0 { 0 } else { SORTS[usize::from(text[from - 1])] & (LETTER | DIGIT) };
    let tells = |byte: &u8| {
        let sort = SORTS[usize::from(*byte)];
        let is_silent = sort & (before << SILENCED) != 0;
        before = sort & (LETTER | DIGIT);
        sort & TELLS != 0 && !is_silent
    };
    text[from..].iter().position(tells).map(|place| from + place)
}

/// What a finding could be that is told by the character at `at`.
fn candidate(text: &[u8], at: usize) -> Option<Pattern> {
    match text[at] {
        b'@' => Some(Pattern::Email),
        b'2'..=b'6' => matches!(text.get(at + 1), Some(b'0'..=b'9' | b' ' | b'-')).then_some(Pattern::Card),
        _ => Some(Pattern::Token),
    }
}

/// What a character is, and whether it tells of something.
type Sort = u8;
const LETTER: Sort = 1;
const DIGIT: Sort = 2;
/// So far to the left stands what it must not follow, or it tells of nothing.
const SILENCED: u32 = 2;
const TELLS: Sort = 16;

static SORTS: [Sort; 256] = {
    let mut sorts = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        sorts[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            byte if byte.is_ascii_alphabetic() => LETTER,
            _ => 0,
        };
        // No issuer's numbers begin otherwise.
        if matches!(byte, b'2'..=b'6') {
            sorts[byte as usize] |= TELLS | DIGIT << SILENCED;
        }
        byte += 1;
    }
    let begins = beginnings(BEGINNINGS);
    let mut byte = 0;
    while byte < 256 {
        if begins[byte] || byte == b'b' as usize || byte == b'B' as usize {
            sorts[byte] |= TELLS | (LETTER | DIGIT) << SILENCED;
        }
        byte += 1;
    }
    (sorts[b'@' as usize], sorts[b':' as usize]) = (TELLS, TELLS);
    sorts
};

/// The characters with which these words begin.
pub(super) const fn beginnings(words: &[&str]) -> [bool; 256] {
    let mut begins = [false; 256];
    let mut index = 0;
    while index < words.len() {
        begins[words[index].as_bytes()[0] as usize] = true;
        index += 1;
    }
    begins
}

impl Pattern {
    /// What is found by the character at `at`; nothing before `from` belongs to it.
    fn find(self, text: &[u8], at: usize, from: usize) -> Option<Range<usize>> {
        match self {
            Self::Card => card(text, at),
            Self::Email => email(text, at, from),
            Self::Token => token(text, at),
        }
    }
}

/// Digits in groups from `at` on. It ends with a group, so that what follows a number does not hide it.
fn card(text: &[u8], at: usize) -> Option<Range<usize>> {
    const DIGITS: Range<usize> = 13..20;
    let (mut digits, mut length, mut end, mut index) = ([0; DIGITS.end], 0, None, at);
    while let Some(byte) = text.get(index) {
        match byte {
            b'0'..=b'9' if length == DIGITS.end => break,
            b'0'..=b'9' => {
                digits[length] = byte - b'0';
                length += 1;
            }
            b' ' | b'-' if text[index - 1].is_ascii_digit() => {}
            _ => break,
        }
        index += 1;
        let closes = text.get(index).is_none_or(|next| !next.is_ascii_digit()) && byte.is_ascii_digit();
        if closes && DIGITS.contains(&length) && is_checked(&digits[..length]) {
            end = Some(index);
        }
    }
    end.map(|end| at..end)
}

/// The check digit is right (Luhn).
fn is_checked(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(index, digit)| u32::from(if index % 2 == 1 { doubled(*digit) } else { *digit })).sum();
    sum.is_multiple_of(10)
}

/// What stands around an `@`. The part before it ends at the last finding or `@`, so no character is looked at twice.
fn email(text: &[u8], at: usize, from: usize) -> Option<Range<usize>> {
    let local = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-'".contains(byte) || !byte.is_ascii();
    let domain = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte) || !byte.is_ascii();
    let before = text[from..at].iter().rev().take_while(local).count();
    let host: &[u8] = &text[at + 1..];
    let mut after = host.iter().take_while(domain).count();
    // A full stop behind it ends the sentence.
    while after > 0 && !host[after - 1].is_ascii_alphanumeric() && host[after - 1].is_ascii() {
        after -= 1;
    }
    let whole = before > 0 && host[..after].iter().skip(1).any(|byte| *byte == b'.');
    whole.then(|| at - before..at + 1 + after)
}

fn token(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    if rest.starts_with(b"://") {
        let end = rest[3..].iter().take(512).position(|byte| b"@/?# \t\r\n\"'".contains(byte))?;
        return (end > 0 && rest[3 + end] == b'@').then(|| at + 3..at + 3 + end);
    }
    let length = |from: usize| rest[from..].iter().take_while(|byte| is_token(**byte)).count();
    if rest.len() > 7 && rest[..6].eq_ignore_ascii_case(b"bearer") && rest[6].is_ascii_whitespace() {
        let blank = rest[6..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let secret = length(6 + blank);
        return (secret >= SHORTEST).then(|| at + 6 + blank..at + 6 + blank + secret);
    }
    let begins = BEGINNINGS.iter().find(|beginning| beginning.as_bytes()[0] == rest[0] && rest.starts_with(beginning.as_bytes()))?;
    if *begins == "-----BEGIN" {
        // A key in PEM goes to its end, or as far as the text does.
        return Some(at..text.len());
    }
    let secret = length(begins.len());
    (secret >= SHORTEST).then(|| at..at + begins.len() + secret)
}

/// Characters of tokens.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}
