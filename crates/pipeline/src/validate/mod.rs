//! Refuses arguments that do not fit.
//!
//! It promises that a backend sees only arguments that fit the tool's schema (JSON Schema 2020-12 unless the schema names another
//! draft, with formats checked), and that the caller reads which argument is wrong, what was wrong, and what would be right: all
//! problems at once, in a bounded text, with short excerpts of values and nothing of hidden ones. Schemas are compiled when the
//! gate opens, with a regular expression engine that is linear in its input; no `$ref` leaves the process, and a schema with
//! one that would is refused at open.
//!
//! Arguments of prompts are texts: the required ones must be there, unknown ones are refused.

mod config;
mod describe;
mod layer;
mod message;
mod prompt;
mod schema;

pub use config::Config;
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
