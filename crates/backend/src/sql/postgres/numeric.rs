//! PostgreSQL's `numeric` as text, digit for digit.

use std::error::Error;

/// The text of a binary `numeric`: groups of four digits, the weight of the first, a sign, and how many places are shown.
pub(super) fn text(raw: &[u8]) -> Result<String, Box<dyn Error + Sync + Send>> {
    const NEGATIVE: u16 = 0x4000;
    let mut words = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut next = || words.next().ok_or("a numeric ends too soon");
    let (count, weight, sign, places) = (next()?, next()?.cast_signed(), next()?, next()?);
    match sign {
        0xc000 => return Ok("NaN".into()),
        0xd000 => return Ok("Infinity".into()),
        0xf000 => return Ok("-Infinity".into()),
        _ => {}
    }
    let groups: Vec<u16> = words.collect();
    if groups.len() != usize::from(count) {
        return Err("a numeric ends too soon".into());
    }
    // Groups that are not sent are zero.
    let group = |position: i32| usize::try_from(position).ok().and_then(|position| groups.get(position)).copied().unwrap_or(0);
    let weight = i32::from(weight);
    let mut text = String::new();
    if sign == NEGATIVE {
        text.push('-');
    }
    let whole: String = (0..=weight).map(|position| format!("{:04}", group(position))).collect();
    let whole = whole.trim_start_matches('0');
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if places > 0 {
        let needed = i32::from(places.div_ceil(4));
        let fraction: String = (weight + 1..=weight + needed).map(|position| format!("{:04}", group(position))).collect();
        // With a weight below -1 the groups right behind the point are not sent either.
        text.push('.');
        text.push_str(&fraction[..usize::from(places)]);
    }
    Ok(text)
}
