//! Why a gate cannot be opened.

use callgate_expression::Mistake;
use callgate_model::{CatalogError, ToolName};

/// A mistake in what the gate is to be made of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two backends offer the same thing.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The input schema of a tool cannot be used.
    #[error("tool `{tool}`: its input schema cannot be used: {why}")]
    Schema {
        /// The tool.
        tool: ToolName,
        /// What is wrong with the schema.
        why: String,
    },
    /// A tag of a tool's cached replies cannot be used.
    #[error("tool `{tool}`: a tag of `cache` or `invalidates` cannot be used: {why}")]
    Tag {
        /// The tool.
        tool: ToolName,
        /// What is wrong with the tag.
        why: String,
    },
    /// A quota cannot be kept.
    #[error("quota `{rule}`: {why}")]
    Quota {
        /// The rule's name.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
    /// A rule that says who may, or a condition on arguments, cannot be used.
    #[error("{sort} `{name}`: its rule `{rule}` cannot be used: {why}")]
    Rule {
        /// `tool`, `resource`, `resource template` or `prompt`.
        sort: &'static str,
        /// Its name or URI.
        name: String,
        /// The rule.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    pub(crate) fn rule(sort: &'static str, name: &str, rule: &str, mistake: &Mistake) -> Self {
        Self::Rule { sort, name: name.to_owned(), rule: rule.to_owned(), why: mistake.about(rule) }
    }
}
