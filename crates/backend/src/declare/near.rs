//! What was probably meant.

use callgate_config::Problem;

/// Adds what was probably meant by `word`, or else which choices there are.
pub(crate) fn meant<'c>(problem: Problem, word: &str, candidates: impl Iterator<Item = &'c str>) -> Problem {
    const SHOWN: usize = 12;
    let candidates: Vec<_> = candidates.collect();
    if let Some(near) = nearest(word, &candidates) {
        return problem.help(format!("did you mean `{near}`?"));
    }
    let shown: Vec<_> = candidates.iter().take(SHOWN).map(|candidate| format!("`{candidate}`")).collect();
    if shown.is_empty() { problem } else { problem.help(format!("there is {}", shown.join(", "))) }
}

/// The candidate that `word` is most like, if one is like it at all.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    const ALIKE: f64 = 0.75;
    let scored = candidates.iter().map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate));
    scored.filter(|(score, _)| *score > ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, candidate)| candidate)
}
