//! What is wrong with the text of an expression.

/// A mistake in an expression or a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// What is wrong and, where it can be told, what would be right.
    pub message: String,
    /// Where in the text, in bytes from its beginning.
    pub offset: usize,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset }
    }

    /// The mistake as a sentence about `text`, with the place as people count it.
    #[must_use]
    pub fn about(&self, text: &str) -> String {
        let Self { message, offset } = self;
        match text.get(..*offset) {
            Some(before) if *offset > 0 => format!("{message} (at character {})", before.chars().count() + 1),
            _ => message.clone(),
        }
    }
}
