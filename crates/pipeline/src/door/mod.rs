//! Lets no new call in while the gate closes, and ends those that outlive its patience.
//!
//! It promises that a refused call did nothing and says so, and that a cancelled write says that its end is not known. Calls made
//! by a call that is under way still pass.

mod layer;

pub(crate) use layer::{closing, open};
