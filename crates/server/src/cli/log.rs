//! Log lines: JSON for machines, text on a terminal; always on standard error.
//!
//! What is said about a call carries its `request` id; arguments and results are never logged.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use callgate::{Format, Log};
use tracing_subscriber::EnvFilter;

/// What a command that does one thing says: only what is wrong.
pub(super) fn quiet() -> Log {
    Log { level: "warn".to_owned(), format: Format::Auto }
}

/// Begins to log as the configuration says, with `level` instead of its level if there is one.
pub(super) fn begin(log: &Log, level: Option<&str>) -> anyhow::Result<()> {
    let level = level.unwrap_or(&log.level);
    let filter = EnvFilter::builder().parse(level).with_context(|| format!("`{level}` is no log level; write `info`"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = if is_json(log) {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    };
    begun.map_err(|cause| anyhow::anyhow!("cannot begin to log: {cause}"))
}

/// Lines are JSON objects.
pub(super) fn is_json(log: &Log) -> bool {
    match log.format {
        Format::Json => true,
        Format::Text => false,
        Format::Auto => !std::io::stderr().is_terminal(),
    }
}
