//! What is seen of sampled calls: the first step of each, one for each layer, one for the backend.
//!
//! It promises that a call which is not sampled pays for one look at an `Option` in each layer and nothing else, and that what is noted
//! comes from the catalog and the code: no argument, no name or URI that the caller wrote, and who is calling only where the operator
//! wants it. The request's id, which a caller may choose, is the one exception: it leads to the log. It leaves what is worth seeing to `model`, and sampling and sending to whoever implements [`Traces`].

use callgate_model::{Call, Ended, Fault, Found, Reply, Step, Target, Trace, Traces};

use crate::{
    authorize::Judgement,
    layer::{Check, Layer, Next},
    outcome,
    stack::STACK,
    subject::subject,
};

pub(crate) mod meters;

/// The first step of a call, if it is sampled. A call within a call goes on with the trace of the one above it.
pub(crate) fn begin(traces: Option<&dyn Traces>, call: &mut Call) -> Option<Step> {
    let traces = traces?;
    let step = match &call.trace {
        Some(above) => above.step("call"),
        // What is within a call that is not sampled is not sampled either.
        None if call.depth > 0 => return None,
        None => traces.begin(&call.origin)?,
    };
    describe(step.trace(), call);
    if traces.names_callers() {
        step.trace().note("enduser.id", call.caller.id().to_string());
        step.trace().note("callgate.tenant", call.caller.tenant().to_string());
    }
    call.trace = Some(step.trace().clone());
    Some(step)
}

/// Names that the catalog knows; what the caller wrote is in none of them.
fn describe(trace: &Trace, call: &Call) {
    trace.name(format!("{} {}", method(&call.target), subject(call)));
    trace.note("mcp.method.name", method(&call.target));
    trace.note("mcp.protocol.version", call.origin.revision);
    trace.note("callgate.transport", call.origin.transport);
    trace.note("callgate.request.id", call.request.to_string());
    if !matches!(call.found, Found::Nothing) {
        let (key, name) = (name_key(&call.found), subject(call).to_owned());
        trace.note(key, name);
    }
    if matches!(call.target, Target::Tool(_)) {
        trace.note("gen_ai.operation.name", "execute_tool");
    }
    if let Some((backend, _)) = call.found.backend() {
        trace.note("callgate.backend", backend.to_string());
    }
}

fn name_key(found: &Found) -> &'static str {
    match found {
        Found::Tool(_) | Found::Nothing => "gen_ai.tool.name",
        Found::Prompt(_) => "gen_ai.prompt.name",
        Found::Resource(_) | Found::Member(..) | Found::Template(_) => "mcp.resource.uri",
    }
}

fn method(target: &Target) -> &'static str {
    match target {
        Target::Tool(_) => "tools/call",
        Target::Resource(_) => "resources/read",
        Target::Prompt(_) => "prompts/get",
        Target::Completion { .. } => "completion/complete",
    }
}

/// Ends the first step.
pub(crate) fn end(step: Step, result: &Result<Reply, Fault>, judgement: &Judgement) {
    if let Some(rule) = judgement.reason() {
        step.trace().note("callgate.rule", rule.as_ref().to_owned());
    }
    step.trace().note("callgate.outcome", outcome::word(result));
    step.end(ended(result));
}

/// How a step ended; a tool's own failure is one.
fn ended(result: &Result<Reply, Fault>) -> Ended {
    match outcome::word(result) {
        "ok" | "asked" => Ended::Well,
        "error" => Ended::Badly("tool_error"),
        word => Ended::Badly(word),
    }
}

/// Lets a sampled call through a layer, as a step below `above`.
pub(crate) async fn through<'a>(
    above: &'a Trace,
    place: usize,
    layer: &'a dyn Layer,
    call: &'a Call,
    next: Next<'a>,
) -> Result<Reply, Fault> {
    let step = above.step(STACK[place].name);
    let result = layer.call(call, next.at(step.trace())).await;
    step.end(ended(&result));
    result
}

/// Asks a check about a sampled call; one that has nothing against it is not seen.
pub(crate) fn check(above: &Trace, place: usize, check: &dyn Check, call: &Call, next: Next<'_>) -> Result<(), Fault> {
    let step = above.step(STACK[place].name);
    match check.check(call, &next.at(step.trace())) {
        Ok(()) => step.pass(),
        Err(fault) => {
            step.end(Ended::Badly(fault.kind().code()));
            return Err(fault);
        }
    }
    Ok(())
}

/// Lets the backend do the work of a sampled call, as the last step below `above`: the backend stands in it, to say what it is.
pub(crate) async fn dispatch(above: &Trace, call: &Call) -> Result<Reply, Fault> {
    let step = above.step("backend");
    let own = Call { trace: Some(step.trace().clone()), ..call.clone() };
    let result = crate::gate::dispatch(&own).await;
    step.end(ended(&result));
    result
}

#[cfg(test)]
mod tests;
