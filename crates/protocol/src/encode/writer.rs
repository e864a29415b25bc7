//! Writing JSON without building it first: replies are mostly finished text that only needs a frame.

use serde::Serialize;

/// What finished JSON holds that is escaped in a text.
static ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    (escaped[b'"' as usize], escaped[b'\\' as usize]) = (true, true);
    (escaped[b'\n' as usize], escaped[b'\r' as usize], escaped[b'\t' as usize]) = (true, true, true);
    escaped
};

/// An object that is being written. Members are written in the order of the calls; [`Object::end`] closes it.
pub(super) struct Object<'w> {
    out: &'w mut Vec<u8>,
    empty: bool,
}

impl<'w> Object<'w> {
    /// Opens an object at the end of `out`.
    pub(super) fn open(out: &'w mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// A member with any value.
    pub(super) fn value(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        write(self.key(key), value);
        self
    }

    /// A member of any name, with any value.
    pub(super) fn named(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        write(self.name(name), value);
        self
    }

    /// A member of any name that is an object.
    pub(super) fn named_object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let mut inner = Object::open(self.name(name));
        fill(&mut inner);
        inner.end();
        self
    }

    /// A member, if there is a value for it.
    pub(super) fn maybe(&mut self, key: &'static str, value: Option<&(impl Serialize + ?Sized)>) -> &mut Self {
        if let Some(value) = value {
            self.value(key, value);
        }
        self
    }

    /// A member that is finished JSON.
    pub(super) fn raw(&mut self, key: &'static str, json: &str) -> &mut Self {
        self.key(key).extend_from_slice(json.as_bytes());
        self
    }

    /// A member that is a text, which holds finished JSON. Such a text needs little escaping: control characters in it are line breaks
    /// and tabs between its values.
    pub(super) fn quoted(&mut self, key: &'static str, json: &str) -> &mut Self {
        let out = self.key(key);
        // About every tenth character is a quote.
        out.reserve(json.len() + json.len() / 4);
        out.push(b'"');
        let mut rest = json.as_bytes();
        while let Some(place) = rest.iter().position(|byte| ESCAPED[usize::from(*byte)]) {
            out.extend_from_slice(&rest[..place]);
            let escaped = match rest[place] {
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                byte => byte,
            };
            out.extend_from_slice(&[b'\\', escaped]);
            rest = &rest[place + 1..];
        }
        out.extend_from_slice(rest);
        out.push(b'"');
        self
    }

    /// A member that is an object.
    pub(super) fn object(&mut self, key: &'static str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let mut inner = Object::open(self.key(key));
        fill(&mut inner);
        inner.end();
        self
    }

    /// A member that is an array of objects.
    pub(super) fn array<T>(
        &mut self,
        key: &'static str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) -> &mut Self {
        let out = self.key(key);
        out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let mut object = Object::open(out);
            fill(&mut object, item);
            object.end();
        }
        out.push(b']');
        self
    }

    /// Closes the object.
    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    /// The key of a member. Those of the protocol are words, which need no escaping.
    fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.separate();
        write(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn separate(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }
}

fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("writing to memory does not fail, and every map has string keys");
}
