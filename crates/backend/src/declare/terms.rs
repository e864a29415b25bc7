//! The terms on which a tool may be called, as far as they are the same for all kinds.

use callgate_config::{Problems, Section, Span};
use callgate_model::{Effect, Fallback, Json, Terms};
use serde_json::Value;

use super::{ToolConfig, config::FallbackConfig, validator};

/// The terms in `config`; what cannot be meant is a problem.
pub(super) fn read(config: &ToolConfig, effect: Effect, section: &Section, problems: &mut Problems) -> Terms {
    let named = [("hedge", config.hedge.is_some()), ("fallback", config.fallback.is_some())];
    for (key, _) in named.into_iter().filter(|(_, is_there)| *is_there && effect != Effect::Read) {
        let problem =
            section.key_problem(&format!("/{key}"), format!("`{key}` is for tools that read, and this one says `{}`", effect.as_str()));
        problems.push(problem.help("leave it out: whether a write was made must never be guessed"));
    }
    if config.hedge.is_some_and(|hedge| hedge.get().is_zero()) {
        problems.push(section.problem("/hedge", "a hedge after no time at all asks twice every time"));
    }
    let fallback = config.fallback.as_ref().and_then(|config| fallback(config, section, problems));
    Terms { hedge: config.hedge.map(Into::into), fallback, ..Terms::default() }
}

fn fallback(config: &FallbackConfig, section: &Section, problems: &mut Problems) -> Option<Fallback> {
    match config {
        FallbackConfig { stale: Some(oldest), reply: None } => {
            section.at_least(&[("/fallback/stale", *oldest, Span::millis(1))], problems);
            Some(Fallback::Stale(oldest.get()))
        }
        FallbackConfig { stale: None, reply: Some(reply) } => Some(Fallback::Reply(Json::of(reply))),
        _ => {
            let problem = section.problem("/fallback", "say one thing that is answered when the backend is away");
            problems.push(problem.help("either `stale: 10m`, the last good answer up to that age, or `reply: {…}`, a fixed one"));
            None
        }
    }
}

/// What a fixed reply must be: what the tool's replies are by their schema. `section` is where the tool stands.
pub(crate) fn stands_in(terms: &Terms, output: &Value, section: &Section, problems: &mut Problems) {
    let Some(Fallback::Reply(reply)) = &terms.fallback else { return };
    let validator = validator(output).expect("a schema that follows from a statement compiles");
    for mistake in validator.iter_errors(&reply.to_value()) {
        let at = format!("/fallback/reply{}", mistake.instance_path().as_str());
        problems.push(section.problem(&at, format!("does not fit what the tool replies: {mistake}")));
    }
}
