//! Who sees what, who may call what, and what stands on the record.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use callgate_model::{
    Authentication, Backend, BackendName, Call, Caller, Clock, Completion, Condition, Credentials, Deadline, Effect, Fault, Gateway as _,
    Identify, Identity, Json, Members, Notices, Offers, Origin, Prompt, PromptName, PromptReply, Proof, Reference, Reply, RequestId,
    Resource, ResourceContents, ResourceTemplate, ResourceText, Scopes, Target, Terms, Tool, ToolName, ToolReply, Unidentified,
    UriTemplate, async_trait,
};
use callgate_store::{Entry, Memory, shared};
use expect_test::expect;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Error, Gate, Parts, Settings, tests::told};

/// Offers that say who may; counts what reaches it.
#[derive(Default)]
struct Shop {
    offers: Offers,
    reached: AtomicUsize,
}

#[async_trait]
impl Backend for Shop {
    fn offers(&self) -> Offers {
        self.offers.clone()
    }
    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        if let Some(tool) = call.argument("through").and_then(Value::as_str) {
            return call.invoke(tool, Members::new()).await.map(Reply::from);
        }
        Ok(ToolReply::structured(Json::of(&json!({ "done": call.target.name() }))).into())
    }
    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        let text = ResourceText::Text(String::new());
        Ok(Reply::Resource(vec![ResourceContents { uri: call.target.name().into(), mime: None, text, meta: None }]))
    }
    async fn prompt(&self, _: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        Ok(Reply::Prompt(PromptReply { description: None, messages: Vec::new() }))
    }
    async fn complete(&self, _: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        Ok(Reply::Completion(Completion::default()))
    }
}

/// Recognises nobody; that it is there makes the gate one that tells callers apart.
#[derive(Debug, Default)]
struct Doorman(Arc<Authentication>);

#[async_trait]
impl Identify for Doorman {
    async fn identify(&self, _: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        Err(Unidentified::Missing)
    }
    fn authentication(&self) -> Arc<Authentication> {
        self.0.clone()
    }
}

fn allow(rules: &[&str]) -> Option<Vec<String>> {
    Some(rules.iter().map(ToString::to_string).collect())
}

fn tool(name: &str, effect: Effect, allow: Option<Vec<String>>) -> Tool {
    let terms = Terms { allow, ..Terms::default() };
    let tool = Tool::new(ToolName::new(name).unwrap(), "", Json::of(&json!({ "type": "object" })));
    Tool { effect, terms, redact: vec!["pin".into()], ..tool }
}

fn offers() -> Offers {
    let refund = tool("refund", Effect::Write, allow(&["write:orders read:orders", "finance"]));
    let require = vec![
        Condition { rule: "args.amount <= 1000 || 'finance' in caller.roles".into(), message: None },
        Condition { rule: "args.amount > 0".into(), message: Some("`amount` must be more than nothing".into()) },
    ];
    let family = |uri, allow| ResourceTemplate { allow, ..ResourceTemplate::new(UriTemplate::parse(uri).unwrap(), uri) };
    let resource = |uri: &str, allow| Resource { uri: uri.into(), allow, ..Resource::default() };
    let prompt = |name, allow| Prompt { allow, ..Prompt::new(PromptName::new(name).unwrap()) };
    Offers {
        tools: vec![
            tool("hello", Effect::Read, allow(&["anyone"])),
            tool("get_customer", Effect::Read, allow(&["read:customers", "support", "admin:customers read:customers"])),
            Tool { terms: Terms { require, ..refund.terms.clone() }, ..refund },
            tool("of_tenant", Effect::Read, allow(&["args.tenant == caller.tenant"])),
            tool("of_region", Effect::Read, allow(&["caller.claims.region == 'eu' && tool.effect == 'read'"])),
            tool("nobodys", Effect::Write, allow(&[])),
            tool("unsaid", Effect::Read, None),
        ],
        resources: vec![resource("doc://open", allow(&["anyone"])), resource("doc://finance", allow(&["finance"]))],
        templates: vec![
            family("file://{tenant}/{name}", allow(&["args.tenant == caller.tenant"])),
            family("secret://{id}", allow(&["admin"])),
        ],
        prompts: vec![prompt("churn", allow(&["support"])), prompt("greet", allow(&["anyone"]))],
        completes: true,
    }
}

fn caller(tenant: &str, proof: Proof, roles: &[&str], scopes: &[&str], claims: &Value) -> Arc<Caller> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
    let claims = claims.as_object().cloned().unwrap_or_default();
    let mut caller = Caller::new(tenant, "ann", proof);
    (caller.roles, caller.scopes, caller.claims) = (texts(roles), Scopes::Named(texts(scopes)), claims);
    Arc::new(caller)
}

struct World {
    gate: Arc<Gate>,
    shop: Arc<Shop>,
    store: Arc<Memory>,
}

impl World {
    fn open(offers: Offers, identify: Option<Arc<dyn Identify>>) -> Result<Self, Error> {
        let (shop, store) = (Arc::new(Shop { offers, ..Shop::default() }), Arc::new(Memory::new(1000)));
        let mut settings = Settings::default();
        settings.calls.authorize.callers = 4;
        let gate = Gate::open(Parts {
            identity: Identity::default(),
            backends: vec![(BackendName::new("shop").unwrap(), shop.clone() as Arc<dyn Backend>)],
            store: store.clone(),
            shared: Arc::new(shared::Memory::new(&shared::Config::default())),
            settings,
            identify,
            notices: Notices::new(),
            traces: None,
            before: crate::Carried::default(),
            clock: Clock::Fixed(Timestamp::from_second(1_700_000_000).unwrap()),
        })?;
        Ok(Self { gate, shop, store })
    }

    fn guarded() -> Self {
        Self::open(offers(), Some(Arc::new(Doorman::default()))).unwrap()
    }

    /// Everything the caller gets to see, in order.
    fn sees(&self, caller: &Caller) -> String {
        let catalog = self.gate.catalog(caller);
        let tools = catalog.tools().iter().map(|item| item.offer.name.as_str());
        let resources = catalog.resources().iter().map(|item| item.offer.uri.as_str());
        let templates = catalog.templates().iter().map(|item| item.offer.uri.as_str());
        let prompts = catalog.prompts().iter().map(|item| item.offer.name.as_str());
        tools.chain(resources).chain(templates).chain(prompts).collect::<Vec<_>>().join(" ")
    }

    async fn say(&self, caller: &Arc<Caller>, target: Target, arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let deadline = Deadline::after(std::time::Duration::from_secs(5));
        let call = Call::new(target, arguments, caller.clone(), Arc::new(Origin::default()), deadline);
        told(&self.gate.call(call).await)
    }

    async fn call(&self, caller: &Arc<Caller>, tool: &str, arguments: Value) -> String {
        self.say(caller, Target::Tool(tool.into()), arguments).await
    }

    fn reached(&self) -> usize {
        self.shop.reached.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn callers_see_what_they_may_use() {
    let world = World::guarded();
    let open = "hello of_tenant doc://open file://{tenant}/{name} greet";
    for (caller, seen) in [
        (caller("acme", Proof::Key, &[], &[], &json!({})), open.to_owned()),
        (caller("acme", Proof::Key, &[], &["read:customers"], &json!({})), open.replace("of_tenant", "get_customer of_tenant")),
        (caller("acme", Proof::Key, &[], &["write:orders"], &json!({})), open.to_owned()),
        (caller("acme", Proof::Token, &[], &[], &json!({})), open.replace("of_tenant", "get_customer refund of_tenant")),
        (
            caller("acme", Proof::Key, &["finance", "support"], &[], &json!({ "region": "eu" })),
            "hello get_customer refund of_tenant of_region doc://open doc://finance file://{tenant}/{name} churn greet".into(),
        ),
        (caller("acme", Proof::Key, &["admin"], &[], &json!({ "region": 7 })), open.replace("greet", "secret://{id} greet")),
    ] {
        assert_eq!(world.sees(&caller), seen, "{caller:?}");
        assert_eq!(world.sees(&caller), seen, "{caller:?} again");
    }
}

/// Neither the answer nor the record's outcome tells a tool that is hidden from one that is not there.
#[tokio::test(start_paused = true)]
async fn what_a_caller_may_not_use_does_not_exist() {
    let world = World::guarded();
    let nobody = caller("acme", Proof::Key, &[], &[], &json!({}));
    let completion = |of| Target::Completion { of, argument: "x".into(), value: String::new() };
    for (hidden, missing) in [
        (Target::Tool("nobodys".into()), Target::Tool("nothing".into())),
        (Target::Tool("unsaid".into()), Target::Tool("nothin".into())),
        (Target::Tool("refund".into()), Target::Tool("absent".into())),
        (Target::Resource("doc://finance".into()), Target::Resource("doc://nothing".into())),
        (Target::Resource("secret://1".into()), Target::Resource("nothin://1".into())),
        (Target::Prompt("churn".into()), Target::Prompt("other".into())),
        (completion(Reference::Prompt("churn".into())), completion(Reference::Prompt("other".into()))),
        (completion(Reference::Template("secret://{id}".into())), completion(Reference::Template("nothin://{id}".into()))),
    ] {
        let (hidden_name, missing_name) = (hidden.name().to_owned(), missing.name().to_owned());
        let told = world.say(&nobody, hidden, json!({ "pin": 1 })).await;
        assert_eq!(told, world.say(&nobody, missing, json!({ "pin": 1 })).await.replace(&missing_name, &hidden_name));
        assert!(told.starts_with("unknown unknown "), "{told}");
    }
    assert_eq!(world.reached(), 0);
    let entries = world.store.entries();
    assert!(entries.iter().all(|entry| entry.outcome == "unknown" && entry.backend.is_none()), "{entries:#?}");
    let tools = entries.iter().filter(|entry| entry.name == "refund");
    assert!(tools.clone().count() == 1 && tools.clone().all(|entry| !entry.arguments.contains('1')), "hidden, and redacted all the same");
}

#[tokio::test(start_paused = true)]
async fn what_decides_a_call() {
    let world = World::guarded();
    let key = |roles: &[&str], scopes: &[&str]| caller("acme", Proof::Key, roles, scopes, &json!({}));
    let token = |scopes: &[&str]| caller("acme", Proof::Token, &[], scopes, &json!({}));
    let (small, large) = (json!({ "amount": 10 }), json!({ "amount": 5000 }));
    let mut replies = String::new();
    for (caller, tool, arguments) in [
        (key(&[], &[]), "hello", json!({})),
        (key(&["support"], &[]), "get_customer", json!({})),
        (key(&[], &["write:orders"]), "refund", small.clone()),
        (key(&[], &["write:orders", "read:orders"]), "refund", small.clone()),
        (key(&[], &["write:orders", "read:orders"]), "refund", large.clone()),
        (key(&["finance"], &[]), "refund", large),
        (key(&["finance"], &[]), "refund", json!({ "amount": -1 })),
        (key(&["finance"], &[]), "refund", json!({ "amount": "much" })),
        (key(&["finance"], &[]), "refund", json!({})),
        (token(&["read:orders"]), "refund", small),
        (token(&[]), "get_customer", json!({})),
        (key(&[], &[]), "of_tenant", json!({ "tenant": "acme" })),
        (key(&[], &[]), "of_tenant", json!({ "tenant": "other" })),
        (key(&[], &[]), "of_tenant", json!({})),
        (key(&[], &[]), "hello", json!({ "through": "get_customer" })),
        (key(&["support"], &[]), "hello", json!({ "through": "get_customer" })),
    ] {
        replies += &world.call(&caller, tool, arguments).await;
        replies.push('\n');
    }
    expect![[r#"
        ok {"done":"hello"}
        ok {"done":"get_customer"}
        unknown unknown tool `refund`
        ok {"done":"refund"}
        denied a rule of this server forbids this call with this `amount`; another value may be allowed
        ok {"done":"refund"}
        denied `amount` must be more than nothing
        denied `amount` must be more than nothing
        denied `amount` must be more than nothing
        insufficient_scope this needs a token with the scope write:orders read:orders
        insufficient_scope this needs a token with the scope read:customers admin:customers
        ok {"done":"of_tenant"}
        denied you may not make this call with these arguments; other arguments may be allowed
        denied you may not make this call with these arguments; other arguments may be allowed
        unknown unknown tool `get_customer`
        ok {"done":"get_customer"}
    "#]]
    .assert_eq(&replies);
    assert_eq!(world.reached(), 8);
    let entries = world.store.entries();
    let reasons: Vec<_> = entries.iter().map(|entry| format!("{} {}", entry.outcome, entry.reason.as_deref().unwrap_or("-"))).collect();
    expect![[r#"
        ok allowed by `anyone`
        ok allowed by `support`
        unknown denied: no rule of `allow` holds; for this caller it does not exist
        ok allowed by `write:orders read:orders`
        denied denied: `args.amount <= 1000 || 'finance' in caller.roles` is not met
        ok allowed by `finance`
        denied denied: `args.amount > 0` is not met
        denied denied: `args.amount > 0` is not met: found no matching overload for '_>_' applied to '(string, int)'
        denied denied: `args.amount > 0` is not met: `amount` is not there
        insufficient_scope denied: the token lacks `write:orders read:orders`
        insufficient_scope denied: the token lacks `read:customers admin:customers`
        ok allowed by `args.tenant == caller.tenant`
        denied denied: no rule of `allow` holds for these arguments
        denied denied: no rule of `allow` holds for these arguments: `tenant` is not there
        unknown denied: no rule of `allow` holds; for this caller it does not exist
        unknown allowed by `anyone`
        ok allowed by `support`
        ok allowed by `anyone`"#]]
    .assert_eq(&reasons.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn members_of_a_family_are_allowed_by_their_variables() {
    let world = World::guarded();
    let ann = caller("acme", Proof::Key, &[], &[], &json!({}));
    let read = |uri: &str| Target::Resource(uri.into());
    assert_eq!(world.say(&ann, read("file://acme/a"), json!({})).await, "ok file://acme/a");
    assert!(world.say(&ann, read("file://other/a"), json!({})).await.starts_with("denied "));
    assert_eq!(world.reached(), 1);
}

/// The gate remembers four callers; more of them, and callers whose claims change, never get what is another's.
#[tokio::test(start_paused = true)]
async fn views_are_never_mixed_up() {
    let world = World::guarded();
    for round in 0..40 {
        let region = if round % 3 == 0 { "eu" } else { "us" };
        let roles: &[&str] = if round % 2 == 0 { &["finance"] } else { &[] };
        let ann = caller(if round % 5 == 0 { "acme" } else { "beta" }, Proof::Key, roles, &[], &json!({ "region": region }));
        assert_eq!(world.sees(&ann).contains("of_region"), region == "eu");
        assert_eq!(world.sees(&ann).contains("doc://finance"), !roles.is_empty());
        assert_eq!(world.call(&ann, "of_tenant", json!({ "tenant": ann.tenant() })).await, r#"ok {"done":"of_tenant"}"#);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_without_authentication_serves_the_machines_own_user() {
    let world = World::open(offers(), None).unwrap();
    let local = Caller::local();
    let seen = world.sees(&local);
    assert!(seen.contains("refund") && seen.contains("unsaid") && seen.contains("secret"), "{seen}");
    assert!(!seen.contains("nobodys") && !seen.contains("of_region"), "an empty list and a condition mean what they say: {seen}");
    let plain = Offers { tools: vec![tool("unsaid", Effect::Read, None)], ..Offers::default() };
    let plain = World::open(plain, None).unwrap();
    let (one, other) = (plain.gate.catalog(&local), plain.gate.catalog(&caller("acme", Proof::Key, &[], &[], &json!({}))));
    assert!(Arc::ptr_eq(&one, &other), "nothing tells callers apart, so nothing is worked out");
}

#[test]
fn a_gate_with_a_rule_that_cannot_be_used_does_not_open() {
    let with = |tool: Tool| World::open(Offers { tools: vec![tool], ..Offers::default() }, None).err().unwrap().to_string();
    let broken = with(tool("odd", Effect::Read, allow(&["anyone", "role == 'x'"])));
    assert!(broken.starts_with("tool `odd`: its rule `role == 'x'` cannot be used: there is no `role` here"), "{broken}");
    let broken = Tool {
        terms: Terms { require: vec![Condition { rule: "args.".into(), message: None }], ..Terms::default() },
        ..tool("odd", Effect::Read, None)
    };
    assert!(with(broken).starts_with("tool `odd`: its rule `args.` cannot be used: "));
    let about = Resource { uri: "doc://a".into(), allow: allow(&["args.a == 1"]), ..Resource::default() };
    let refused = World::open(Offers { resources: vec![about], ..Offers::default() }, None).err().unwrap().to_string();
    assert!(refused.contains("an expression can read `caller`"), "{refused}");
}

/// Ten records a second, and one that counts the others: a flood does not fill the disk.
#[tokio::test(start_paused = true)]
async fn strangers_are_on_record_but_not_each_of_a_flood() {
    let world = World::guarded();
    let request = RequestId::new("mine").unwrap();
    for _ in 0..3 {
        for _ in 0..500 {
            world.gate.identify(&request, &Credentials::default()).await.unwrap_err();
        }
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    world.gate.drain(std::time::Duration::ZERO).await;
    let entries = world.store.entries();
    assert!(entries.iter().all(|entry| entry.sort == "request" && entry.outcome == "unauthenticated"));
    let count = |text: &str| entries.iter().filter(|entry| entry.reason.as_deref() == Some(text)).count();
    assert_eq!((count("no credentials"), count("490 more"), entries.len()), (30, 3, 33));
    let found = |entry: &&Entry| entry.request == "mine";
    assert_eq!(entries.iter().filter(found).count(), 30, "each under the id that its answer names");
    assert!(world.gate.metrics().contains("\nmcp_unidentified_total 1500\n"));
}

#[test]
fn an_explanation_names_every_rule_and_the_one_that_decided() {
    let world = World::guarded();
    let explain = |caller: Arc<Caller>, tool: &str, arguments: Value| {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let told = world.gate.explain(caller, Target::Tool(tool.into()), arguments);
        let findings: String =
            told.findings.iter().map(|finding| format!("{} {}: {:?}\n", finding.under, finding.rule, finding.holds)).collect();
        format!("{findings}{}: {}\n", told.allowed, told.decided)
    };
    let finance = || caller("acme", Proof::Key, &["finance"], &[], &json!({}));
    let mut told = explain(finance(), "refund", json!({ "amount": 5000 }));
    told += &explain(caller("acme", Proof::Token, &[], &["write:orders", "read:orders"], &json!({})), "refund", json!({ "amount": 5000 }));
    told += &explain(caller("acme", Proof::Key, &[], &[], &json!({})), "refund", json!({ "amount": 1 }));
    told += &explain(caller("acme", Proof::Token, &[], &[], &json!({})), "refund", json!({ "amount": 1 }));
    told += &explain(finance(), "of_tenant", json!({}));
    told += &explain(finance(), "nothing", json!({}));
    expect![[r#"
        allow write:orders read:orders: Ok(false)
        allow finance: Ok(true)
        require args.amount <= 1000 || 'finance' in caller.roles: Ok(true)
        require args.amount > 0: Ok(true)
        true: allowed by `finance`
        allow write:orders read:orders: Ok(true)
        allow finance: Ok(false)
        require args.amount <= 1000 || 'finance' in caller.roles: Ok(false)
        require args.amount > 0: Ok(true)
        false: denied: `args.amount <= 1000 || 'finance' in caller.roles` is not met
        allow write:orders read:orders: Ok(false)
        allow finance: Ok(false)
        require args.amount <= 1000 || 'finance' in caller.roles: Ok(true)
        require args.amount > 0: Ok(true)
        false: denied: no rule of `allow` holds; for this caller it does not exist
        allow write:orders read:orders: Ok(false)
        allow finance: Ok(false)
        require args.amount <= 1000 || 'finance' in caller.roles: Ok(true)
        require args.amount > 0: Ok(true)
        false: denied: the token lacks `write:orders read:orders`
        allow args.tenant == caller.tenant: Err("`tenant` is not there")
        false: denied: no rule of `allow` holds for these arguments: `tenant` is not there
        false: there is no such tool
    "#]]
    .assert_eq(&told);
}
