//! Content: what the gate serves from its own configuration folder, texts, files and prompts.
//!
//! It needs no entry under `backends`.
