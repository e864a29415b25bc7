//! Names with a rule: each type's constructor keeps the rule, so that nobody further in has to check again.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Why a text cannot be a name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a {what}: {rule}")]
pub struct NameError {
    what: &'static str,
    text: String,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $allowed:expr, $max:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name, if `text` keeps the rule.
            pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
                let text = text.as_ref();
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.chars().all(allowed) {
                    return Err(NameError { what: $what, text: text.chars().take(80).collect(), rule: $rule });
                }
                Ok(Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A tool's name: what MCP allows, 1 to 128 of `A-Z a-z 0-9 _ - .`.
    ToolName, "tool name", |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'), 128,
    "use 1 to 128 of A-Z a-z 0-9 _ - ."
);
name!(
    /// A prompt's name; the same rule as for tools.
    PromptName, "prompt name", |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'), 128,
    "use 1 to 128 of A-Z a-z 0-9 _ - ."
);
name!(
    /// A backend's name in the config; also a metric label.
    BackendName, "backend name", |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'), 64,
    "use 1 to 64 of a-z 0-9 _ -"
);
name!(
    /// The id under which one request is found again in reply, log and audit: visible ASCII, at most 128 characters.
    RequestId, "request id", |c| c.is_ascii_graphic(), 128,
    "use 1 to 128 visible ASCII characters"
);

impl RequestId {
    /// A fresh id; ids made later sort later.
    #[must_use]
    pub fn fresh() -> Self {
        let mut buffer = uuid::Uuid::encode_buffer();
        Self(Arc::from(&*uuid::Uuid::now_v7().hyphenated().encode_lower(&mut buffer)))
    }
}
