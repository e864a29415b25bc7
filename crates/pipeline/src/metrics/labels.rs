//! The labels of metrics. A tool that does not exist is counted under `unknown`.

use std::fmt::{self, Write as _};

use callgate_model::{BackendName, ToolName};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// Which tool is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// One on offer.
    Tool(ToolName),
    /// One that is not.
    Unknown,
}

impl Subject {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Tool(name) => name.as_str(),
            Self::Unknown => "unknown",
        }
    }
}

impl EncodeLabelValue for Subject {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.name())
    }
}

/// The labels of figures that are kept per tool.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ToolLabels {
    pub(crate) tool_name: Subject,
}

/// The labels of figures that are kept per backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct BackendLabels {
    pub(crate) backend: String,
}

impl BackendLabels {
    pub(crate) fn of(name: &BackendName) -> Self {
        Self { backend: name.to_string() }
    }
}
