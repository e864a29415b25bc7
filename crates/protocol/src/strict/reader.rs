//! From text to [`Tree`], one look at each byte.
//!
//! Nearly all of a message is structure, short names and plain texts, and those are read here. A text with escapes and a number that is
//! not a short whole one are only found here: serde_json reads them.

use std::borrow::Cow;

use serde_json::Number;

use super::{Limits, Object, Tree};

/// However deep the operator lets messages be, the stack goes no deeper.
const DEEPEST: usize = 128;

/// So many digits always fit a whole number.
const SHORT: usize = 18;

/// What a text holds only as an escape, or what ends it.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    (special[b'"' as usize], special[b'\\' as usize]) = (true, true);
    special
};

/// Why a text is not taken.
pub(super) enum Wrong {
    /// It is no JSON.
    Syntax { at: usize, wanted: &'static str },
    /// It is JSON that a gate does not take.
    Refused(String),
}

/// A text that is being read.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// How many more values the text may hold.
    left: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, limits: Limits) -> Self {
        Self { text, at: 0, depth: limits.depth.min(DEEPEST), left: limits.values }
    }

    /// The one value of the text.
    pub(super) fn whole(mut self) -> Result<Tree<'t>, Wrong> {
        let value = self.value()?;
        self.skip_blanks();
        if self.at == self.text.len() { Ok(value) } else { self.wants("the end") }
    }

    fn value(&mut self) -> Result<Tree<'t>, Wrong> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(Wrong::Refused("it holds more values than this gate takes (wire.values)".into()));
        };
        self.left = left;
        self.skip_blanks();
        match self.peek() {
            Some(b'"') => self.string().map(Tree::Text),
            Some(b'{') => self.deeper(Self::object),
            Some(b'[') => self.deeper(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number().map(Tree::Number),
            Some(b't') => self.word("true", Tree::Bool(true)),
            Some(b'f') => self.word("false", Tree::Bool(false)),
            Some(b'n') => self.word("null", Tree::Null),
            _ => self.wants("a value"),
        }
    }

    /// Reads what stands between two brackets, of which the first is next.
    fn deeper(&mut self, inner: fn(&mut Self) -> Result<Tree<'t>, Wrong>) -> Result<Tree<'t>, Wrong> {
        let Some(depth) = self.depth.checked_sub(1) else { return Err(Wrong::Refused("it is nested too deeply".into())) };
        self.depth = depth;
        self.at += 1;
        let tree = inner(self)?;
        self.depth += 1;
        Ok(tree)
    }

    fn object(&mut self) -> Result<Tree<'t>, Wrong> {
        let mut object = Object::default();
        while self.goes_on(b'}', object.0.is_empty())? {
            if self.peek() != Some(b'"') {
                return self.wants("the name of a member");
            }
            let name = self.string()?;
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return self.wants("`:`");
            }
            self.at += 1;
            let value = self.value()?;
            object.0.push((name, value));
        }
        match object.twice() {
            None => Ok(Tree::Object(object)),
            Some(name) => {
                let name: String = name.chars().take(40).collect();
                Err(Wrong::Refused(format!("member `{name}` stands there twice")))
            }
        }
    }

    fn array(&mut self) -> Result<Tree<'t>, Wrong> {
        let mut items = Vec::new();
        while self.goes_on(b']', items.is_empty())? {
            items.push(self.value()?);
        }
        Ok(Tree::Array(items))
    }

    /// Whether one more follows before `end`, which is read if it is next, like the comma before one that is not the first.
    fn goes_on(&mut self, end: u8, is_first: bool) -> Result<bool, Wrong> {
        self.skip_blanks();
        match self.peek() {
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if is_first => Ok(true),
            Some(b',') => {
                self.at += 1;
                self.skip_blanks();
                Ok(true)
            }
            _ => self.wants("`,` or the end of the list"),
        }
    }

    /// A text, of which the opening quote is next.
    fn string(&mut self) -> Result<Cow<'t, str>, Wrong> {
        let begin = self.at + 1;
        let rest = self.rest(begin);
        self.at = begin + rest.iter().position(|byte| SPECIAL[usize::from(*byte)]).unwrap_or(rest.len());
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Cow::Borrowed(&self.text[begin..self.at - 1]))
            }
            Some(b'\\') => self.escaped(begin).map(Cow::Owned),
            _ => self.wants("the end of a text"),
        }
    }

    /// A text that began at `begin` and has come to its first escape.
    fn escaped(&mut self, begin: usize) -> Result<String, Wrong> {
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return self.wants("the end of a text"),
            }
        }
        self.at += 1;
        let Ok(text) = serde_json::from_str(&self.text[begin - 1..self.at]) else {
            self.at = begin;
            return self.wants("a text with proper escapes");
        };
        Ok(text)
    }

    fn number(&mut self) -> Result<Number, Wrong> {
        let rest = self.rest(self.at);
        let length = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')).count();
        let digits = &rest[..length];
        let is_short = length <= SHORT && digits.iter().all(u8::is_ascii_digit) && (length == 1 || digits[0] != b'0');
        let number = if is_short {
            Ok(digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0')).into())
        } else {
            serde_json::from_str(&self.text[self.at..self.at + length])
        };
        let Ok(number) = number else { return self.wants("a number") };
        self.at += length;
        Ok(number)
    }

    fn word(&mut self, word: &'static str, value: Tree<'t>) -> Result<Tree<'t>, Wrong> {
        if !self.text[self.at..].starts_with(word) {
            return self.wants("a value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self, from: usize) -> &'t [u8] {
        self.text.as_bytes().get(from..).unwrap_or_default()
    }

    fn wants<T>(&self, wanted: &'static str) -> Result<T, Wrong> {
        Err(Wrong::Syntax { at: self.at, wanted })
    }
}
