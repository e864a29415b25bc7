//! An error with what lies behind it, in one line for the log.

use std::error::Error;

/// `error` and its causes, outermost first, joined by `: `. A cause that the text names already is not said again.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
