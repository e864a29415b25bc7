//! Which calls are the same call.
//!
//! A key is a digest over everything a reply may depend on: the declaration of the tool, the tenant, who shares the reply, and the
//! arguments. Members of objects are put in order; everything else counts as it was written (`1` and `1.0` are two calls, and an
//! argument left out is not its default), because a reply may repeat it. The revision of the protocol is not part of it: replies are
//! kept before they are written for a client.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use callgate_model::{BackendName, Call, Caller, Members, Scopes, Sharing, Tool};
use serde_json::Value;

/// A digest that two calls share exactly if one may have the other's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(pub(super) [u8; 32]);

/// What keys of one tool have in common.
#[derive(Debug)]
pub(super) struct Keys {
    tool: [u8; 32],
    shared: Sharing,
}

impl Keys {
    /// Keys for `tool`, as it is declared now: under another declaration nothing that was kept before is found.
    pub(super) fn new(backend: &BackendName, tool: &Tool, shared: Sharing) -> Self {
        let mut text = Vec::new();
        member(b"callgate reply 1", &mut text);
        member(backend.as_str().as_bytes(), &mut text);
        member(tool.name.as_str().as_bytes(), &mut text);
        // All that is declared, in a form that is as stable as the declaration.
        member(format!("{tool:?}").as_bytes(), &mut text);
        Self { tool: sha256(&text), shared }
    }

    /// The key of `call`.
    pub(super) fn of(&self, call: &Call) -> Key {
        let mut text = Vec::with_capacity(384);
        text.extend_from_slice(&self.tool);
        member(call.caller.tenant().as_bytes(), &mut text);
        match self.shared {
            Sharing::Caller => {
                text.push(b'c');
                member(call.caller.key().as_bytes(), &mut text);
                // A reply may depend on anything that is known about the caller, and two tokens need not say the same.
                rights(&call.caller, &mut text);
                object(&call.caller.claims, &mut text);
            }
            Sharing::Role => {
                text.push(b'r');
                rights(&call.caller, &mut text);
            }
            Sharing::Tenant => text.push(b't'),
        }
        object(&call.arguments, &mut text);
        Key(sha256(&text))
    }
}

/// A part of what is digested. Its length keeps it apart from its neighbours: `ab` and `c` are not `a` and `bc`.
pub(super) fn member(bytes: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    text.extend_from_slice(bytes);
}

pub(super) fn sha256(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text).as_ref());
    bytes
}

/// Roles and scopes, in whatever order and however often they were named.
fn rights(caller: &Caller, text: &mut Vec<u8>) {
    set(&caller.roles, text);
    match &caller.scopes {
        Scopes::All => text.push(b'*'),
        Scopes::Named(scopes) => set(scopes, text),
    }
}

fn set(words: &[Arc<str>], text: &mut Vec<u8>) {
    let mut words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    words.sort_unstable();
    words.dedup();
    text.push(b'=');
    text.extend_from_slice(&(words.len() as u64).to_be_bytes());
    words.into_iter().for_each(|word| member(word.as_bytes(), text));
}

/// The members in order of their names.
fn object(members: &Members, text: &mut Vec<u8>) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    text.push(b'{');
    for (name, value) in sorted {
        member(name.as_bytes(), text);
        write(value, text);
    }
    text.push(b'}');
}

fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(members) => object(members, text),
        Value::Array(items) => {
            text.push(b'[');
            items.iter().for_each(|item| write(item, text));
            text.push(b']');
        }
        Value::String(word) => {
            text.push(b'"');
            member(word.as_bytes(), text);
        }
        Value::Number(number) => {
            text.push(b'#');
            member(number.to_string().as_bytes(), text);
        }
        Value::Bool(true) => text.push(b'+'),
        Value::Bool(false) => text.push(b'-'),
        Value::Null => text.push(b'0'),
    }
}
