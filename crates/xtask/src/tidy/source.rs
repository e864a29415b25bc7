//! Rules about Rust source: how long things are, and words that have no place here.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Block, ImplItemFn, Item, ItemFn, Macro, Signature, TraitItemFn, visit::Visit};

use super::{Complaint, File, Tree};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// Words as a call of a macro.
const MACROS: [&str; 2] = ["todo", "unimplemented"];
/// Words as an attribute.
const ATTRIBUTES: [(&str, &str); 3] = [
    ("ignore", "a test runs, or it is not there"),
    ("should_panic", "say in the test which error is expected"),
    ("allow", "use `#[expect(lint, reason = \"…\")]`"),
];

/// At the wall, a file is split by meaning.
pub(super) fn files_are_short(tree: &Tree) -> Vec<Complaint> {
    let long = |file: &&File| file.is_product() && file.text.lines().count() > LONGEST_FILE;
    let complaint =
        |file: &File| Complaint::new(file, LONGEST_FILE + 1, format!("{} lines; split it by meaning", file.text.lines().count()));
    tree.files().iter().filter(long).map(complaint).collect()
}

/// A function is read in one go.
pub(super) fn functions_are_short(tree: &Tree) -> Vec<Complaint> {
    visit(tree.files().iter().filter(|file| file.is_product()), |reader| reader.long)
}

/// Files parse, and the words that clippy cannot or does not forbid are not there.
pub(super) fn words(tree: &Tree) -> Vec<Complaint> {
    visit(tree.files().iter().filter(|file| file.is_rust()), |reader| reader.words)
}

fn visit<'f>(files: impl Iterator<Item = &'f File>, pick: fn(Reader<'f>) -> Vec<Complaint>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in files {
        let mut reader = Reader { file, in_test: file.is_test(), long: Vec::new(), words: Vec::new() };
        match syn::parse_file(&file.text) {
            Ok(parsed) => reader.visit_file(&parsed),
            Err(error) => reader.words.push(Complaint::new(file, error.span().start().line, format!("not Rust: {error}"))),
        }
        complaints.append(&mut pick(reader));
    }
    complaints
}

/// Walks one file and notes what it sees.
struct Reader<'f> {
    file: &'f File,
    /// Inside a test function or a module of tests.
    in_test: bool,
    long: Vec<Complaint>,
    words: Vec<Complaint>,
}

impl Reader<'_> {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let first = signature.fn_token.span.start().line;
        let lines = block.brace_token.span.close().end().line - first + 1;
        if lines > LONGEST_FUNCTION && !self.in_test {
            let message = format!("`{}` has {lines} lines; take it apart", signature.ident);
            self.long.push(Complaint::new(self.file, first, message));
        }
    }

    /// Runs `walk` as a part of a test if the attributes say so.
    fn inside(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        let before = self.in_test;
        self.in_test |= attributes.iter().any(marks_a_test);
        walk(self);
        self.in_test = before;
    }

    fn word(&mut self, span: proc_macro2::Span, message: impl Into<String>) {
        self.words.push(Complaint::new(self.file, span.start().line, message));
    }

    /// The arguments of macros are not parsed; `x.unwrap()` in them is found by its tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(word) if word == "unwrap" && is_dot(index.checked_sub(1).and_then(|before| tokens.get(before))) => {
                    self.unwrapping(word.span());
                }
                _ => {}
            }
        }
    }

    fn unwrapping(&mut self, span: proc_macro2::Span) {
        if !self.in_test {
            self.word(span, "`unwrap` tells nobody why it cannot fail; use `expect` or `?`");
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => item.attrs.as_slice(),
            Item::Mod(item) => item.attrs.as_slice(),
            Item::Impl(item) => item.attrs.as_slice(),
            _ => &[],
        };
        self.inside(attributes, |reader| syn::visit::visit_item(reader, item));
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.measure(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.inside(&item.attrs, |reader| {
            reader.measure(&item.sig, &item.block);
            syn::visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" {
            self.unwrapping(call.method.span());
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(name) = MACROS.iter().find(|name| call.path.is_ident(name)) {
            self.word(call.bang_token.span, format!("`{name}!` is a promise; keep it or leave the thing out"));
        }
        self.tokens(call.tokens.clone());
        syn::visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let words = all_words(attribute);
        let path = attribute.path();
        if path.is_ident("serde") {
            for word in ["untagged", "flatten"].into_iter().filter(|word| words.iter().any(|found| found == word)) {
                self.word(attribute.pound_token.span, format!("serde's `{word}` cannot say what was wrong where; name the fields"));
            }
        }
        if path.is_ident("expect") && !words.iter().any(|word| word == "reason") {
            self.word(attribute.pound_token.span, "`#[expect]` says its reason");
        }
        for (name, message) in ATTRIBUTES {
            let conditional = path.is_ident("cfg_attr") && words.iter().any(|word| word == name);
            if path.is_ident(name) || conditional {
                self.word(attribute.pound_token.span, format!("`{name}`: {message}"));
            }
        }
    }
}

fn is_dot(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == '.')
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`.
fn marks_a_test(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.segments.last().is_some_and(|last| last.ident == "test") || (path.is_ident("cfg") && all_words(attribute) == ["test"])
}

/// The identifiers inside an attribute's parentheses.
fn all_words(attribute: &Attribute) -> Vec<String> {
    fn collect(tokens: TokenStream, words: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(word) => words.push(word.to_string()),
                TokenTree::Group(group) => collect(group.stream(), words),
                _ => {}
            }
        }
    }
    let mut words = Vec::new();
    if let syn::Meta::List(list) = &attribute.meta {
        collect(list.tokens.clone(), &mut words);
    }
    words
}
