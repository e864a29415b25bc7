//! The keys `cache` and `invalidates` of a tool.

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use callgate_config::{Problems, Section};
use callgate_model::{Caching, UriTemplate};

use super::{
    config::{EffectName, ToolConfig},
    input::{Input, Type},
    near::meant,
};

/// How replies are kept, if they are. Only of tools that change nothing.
pub(super) fn kept(config: &ToolConfig, input: &Input, section: &Section, problems: &mut Problems) -> Option<Caching> {
    let cache = config.cache.as_ref()?;
    if !matches!(config.effect, EffectName::Read) {
        let problem = section.problem("/cache", "only replies of tools that change nothing (`effect: read`) are kept");
        problems.push(problem.help("leave `cache` out, or say `effect: read` if nothing is changed"));
    }
    if cache.ttl.get().is_zero() {
        let problem = section.problem("/cache/ttl", "a reply that is fresh for no time is never served again");
        problems.push(problem.help("write how long a reply is good, such as `60s`, or leave `cache` out"));
    }
    let tags = &cache.tags;
    tags.iter().enumerate().for_each(|(index, tag)| check(tag, input, section, &format!("/cache/tags/{index}"), problems));
    let stale = cache.stale.map(|stale| stale.get()).unwrap_or_default();
    Some(Caching { ttl: cache.ttl.get(), stale, tags: tags.clone(), shared: cache.shared.into(), version: version(section) })
}

/// Another statement is another tool, though its name, its arguments and the columns of its rows are the same.
fn version(section: &Section) -> String {
    let digest = digest::digest(&digest::SHA256, section.said().as_bytes());
    BASE64_STANDARD_NO_PAD.encode(&digest.as_ref()[..16])
}

/// The tags that a call makes stale. Only a tool that changes something has any.
pub(super) fn stale(config: &ToolConfig, input: &Input, section: &Section, problems: &mut Problems) -> Vec<String> {
    let tags = &config.invalidates;
    if matches!(config.effect, EffectName::Read) && !tags.is_empty() {
        let problem = section.problem("/invalidates", "a tool that changes nothing (`effect: read`) makes nothing stale");
        problems.push(problem.help("leave `invalidates` out; `cache.tags` says how replies of this tool are made stale"));
    }
    tags.iter().enumerate().for_each(|(index, tag)| check(tag, input, section, &format!("/invalidates/{index}"), problems));
    tags.clone()
}

/// Everything in a tag is always known: without it, a reply could not be found again.
fn check(tag: &str, input: &Input, section: &Section, at: &str, problems: &mut Problems) {
    let problem = |why: String| section.problem(at, why);
    if tag.is_empty() {
        problems.push(problem("a tag is not empty".into()));
    }
    let template = match UriTemplate::parse(tag) {
        Ok(template) => template,
        Err(why) => return problems.push(problem(why.to_string())),
    };
    for name in template.variables() {
        let Some(parameter) = input.get(name) else {
            let names = input.parameters.iter().map(|parameter| parameter.name.as_str());
            problems.push(meant(problem(format!("there is no parameter `{name}`")), name, names));
            continue;
        };
        if matches!(parameter.of, Type::Array(_) | Type::Object(_)) {
            problems.push(problem(format!("`{name}` is more than one value, so it cannot stand in a tag")));
        } else if parameter.optional && parameter.default.is_none() {
            let problem = problem(format!("`{name}` may be left out, and then there is no such tag"));
            problems.push(problem.help("give it a `default`, or use a tag without it"));
        }
    }
}
