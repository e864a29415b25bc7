//! What `check` finds in the configuration.

use callgate_config::{Document, Environment, Problems};
use callgate_testkit::Folder;

use crate::Config;

/// What is wrong with `auth`, each mistake a line: where, and what.
fn mistakes(auth: &str) -> Vec<String> {
    let lines: String = auth.lines().map(|line| format!("  {line}\n")).collect();
    let folder = Folder::with([("gate.yaml", format!("auth:\n{lines}").as_str())]).unwrap();
    let mut problems = Problems::new();
    let document = Document::read_all(&folder.path().join("gate.yaml"), &Environment::of([("", ""); 0]), &mut problems).unwrap();
    let section = document.root().get("auth").unwrap();
    if let Some(config) = section.read::<Config>(&mut problems) {
        config.check(&section, &callgate_egress::Config::default(), &mut problems);
    }
    problems.iter().map(|problem| format!("{}: {}", problem.path(), problem.message())).collect()
}

#[test]
fn each_mistake_is_found_at_its_place() {
    let issuer = |more: &str| format!("resource: https://gate.example/mcp\nissuers:\n  - issuer: https://id.example\n    {more}");
    let many = "auth.issuers[0]";
    for (auth, place, words) in [
        (issuer("algorithms: []"), format!("{many}.algorithms"), "is empty"),
        (issuer("algorithms: [none]"), format!("{many}.algorithms[0]"), "RS256"),
        (issuer("algorithms: [HS256]"), format!("{many}.algorithms"), "no `secret`"),
        (issuer("secret: short\n    algorithms: [HS256]"), format!("{many}.secret"), "32 bytes"),
        (issuer("secret: 0123456789abcdef0123456789abcdef"), format!("{many}.algorithms"), "signs with it"),
        (issuer("jwks: http://id.example/keys"), format!("{many}.jwks"), "not https"),
        (issuer("jwks: https://10.0.0.1/keys"), format!("{many}.jwks"), "private network"),
        (issuer("jwks: https://169.254.169.254/keys"), format!("{many}.jwks"), "credentials"),
        (issuer("leeway: 6m"), format!("{many}.leeway"), "clocks"),
        (issuer("cooldown: 0s"), format!("{many}.cooldown"), "longer than nothing"),
        (issuer("required: { org: [] }"), format!("{many}.required.org"), "no value"),
        (issuer("nonsense: 1"), format!("{many}.nonsense"), "unknown"),
        ("issuers: [{ issuer: https://id.example }]".into(), format!("{many}.issuer"), "meant for"),
        ("resource: gate.example\n".into(), "auth.resource".into(), "no absolute URL"),
        ("resource: http://gate.example/mcp\n".into(), "auth.resource".into(), "not https"),
        ("scopes: ['read customers']".into(), "auth.scopes[0]".into(), "no scope"),
        ("remember: 6s".into(), "auth.remember".into(), "longer"),
        ("certificates: [{ caller: a }]".into(), "auth.certificates[0]".into(), "every one"),
        ("certificates: [{ dns: '*.example' }]".into(), "auth.certificates[0].dns".into(), "whole name"),
        ("certificates: [{ fingerprint: abc }]".into(), "auth.certificates[0].fingerprint".into(), "SHA-256"),
    ] {
        let found = mistakes(&auth);
        assert!(found.iter().any(|line| line.starts_with(&place) && line.contains(words)), "{auth}\n{place} … {words}: {found:#?}");
    }
    let fine =
        issuer("algorithms: [RS256, EdDSA]\n    claims: { tenant: org, roles: /realm_access/roles }\n    required: { azp: [agents] }");
    assert_eq!(mistakes(&fine), Vec::<String>::new());
    let local = "resource: http://127.0.0.1:8000/mcp\nissuers: [{ issuer: 'http://127.0.0.1:9000' }]";
    assert_eq!(mistakes(local), ["auth.issuers[0].issuer: `127.0.0.1` is an address of this machine, which `egress.allow` does not list"]);
}
