//! Where `${NAME}` is looked up. The one place that reads the environment.

use std::{collections::HashMap, sync::Arc};

/// The variables that a configuration may refer to.
#[derive(Clone, Debug)]
pub struct Environment(Option<Arc<HashMap<String, String>>>);

impl Environment {
    /// Those of this process.
    #[must_use]
    pub fn process() -> Self {
        Self(None)
    }

    /// Exactly these.
    #[must_use]
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(Some(Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())))
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match &self.0 {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        }
    }
}
