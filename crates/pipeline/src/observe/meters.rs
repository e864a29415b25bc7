//! The counters of this layer: one set per tool, one per other sort of target.

use callgate_model::{Call, Catalog, Fault, Reply};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use super::report::Report;
use crate::{
    metrics::{Subject, ToolLabels, durations},
    outcome,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolStatus {
    tool_name: Subject,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolError {
    tool_name: Subject,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SortStatus {
    target: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SortError {
    target: &'static str,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SortLabels {
    target: &'static str,
}

/// What a meter counts.
#[derive(Clone, Debug)]
enum Of {
    Tool(Subject),
    Sort(&'static str),
}

/// Handles for one target.
#[derive(Debug)]
pub(super) struct Meter {
    of: Of,
    success: Counter,
    error: Counter,
    asked: Counter,
    cancelled: Counter,
    duration: Histogram,
    pub(super) report: Report,
}

/// The handles of all targets.
#[derive(Debug)]
pub(super) struct Meters {
    tools: Vec<Meter>,
    unknown: Meter,
    others: [(&'static str, Meter); 3],
    errors: Family<ToolError, Counter>,
    other_errors: Family<SortError, Counter>,
}

impl Meters {
    pub(super) fn new(catalog: &Catalog, logged: u32, registry: &mut Registry) -> Self {
        let calls = Family::<ToolStatus, Counter>::default();
        let times = Family::<ToolLabels, Histogram>::new_with_constructor(durations as fn() -> Histogram);
        let other_calls = Family::<SortStatus, Counter>::default();
        let other_times = Family::<SortLabels, Histogram>::new_with_constructor(durations as fn() -> Histogram);
        let errors = Family::<ToolError, Counter>::default();
        let other_errors = Family::<SortError, Counter>::default();
        registry.register("mcp_tool_calls", "Calls of tools, by how they ended", calls.clone());
        registry.register("mcp_tool_call_duration_seconds", "How long calls of tools took, refused ones included", times.clone());
        registry.register("mcp_tool_errors", "Calls of tools that failed, by kind of failure", errors.clone());
        registry.register("mcp_content_calls", "Reads of resources, prompts and completions, by how they ended", other_calls.clone());
        registry.register("mcp_content_errors", "Reads of resources, prompts and completions that failed", other_errors.clone());
        registry.register(
            "mcp_content_call_duration_seconds",
            "How long reads of resources, prompts and completions took",
            other_times.clone(),
        );
        let of_tool = |subject: Subject| {
            let count = |status| calls.get_or_create_owned(&ToolStatus { tool_name: subject.clone(), status });
            let duration = times.get_or_create_owned(&ToolLabels { tool_name: subject.clone() });
            Meter::new(count, duration, Of::Tool(subject.clone()), Report::new(subject.name().to_owned(), logged))
        };
        let of_sort = |target| {
            let count = |status| other_calls.get_or_create_owned(&SortStatus { target, status });
            let duration = other_times.get_or_create_owned(&SortLabels { target });
            (target, Meter::new(count, duration, Of::Sort(target), Report::new(target.to_owned(), logged)))
        };
        Self {
            tools: catalog.tools().iter().map(|item| of_tool(Subject::Tool(item.offer.name.clone()))).collect(),
            unknown: of_tool(Subject::Unknown),
            others: ["resource", "prompt", "completion"].map(of_sort),
            errors,
            other_errors,
        }
    }

    /// The handles for `call`.
    pub(super) fn of(&self, call: &Call, tool: Option<usize>) -> &Meter {
        let other = || self.others.iter().find(|(sort, _)| *sort == call.target.sort()).map(|(_, meter)| meter);
        tool.map(|tool| &self.tools[tool]).or_else(other).unwrap_or(&self.unknown)
    }

    /// Counts how a call ended.
    pub(super) fn count(&self, meter: &Meter, result: &Result<Reply, Fault>, seconds: f64) {
        meter.duration.observe(seconds);
        match outcome::word(result) {
            "ok" => meter.success.inc(),
            "asked" => meter.asked.inc(),
            word => {
                self.count_error(meter, word);
                meter.error.inc()
            }
        };
    }

    /// Only failures pay for a search.
    fn count_error(&self, meter: &Meter, word: &'static str) {
        let error_type = if word == "error" { "tool_error" } else { word };
        match meter.of.clone() {
            Of::Tool(tool_name) => self.errors.get_or_create(&ToolError { tool_name, error_type }).inc(),
            Of::Sort(target) => self.other_errors.get_or_create(&SortError { target, error_type }).inc(),
        };
    }
}

impl Meter {
    fn new(count: impl Fn(&'static str) -> Counter, duration: Histogram, of: Of, report: Report) -> Self {
        Self {
            of,
            success: count("success"),
            error: count("error"),
            asked: count("input_required"),
            cancelled: count("cancelled"),
            duration,
            report,
        }
    }

    /// Counts a call that nobody waited for to its end.
    pub(super) fn cancelled(&self, seconds: f64) {
        self.duration.observe(seconds);
        self.cancelled.inc();
    }
}
