//! Replies as bytes: one JSON-RPC message each, without a line break.
//!
//! There is one model of a reply and one table of what each revision may be shown; both stand here. A member that a revision does
//! not know is never sent to it.

mod content;
mod hello;
mod lists;
mod notice;
mod reply;
mod writer;

use callgate_model::Identity;
use serde_json::json;

use self::writer::Object;
pub use self::{
    hello::{Capabilities, discover, initialize},
    lists::{prompts, resources, templates, tools},
    notice::{Notice, notification, request},
    reply::reply,
};
use crate::{Id, Revision, RpcError};

/// Under this key every modern result says who the gate is.
const SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// How long a client may keep a reply, and who may be shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Milliseconds; 0 means: ask again each time.
    pub ttl_ms: u64,
    /// Whom it may be shown to.
    pub scope: Scope,
}

/// Whom a kept reply may be shown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Anyone.
    Public,
    /// The caller who got it.
    Private,
}

/// What every result of a gate says beside its content, in the revisions that have a place for it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f> {
    /// The revision of the client.
    pub revision: Revision,
    /// Whom it answers.
    pub id: &'f Id,
    /// Who the gate is.
    pub identity: &'f Identity,
}

impl Frame<'_> {
    /// A complete result; `fill` writes its members.
    fn result(&self, meta: Option<&callgate_model::Json>, fill: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
        self.of_type("complete", meta, fill)
    }

    fn of_type(&self, result_type: &str, meta: Option<&callgate_model::Json>, fill: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let mut message = Object::open(&mut out);
        message.raw("jsonrpc", "\"2.0\"").value("id", self.id).object("result", |result| {
            fill(result);
            if self.revision.is_modern() {
                result.value("resultType", result_type);
                self.meta(result, meta);
            } else {
                result.maybe("_meta", meta);
            }
        });
        message.end();
        out
    }

    /// `_meta` of a modern result: who the gate is, and what the backend added.
    fn meta(&self, result: &mut Object<'_>, meta: Option<&callgate_model::Json>) {
        result.object("_meta", |object| {
            object.object(SERVER, |server| {
                server.value("name", &self.identity.name).value("version", &self.identity.version);
            });
            let added = meta.map(callgate_model::Json::to_value);
            for (key, value) in added.iter().filter_map(serde_json::Value::as_object).flatten().filter(|(key, _)| *key != SERVER) {
                object.named(key, value);
            }
        });
    }

    /// A result that says only that all is well.
    #[must_use]
    pub fn empty(&self) -> Vec<u8> {
        self.result(None, |_| {})
    }

    /// The last message of a listen stream.
    #[must_use]
    pub fn listen_end(&self) -> Vec<u8> {
        let id = callgate_model::Json::of(&json!({ notice::SUBSCRIPTION: self.id }));
        self.result(Some(&id), |_| {})
    }
}

/// Writes `ttlMs` and `cacheScope` where the revision has them.
fn freshness(result: &mut Object<'_>, revision: Revision, fresh: Freshness) {
    if revision.is_modern() {
        let scope = match fresh.scope {
            Scope::Public => "public",
            Scope::Private => "private",
        };
        result.value("ttlMs", &fresh.ttl_ms).value("cacheScope", scope);
    }
}

/// An error. Without an id it answers something whose id could not be read.
#[must_use]
pub fn error(id: Option<&Id>, error: &RpcError) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut message = Object::open(&mut out);
    message.raw("jsonrpc", "\"2.0\"").maybe("id", id).object("error", |object| {
        object.value("code", &error.code).value("message", &error.message).maybe("data", error.data.as_ref());
    });
    message.end();
    out
}
