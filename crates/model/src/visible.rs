//! What somebody sent, made safe to repeat in a sentence or on a terminal: nothing in it that a reader cannot see, and not too much of it.

/// `c`, or a mark that stands for it if a reader cannot see it where it stands. Two names that differ only in what cannot be seen look
/// the same, and text that runs the other way looks like another.
#[must_use]
pub fn visible(c: char) -> char {
    let is_format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    if c.is_control() || is_format { '\u{fffd}' } else { c }
}

/// The first `longest` characters of `text`, as they may be repeated.
#[must_use]
pub fn excerpt(text: &str, longest: usize) -> String {
    let mut short: String = text.chars().take(longest).map(visible).collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}
