//! Lets no new call in while the gate closes, and ends those that outlive its patience.
//!
//! A gate that has more calls under way than it may sheds the rest here, before any work is done for them: a refusal costs an audit
//! record and nothing else. How many calls wait and run at one tool or backend is bounded further in (`bulkhead`); this bound is for
//! all of them together.
//!
//! It promises that a refused call did nothing and says so, and that a cancelled write says that its end is not known. Calls made
//! by a call that is under way still pass.

mod layer;

pub(crate) use layer::{closing, open};
