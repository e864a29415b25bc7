//! URI templates: the part of RFC 6570 that can be read backwards without doubt.
//!
//! `{name}` stands for one path segment's worth of text, percent-encoded; `{+name}` may contain slashes. Two expressions
//! never touch, so a URI matches in at most one way.

use std::fmt;

/// A template such as `database://schema/{table}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable { name: String, slashes: bool },
}

/// Why a text is not a usable template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// A brace without its partner.
    #[error("`{{` and `}}` do not pair up in `{0}`")]
    Unbalanced(String),
    /// An expression we cannot read backwards.
    #[error("`{{{0}}}` is not supported; write `{{name}}`, or `{{+name}}` to allow slashes")]
    Expression(String),
    /// Two expressions with nothing between them.
    #[error("put some text between `{{…}}` and `{{{0}}}`, or it is unclear where one ends")]
    Adjacent(String),
    /// The same variable twice.
    #[error("`{{{0}}}` stands there twice")]
    Repeated(String),
}

impl UriTemplate {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let open = rest.find('{').unwrap_or(rest.len());
            let (literal, after) = rest.split_at(open);
            if literal.contains('}') {
                return Err(TemplateError::Unbalanced(text.into()));
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
            let Some(after) = after.strip_prefix('{') else { break };
            let (expression, after) = after.split_once('}').ok_or_else(|| TemplateError::Unbalanced(text.into()))?;
            let variable = variable(expression)?;
            if matches!(parts.last(), Some(Part::Variable { .. })) {
                return Err(TemplateError::Adjacent(expression.into()));
            }
            if parts.contains(&variable) {
                return Err(TemplateError::Repeated(expression.into()));
            }
            parts.push(variable);
            rest = after;
        }
        Ok(Self { text: text.into(), parts })
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The decoded variables if `uri` belongs to the family; a value is never empty.
    #[must_use]
    pub fn matches(&self, uri: &str) -> Option<Vec<(&str, String)>> {
        let mut found = Vec::new();
        let mut rest = uri;
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Part::Variable { name, slashes } => {
                    let end = match parts.peek() {
                        Some(Part::Literal(next)) => rest.find(next.as_str())?,
                        _ => rest.len(),
                    };
                    let (value, after) = rest.split_at(end);
                    if value.is_empty() || (!slashes && value.contains('/')) {
                        return None;
                    }
                    found.push((name.as_str(), percent_decode(value)?));
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(found)
    }

    /// The URI for these values; `None` if one is missing. Everything but unreserved characters is percent-encoded.
    #[must_use]
    pub fn expand<'v>(&self, value: impl Fn(&str) -> Option<std::borrow::Cow<'v, str>>) -> Option<String> {
        let mut uri = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                Part::Literal(literal) => uri.push_str(literal),
                Part::Variable { name, slashes } => percent_encode(&value(name)?, *slashes, &mut uri),
            }
        }
        Some(uri)
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn variable(expression: &str) -> Result<Part, TemplateError> {
    let (name, slashes) = expression.strip_prefix('+').map_or((expression, false), |name| (name, true));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(TemplateError::Expression(expression.into()));
    }
    Ok(Part::Variable { name: name.into(), slashes })
}

fn percent_encode(text: &str, slashes: bool, into: &mut String) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (slashes && byte == b'/') {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (&[high, low], after) = after.split_first_chunk()?;
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(high)? << 4 | digit(low)?);
            rest = after;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
