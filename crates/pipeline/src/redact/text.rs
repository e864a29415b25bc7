//! Arguments as bounded JSON text.

use std::borrow::Cow;

use callgate_model::Members;
use serde::Serialize;
use serde_json::Value;

use super::Redaction;

/// Stands for a hidden value.
const HIDDEN: &str = "[redacted]";

/// A text in the making.
pub(super) struct Text<'a> {
    redaction: &'a Redaction,
    tool: Option<usize>,
    json: Vec<u8>,
    /// Where the value stands; kept only if there are paths to compare it with.
    trail: Vec<String>,
}

impl<'a> Text<'a> {
    pub(super) fn new(redaction: &'a Redaction, tool: Option<usize>) -> Self {
        Self { redaction, tool, json: Vec::with_capacity(128), trail: Vec::new() }
    }

    /// The finished text.
    pub(super) fn arguments(mut self, arguments: &Members) -> String {
        self.members(arguments);
        String::from_utf8(self.json).expect("JSON made of strings is UTF-8")
    }

    fn members(&mut self, members: &Members) {
        self.json.push(b'{');
        for (index, (name, value)) in members.iter().enumerate() {
            self.comma(index);
            if self.is_full() {
                self.rest(members.len() - index);
                self.json.extend_from_slice(b":null");
                break;
            }
            self.text(name);
            self.json.push(b':');
            let value = (!self.redaction.hides(self.tool, name)).then_some(value);
            self.at(name, value);
        }
        self.json.push(b'}');
    }

    /// The value by this name or at this place; `None` for one that is hidden.
    fn at<N: ToString + ?Sized>(&mut self, name: &N, value: Option<&Value>) {
        let follows = !self.redaction.paths.is_empty();
        if follows {
            self.trail.push(name.to_string());
        }
        match value.filter(|_| !(follows && self.redaction.hides_path(&self.trail))) {
            Some(value) => self.value(value),
            None => self.scalar(HIDDEN),
        }
        if follows {
            self.trail.pop();
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => self.items(items),
            Value::Object(members) => self.members(members),
            // A card's number may come as a number.
            Value::Number(number) if self.redaction.is_card(number) => self.scalar(HIDDEN),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.scalar(value),
        }
    }

    fn items(&mut self, items: &[Value]) {
        self.json.push(b'[');
        for (index, item) in items.iter().enumerate() {
            self.comma(index);
            if self.is_full() {
                self.rest(items.len() - index);
                break;
            }
            self.at(&index, Some(item));
        }
        self.json.push(b']');
    }

    /// Every text that a caller sent passes through here.
    fn text(&mut self, text: &str) {
        let shown = self.redaction.shown(text);
        self.scalar(shown.as_ref());
    }

    fn scalar<T: Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut self.json, value).expect("a scalar always has a JSON text and a Vec takes it");
    }

    fn rest(&mut self, count: usize) {
        self.scalar(&format!("… {count} more"));
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.json.push(b',');
        }
    }

    fn is_full(&self) -> bool {
        self.json.len() >= self.redaction.longest
    }
}

/// At most `longest` characters of `text`, and how many are missing.
pub(super) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(longest) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}… {} bytes more", &text[..end], text.len() - end)),
    }
}
