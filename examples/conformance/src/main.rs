//! A gate made of code: the fixtures of the official MCP conformance suite, served at `/mcp`.
//!
//! It shows the library side of Callgate. Implement `Backend` (`fixtures.rs`), hand it to the builder, serve. What the tools
//! do stands in `tools/`, one file per family; prompts and resources have a file each. Protocol, eras, sessions, validation,
//! audit and limits are the gate's business, and none of it appears here.

mod fixtures;
mod prompts;
mod questions;
mod resources;
mod samples;
#[cfg(test)]
mod tests;
mod tools;

fn main() {
    let _ = fixtures::Fixtures;
}
