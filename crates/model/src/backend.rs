//! A backend: a system where calls end.

use crate::{Call, Fault, Offers, Reply, async_trait};

/// Something that offers tools, resources or prompts and does the work when they are called.
///
/// A call reaches a backend only if it offered what is called, the arguments fit the tool's schema and there is time left.
/// The future may be dropped at any await: that is how a deadline or a leaving client cancels the work, so whatever the
/// backend started elsewhere must stop when its future is dropped.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Everything this backend offers. Asked once, when the gate opens.
    fn offers(&self) -> Offers;

    /// Runs a tool: `call.target` names it.
    async fn call(&self, call: &Call) -> Result<Reply, Fault>;

    /// Reads a resource. For a member of a family, the template's variables are in `call.found`.
    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        Err(Fault::unknown_resource(call.target.name()))
    }

    /// Renders a prompt.
    async fn prompt(&self, call: &Call) -> Result<Reply, Fault> {
        Err(Fault::unknown("prompt", call.target.name()))
    }

    /// Proposes values for an argument.
    async fn complete(&self, _call: &Call) -> Result<Reply, Fault> {
        Ok(Reply::Completion(crate::Completion::default()))
    }

    /// Is the system behind there and usable? Asked by `/health/ready`; must answer fast and change nothing.
    async fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Figures for `/metrics`: name and present value. Names are stable.
    fn gauges(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}
