//! Cuts SQL into tokens.

use std::ops::Range;

use super::{Dialect, TextError};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Sort {
    /// A keyword or a bare identifier.
    Word,
    /// A quoted identifier.
    Quoted,
    /// A string, dollar quotes included.
    Literal,
    /// A number.
    Number,
    /// `:name`.
    Parameter,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `;`
    End,
    /// Any other sign, casts included.
    Sign,
}

/// One token: what it is, where it stands, how many parentheses are open around it.
#[derive(Clone, Debug)]
pub(in crate::sql) struct Token {
    pub(in crate::sql) sort: Sort,
    pub(in crate::sql) span: Range<usize>,
    pub(in crate::sql) depth: usize,
}

/// A text and its tokens; comments and white space are not among them.
#[derive(Debug)]
pub(in crate::sql) struct Text<'a> {
    pub(in crate::sql) sql: &'a str,
    pub(in crate::sql) tokens: Vec<Token>,
}

impl<'a> Text<'a> {
    /// Cuts `sql`.
    pub(in crate::sql) fn scan(sql: &'a str, dialect: Dialect) -> Result<Self, TextError> {
        let mut scanner = Scanner { sql, bytes: sql.as_bytes(), at: 0, dialect };
        let mut tokens = Vec::new();
        let mut depth = 0_usize;
        while let Some((sort, span)) = scanner.next()? {
            let here = depth;
            match sort {
                Sort::Open => depth += 1,
                Sort::Close => depth = depth.checked_sub(1).ok_or(TextError::Unbalanced)?,
                _ => {}
            }
            tokens.push(Token { sort, span, depth: here.min(depth) });
        }
        if depth > 0 {
            return Err(TextError::Unbalanced);
        }
        Ok(Self { sql, tokens })
    }

    /// The text of token `index`; empty past the end.
    pub(in crate::sql) fn at(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| &self.sql[token.span.clone()])
    }

    /// What token `index` is.
    pub(in crate::sql) fn sort(&self, index: usize) -> Option<Sort> {
        self.tokens.get(index).map(|token| token.sort)
    }

    /// Token `index` is this bare word, in any case.
    pub(in crate::sql) fn is(&self, index: usize, word: &str) -> bool {
        self.sort(index) == Some(Sort::Word) && self.at(index).eq_ignore_ascii_case(word)
    }

    /// Token `index` is one of these bare words.
    pub(in crate::sql) fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// Some token outside parentheses is one of these bare words.
    pub(in crate::sql) fn has_outside(&self, words: &[&str]) -> bool {
        (0..self.tokens.len()).any(|index| self.tokens[index].depth == 0 && self.is_any(index, words))
    }
}

/// An identifier without its quotes.
pub(in crate::sql) fn bare(name: &str) -> String {
    let inner = |quote: char| name.strip_prefix(quote).and_then(|name| name.strip_suffix(quote));
    if let Some(name) = inner('"') {
        return name.replace("\"\"", "\"");
    }
    if let Some(name) = inner('`') {
        return name.replace("``", "`");
    }
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).to_owned()
}

/// The parameter that has members.
const CALLER: &str = "caller";

struct Scanner<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Result<Option<(Sort, Range<usize>)>, TextError> {
        self.skip_blank()?;
        let start = self.at;
        if start >= self.bytes.len() {
            return Ok(None);
        }
        let sort = self.token()?;
        Ok(Some((sort, start..self.at)))
    }

    fn skip_blank(&mut self) -> Result<(), TextError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c, _) => self.at += 1,
                (b'-', b'-') => self.at = self.find("\n", self.at).unwrap_or(self.bytes.len()),
                (b'/', b'*') => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// Comments nest in PostgreSQL only.
    fn skip_comment(&mut self) -> Result<(), TextError> {
        let mut open = 0_usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') if open == 0 || self.dialect == Dialect::Postgres => {
                    open += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    open -= 1;
                    self.at += 2;
                    if open == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
        Err(TextError::Unclosed("a comment"))
    }

    fn token(&mut self) -> Result<Sort, TextError> {
        let first = self.peek(0);
        match first {
            b'\'' => self.quoted(b'\'', "a string").map(|()| Sort::Literal),
            b'"' => self.quoted(b'"', "a quoted name").map(|()| Sort::Quoted),
            b'`' if self.dialect == Dialect::Sqlite => self.quoted(b'`', "a quoted name").map(|()| Sort::Quoted),
            b'[' if self.dialect == Dialect::Sqlite => {
                let end = self.find("]", self.at).ok_or(TextError::Unclosed("a quoted name"))?;
                self.at = end + 1;
                Ok(Sort::Quoted)
            }
            b'e' | b'E' if self.dialect == Dialect::Postgres && self.peek(1) == b'\'' => self.escaped(),
            b'$' => self.dollar(),
            b':' => Ok(self.colon()),
            b'?' | b'@' | b'#' if self.dialect == Dialect::Sqlite => Err(self.placeholder()),
            b'(' => Ok(self.sign(Sort::Open)),
            b')' => Ok(self.sign(Sort::Close)),
            b',' => Ok(self.sign(Sort::Comma)),
            b';' => Ok(self.sign(Sort::End)),
            b'.' if !self.peek(1).is_ascii_digit() => Ok(self.sign(Sort::Dot)),
            b'0'..=b'9' | b'.' => {
                self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
                Ok(Sort::Number)
            }
            _ if is_name(first) => {
                self.take_while(|byte| is_name(byte) || byte.is_ascii_digit() || byte == b'$');
                Ok(Sort::Word)
            }
            _ => Ok(self.sign(Sort::Sign)),
        }
    }

    fn sign(&mut self, sort: Sort) -> Sort {
        self.at += 1;
        sort
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.at < self.bytes.len() && keep(self.peek(0)) {
            self.at += 1;
        }
    }

    fn find(&self, what: &str, from: usize) -> Option<usize> {
        self.sql.get(from..)?.find(what).map(|found| from + found)
    }

    /// Up to the closing quote; the quote doubled stands for itself.
    fn quoted(&mut self, quote: u8, what: &'static str) -> Result<(), TextError> {
        self.at += 1;
        while self.at < self.bytes.len() {
            let here = self.peek(0);
            self.at += 1;
            if here == quote {
                if self.peek(0) != quote {
                    return Ok(());
                }
                self.at += 1;
            }
        }
        Err(TextError::Unclosed(what))
    }

    /// `E'…'`: a backslash takes the next character with it.
    fn escaped(&mut self) -> Result<Sort, TextError> {
        self.at += 2;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'\\', _) | (b'\'', b'\'') => self.at += 2,
                (b'\'', _) => {
                    self.at += 1;
                    return Ok(Sort::Literal);
                }
                _ => self.at += 1,
            }
        }
        Err(TextError::Unclosed("a string"))
    }

    /// `$tag$…$tag$` in PostgreSQL; a placeholder of another style otherwise.
    fn dollar(&mut self) -> Result<Sort, TextError> {
        let mut end = self.at + 1;
        while self.bytes.get(end).is_some_and(|&byte| is_name(byte) || byte.is_ascii_digit()) {
            end += 1;
        }
        let tag = &self.sql[self.at..end];
        let opens = self.bytes.get(end) == Some(&b'$') && !tag[1..].starts_with(|first: char| first.is_ascii_digit());
        if self.dialect == Dialect::Sqlite || !opens {
            return Err(self.placeholder());
        }
        let tag = &self.sql[self.at..=end];
        let close = self.find(tag, end + 1).ok_or(TextError::Unclosed("a dollar-quoted string"))?;
        self.at = close + tag.len();
        Ok(Sort::Literal)
    }

    fn colon(&mut self) -> Sort {
        if is_name(self.peek(1)) {
            self.at += 1;
            let start = self.at;
            self.take_while(|byte| is_name(byte) || byte.is_ascii_digit());
            // Only the caller has members: elsewhere a dot behind a parameter is the engine's to refuse.
            let is_caller = &self.sql[start..self.at] == CALLER;
            while is_caller && self.peek(0) == b'.' && is_name(self.peek(1)) {
                self.at += 1;
                self.take_while(|byte| is_name(byte) || byte.is_ascii_digit());
            }
            return Sort::Parameter;
        }
        self.at += if self.peek(1) == b':' { 2 } else { 1 };
        Sort::Sign
    }

    fn placeholder(&self) -> TextError {
        let rest = &self.sql[self.at..];
        let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |end| end + 1);
        TextError::Placeholder(rest[..end].to_owned())
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}
