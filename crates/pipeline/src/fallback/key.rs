//! Which question an answer is kept for.

use aws_lc_rs::digest::{Context, SHA256};
use callgate_model::Call;
use serde_json::Value;

/// A digest of who asked what: 32 bytes, whatever the arguments.
pub(super) type Key = [u8; 32];

/// The key of `call`. The order of members makes no difference; everything a statement or a rule may read of the caller does.
pub(super) fn key(call: &Call, tool: usize) -> Key {
    let mut context = Context::new(&SHA256);
    feed(&mut context, &call.caller.describe());
    context.update(&tool.to_le_bytes());
    members(&mut context, &call.arguments);
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

/// Each value with its sort and its length before it, so that no two are written alike.
fn feed(context: &mut Context, value: &Value) {
    match value {
        Value::Null => context.update(b"n"),
        Value::Bool(true) => context.update(b"t"),
        Value::Bool(false) => context.update(b"f"),
        Value::Number(number) => text(context, b'd', &number.to_string()),
        Value::String(own) => text(context, b's', own),
        Value::Array(items) => {
            count(context, b'a', items.len());
            items.iter().for_each(|item| feed(context, item));
        }
        Value::Object(own) => members(context, own),
    }
}

fn members(context: &mut Context, members: &callgate_model::Members) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    count(context, b'o', sorted.len());
    for (name, value) in sorted {
        text(context, b'k', name);
        feed(context, value);
    }
}

fn text(context: &mut Context, sort: u8, text: &str) {
    count(context, sort, text.len());
    context.update(text.as_bytes());
}

fn count(context: &mut Context, sort: u8, count: usize) {
    context.update(&[sort]);
    context.update(&count.to_le_bytes());
}
