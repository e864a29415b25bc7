//! Refuses what does not exist, or not for the caller. The gate has looked; this layer only stands where the refusal belongs.

mod layer;

pub(crate) use layer::{open, shown, unknown};
