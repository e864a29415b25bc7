//! Expressions and rules: what they say of values, what is refused, and that nothing panics.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Language, Operand, Rule, Scope};

const VARIABLES: &[&str] = &["caller", "tool", "args"];

fn values() -> Value {
    json!({
        "caller": { "id": "ann", "tenant": "acme", "roles": ["finance"], "scopes": ["read:customers"], "claims": { "region": "eu" } },
        "tool": { "name": "refund", "effect": "write" },
        "args": { "amount": 1200, "price": 12.5, "big": u64::MAX, "ids": ["a", "b"], "note": null, "text": "order-17" },
    })
}

/// What `text` is of [`values`]: `true`, `false`, or why it has no value or cannot be compiled.
fn check(text: &str) -> String {
    let values = values();
    let operands: Vec<_> = VARIABLES.iter().map(|name| (*name, Operand::of(&values[*name]))).collect();
    let scope: Vec<_> = operands.iter().map(|(name, operand)| (*name, operand)).collect();
    match Language::new().compile(text, VARIABLES) {
        Ok(expression) => expression.holds(Scope(&scope)).map_or_else(|failure| failure.to_string(), |truth| truth.to_string()),
        Err(mistake) => mistake.about(text),
    }
}

#[test]
fn what_expressions_say() {
    for (text, expected) in [
        ("args.amount <= 1000 || 'finance' in caller.roles", "true"),
        ("args.amount <= 1000", "false"),
        ("args.amount <= 1200.0 && args.price < 13", "true"),
        ("args.big > 5 && args.price >= 12", "true"),
        ("caller.tenant == 'acme' && caller.claims.region == 'eu'", "true"),
        ("caller.claims.group == 'eu'", "`group` is not there"),
        ("has(caller.claims.group) && caller.claims.group == 'eu'", "false"),
        ("has(args.amount) ? args.amount < 10 : false", "false"),
        ("args.ids.exists(id, id == 'b') && args.ids.all(id, size(id) == 1)", "true"),
        ("args.ids.exists(id, caller.roles.exists(role, role == id))", "false"),
        ("size(args.ids) == 2 && args.ids[1] == 'b'", "true"),
        ("args.ids[7] == 'b'", "it cannot be evaluated with these values"),
        ("args.note == null", "true"),
        ("args.text.matches('^order-[0-9]+$') && matches(args.text, '17')", "true"),
        ("args.text.startsWith('order') && args.text.contains('-') && !args.text.endsWith('x')", "true"),
        ("int('17') == 17 && string(5) == '5' && double('1.5') == 1.5", "true"),
        ("tool.effect != 'read'", "true"),
        ("args.amount / 0 == 1", "it cannot be evaluated with these values"),
        ("args.nothing == 1 || true", "true"),
        ("args.amount", "its value is a int, neither true nor false"),
        ("args.text < 5", "found no matching overload for '_<_' applied to '(string, int)'"),
    ] {
        assert_eq!(check(text), expected, "{text}");
    }
}

#[test]
fn what_is_refused_at_load() {
    for (text, expected) in [
        ("", "there is no expression"),
        ("args.amount <", "this is no expression: mismatched input end"),
        ("arg.amount < 5", "there is no `arg` here; an expression can read `caller`, `tool`, `args`"),
        ("args.a == 1 && role", "there is no `role` here"),
        ("lower(args.text) == 'x'", "there is no function `lower`"),
        ("args.text.matches(args.pattern)", "the pattern of `matches` must be written out"),
        ("args.text.matches('(')", "the pattern of `matches` cannot be used: unclosed group"),
        ("args.text.matches('(a{1000}){1000}')", "the pattern of `matches` cannot be used: "),
        ("args.a.all(x, args.a.all(y, args.a.all(z, true)))", "loops (`exists`, `all`, `map`, `filter`) may be nested 2 deep"),
        ("Order{id: 1} == args", "there is no type `Order`"),
    ] {
        let told = check(text);
        assert!(told.starts_with(expected), "{text}: {told}");
    }
    assert!(check("args.a == 1 && role").ends_with("(at character 16)"));
    assert!(check(&format!("{}1", "1 + ".repeat(600))).contains("2048 bytes"));
    let deep = |open: &str, close: &str, times| format!("{}args.a{}", open.repeat(times), close.repeat(times));
    for (open, close) in [("(", ")"), ("[", "]"), ("1+", ""), ("!", ""), ("-", ""), ("true ? 1 : ", ""), ("size(", ")")] {
        for times in [65, 120, 250, 300] {
            let told = check(&deep(open, close, times));
            let refused = ["not there", "deep", "no expression", "200 brackets", "2048 bytes"].iter().any(|why| told.contains(why));
            assert!(refused, "{times} times {open}: {told}");
        }
    }
}

/// What a caller sends never makes an expression run long, and never makes it true.
#[test]
fn loops_over_much_are_refused() {
    let language = Language::new();
    let many = json!({ "ids": vec![1; 30_000] });
    let some = json!({ "ids": vec![1; 200] });
    for (text, value, refused) in [
        ("args.ids.all(id, id == 1)", &many, true),
        ("args.ids.all(id, id == 1)", &some, false),
        ("args.ids.all(a, args.ids.all(b, a == b))", &some, true),
        ("size(args.ids) == 30000", &many, false),
    ] {
        let operand = Operand::of(value);
        let told = language.compile(text, VARIABLES).unwrap().holds(Scope(&[("args", &operand)]));
        assert_eq!(told.is_err(), refused, "{text}: {told:?}");
    }
}

#[test]
fn rules_are_told_apart() {
    let language = Language::new();
    let told = |text: &str| match Rule::parse(&language, text, VARIABLES) {
        Ok(Rule::Anyone) => "anyone".to_owned(),
        Ok(Rule::Scopes(scopes)) => format!("scopes {}", scopes.join(" + ")),
        Ok(Rule::Role(role)) => format!("role {role}"),
        Ok(Rule::Expression(expression)) => format!("expression {}", expression.text()),
        Err(mistake) => mistake.message,
    };
    for (text, expected) in [
        ("read:customers", "scopes read:customers"),
        ("https://example.com/orders.write", "scopes https://example.com/orders.write"),
        ("read:customers  read:orders", "scopes read:customers + read:orders"),
        ("finance", "role finance"),
        ("anyone", "anyone"),
        ("caller.tenant == 'acme'", "expression caller.tenant == 'acme'"),
        ("*", "`*` is no rule; write `anyone` for every caller that was recognised"),
        ("true", "`true` is no rule; write `anyone`, or an empty list for nobody"),
        (" ", "an empty rule; leave the list empty for nobody, or write `anyone`"),
        ("args", "`args` alone says nothing; write what must be true of it"),
        ("role == 'x'", "there is no `role` here; an expression can read `caller`, `tool`, `args`"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

/// Pieces of expressions, put together at random: most are nonsense, some can be evaluated.
fn scribble() -> impl Strategy<Value = String> {
    let pieces = vec![
        "args", "caller", ".", "amount", "roles", "(", ")", "[", "]", "{", "}", "==", "&&", "||", "!", "?", ":", "in", "1", "-1", "1u",
        "1.5", "'x'", "\"", "'", "\\", "exists", "all", "map", "has", "matches", "size", ",", "x", " ", "true", "null", "@result", "ä",
        "😀", "b'", "r'", "0x", "\n", "//",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in prop_oneof![scribble(), ".{0,80}"]) {
        check(&text);
    }
}
