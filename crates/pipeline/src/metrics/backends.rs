//! The figures of the backends, labelled with the backend's name.
//!
//! A backend gives pairs of a stable name and a value. Names tell the type: `…_total` is a counter, a name with `…_bucket` beside
//! it is a histogram, everything else a gauge. A name may bring labels of its own, as in `…_bucket{le="1"}`.

use std::{fmt, fmt::Write as _, sync::Arc};

use callgate_model::{Backend, BackendName};

/// The backends of a gate.
pub(crate) struct Backends(pub(crate) Vec<(BackendName, Arc<dyn Backend>)>);

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// All figures of one family, in the order in which the backends gave them.
struct Family {
    name: &'static str,
    samples: Vec<(BackendName, &'static str, f64)>,
}

impl Backends {
    /// Appends the figures of all backends, each family together as the format demands.
    pub(crate) fn write(&self, text: &mut String) {
        for family in self.families() {
            // Writing to a String cannot fail.
            let _ = family.write(text);
        }
    }

    fn families(&self) -> Vec<Family> {
        let mut families: Vec<Family> = Vec::new();
        for (backend, figures) in self.0.iter().map(|(name, backend)| (name, backend.gauges())) {
            for (sample, value) in figures {
                let name = family_of(sample);
                let sample = (backend.clone(), sample, value);
                match families.iter_mut().find(|family| family.name == name) {
                    Some(family) => family.samples.push(sample),
                    None => families.push(Family { name, samples: vec![sample] }),
                }
            }
        }
        families
    }
}

impl Family {
    fn write(&self, text: &mut String) -> fmt::Result {
        let Self { name, samples } = self;
        let kind = if samples.iter().any(|(_, sample, _)| bare(sample).ends_with("_bucket")) {
            "histogram"
        } else if samples.iter().all(|(_, sample, _)| bare(sample).ends_with("_total")) {
            "counter"
        } else {
            "gauge"
        };
        let total = if kind == "counter" { "_total" } else { "" };
        writeln!(text, "# HELP {name}{total} As the backend tells it.\n# TYPE {name}{total} {kind}")?;
        for (backend, sample, value) in samples {
            // A backend's name needs no escapes.
            match sample.split_once('{') {
                Some((sample, labels)) => writeln!(text, "{sample}{{backend=\"{backend}\",{labels} {value}")?,
                None => writeln!(text, "{sample}{{backend=\"{backend}\"}} {value}")?,
            }
        }
        Ok(())
    }
}

/// A sample's name without its labels.
fn bare(sample: &'static str) -> &'static str {
    sample.split_once('{').map_or(sample, |(name, _)| name)
}

/// The family a sample belongs to.
fn family_of(sample: &'static str) -> &'static str {
    let name = bare(sample);
    ["_bucket", "_count", "_sum", "_total"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}
