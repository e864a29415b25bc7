//! How a gate introduces itself: `server/discover` to modern clients, `initialize` to legacy ones.

use callgate_model::Identity;

use super::{Frame, Freshness, freshness, writer::Object};
use crate::Revision;

/// What the gate offers; a client may use what is declared and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one member of an MCP object")]
pub struct Capabilities {
    /// There are tools.
    pub tools: bool,
    /// There are prompts.
    pub prompts: bool,
    /// There are resources or templates.
    pub resources: bool,
    /// Arguments can be completed.
    pub completions: bool,
}

/// The reply to `server/discover`.
#[must_use]
pub fn discover(frame: &Frame<'_>, capabilities: Capabilities, fresh: Freshness) -> Vec<u8> {
    let supported: Vec<_> = Revision::MODERN.iter().map(|revision| revision.as_str()).collect();
    frame.result(None, |result| {
        result.value("supportedVersions", &supported).object("capabilities", |object| self::capabilities(object, capabilities));
        result.maybe("instructions", frame.identity.instructions.as_ref());
        freshness(result, frame.revision, fresh);
    })
}

/// The reply to `initialize`.
#[must_use]
pub fn initialize(frame: &Frame<'_>, capabilities: Capabilities) -> Vec<u8> {
    frame.result(None, |result| {
        result
            .value("protocolVersion", frame.revision.as_str())
            .object("capabilities", |object| self::capabilities(object, capabilities))
            .object("serverInfo", |object| identity(object, frame.revision, frame.identity))
            .maybe("instructions", frame.identity.instructions.as_ref());
    })
}

/// Notices about lists and resources are always to be had, so each part declares them.
fn capabilities(object: &mut Object<'_>, declared: Capabilities) {
    object.object("logging", |_| {});
    if declared.tools {
        object.object("tools", |tools| {
            tools.value("listChanged", &true);
        });
    }
    if declared.prompts {
        object.object("prompts", |prompts| {
            prompts.value("listChanged", &true);
        });
    }
    if declared.resources {
        object.object("resources", |resources| {
            resources.value("subscribe", &true).value("listChanged", &true);
        });
    }
    if declared.completions {
        object.object("completions", |_| {});
    }
}

fn identity(object: &mut Object<'_>, revision: Revision, identity: &Identity) {
    object.value("name", &identity.name).value("version", &identity.version);
    if revision >= Revision::V2025_06_18 {
        object.maybe("title", identity.title.as_ref());
    }
    if revision >= Revision::V2025_11_25 {
        object.maybe("icons", identity.icons.as_ref());
    }
}
