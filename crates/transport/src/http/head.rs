//! The head of an HTTP/1 request as it stands on the wire, because hyper reads it more kindly than a gate should.
//!
//! Two lengths that agree, a length beside `chunked`, a tab before it, a line that ends without a carriage return: each means one thing
//! to hyper and may mean another to a proxy in front, and between two readings a second request can hide. All of it is gone from what
//! hyper hands on, so that it is looked for here. It promises nothing about requests that are sent before the one ahead of them is
//! answered: those come in the same bytes as a body, and only hyper knows where that ends. hyper never runs what is hidden in one.

use memchr::memchr2;

/// Enough for `transfer-encoding: chunked`; no other line is looked at to its end.
const LONGEST: usize = 40;

/// What was read of one head.
#[derive(Debug)]
pub(super) struct Head {
    line: [u8; LONGEST],
    length: usize,
    is_after_return: bool,
    /// How many lines are complete, the request line among them.
    lines: usize,
    lengths: usize,
    encodings: usize,
    is_over: bool,
    is_ambiguous: bool,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            line: [0; LONGEST],
            length: 0,
            is_after_return: false,
            lines: 0,
            lengths: 0,
            encodings: 0,
            is_over: false,
            is_ambiguous: false,
        }
    }
}

impl Head {
    /// Reads on; says whether two readers could understand the head differently. What stands behind it is left alone.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        while !self.is_over {
            // Between two of these nothing happens but that the line grows.
            let end = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
            let (text, rest) = bytes.split_at(end);
            self.keep(text);
            let Some((end, rest)) = rest.split_first().filter(|_| !self.is_over) else { break };
            match end {
                b'\n' => self.end_line(),
                _ => self.is_after_return = true,
            }
            bytes = rest;
        }
        self.is_ambiguous
    }

    fn keep(&mut self, text: &[u8]) {
        let Some(first) = text.first() else { return };
        // The rest of a body that was not read is no head.
        self.is_over |= self.lines == 0 && self.length == 0 && !first.is_ascii_uppercase();
        self.is_after_return = false;
        if let Some(room) = self.line.get_mut(self.length..) {
            let fits = room.len().min(text.len());
            room[..fits].copy_from_slice(&text[..fits]);
        }
        self.length += text.len();
    }

    fn end_line(&mut self) {
        let is_blank = self.length == 0;
        // Empty lines before the first one are no part of the head.
        if !is_blank || self.lines > 0 {
            self.is_ambiguous |= !self.is_after_return;
            self.is_over = is_blank;
            self.lines += 1;
        }
        self.look();
        self.length = 0;
        self.is_after_return = false;
    }

    fn look(&mut self) {
        let line = self.line.get(..self.length).unwrap_or(&self.line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.encodings += 1;
            let value = value.strip_prefix(b" ").unwrap_or(value);
            self.is_ambiguous |= self.length > LONGEST || !value.eq_ignore_ascii_case(b"chunked");
        }
        self.is_ambiguous |= self.lengths + self.encodings > 1;
    }
}
