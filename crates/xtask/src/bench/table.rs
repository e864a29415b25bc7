//! The table at the end.

use std::fmt;

use super::Turn;

/// Lines of a label and a value.
#[derive(Default)]
pub(super) struct Table(Vec<(String, String)>);

impl Table {
    /// Adds a line.
    pub(super) fn row(&mut self, label: impl Into<String>, value: impl Into<String>) {
        self.0.push((label.into(), value.into()));
    }

    /// The lines that compare the turns of the two servers.
    pub(super) fn compare(&mut self, bare: &[Turn], gate: &[Turn]) {
        let costs = |turns: &[Turn]| turns.iter().map(|turn| turn.cost).collect::<Vec<_>>();
        let (plain, guarded) = (costs(bare), costs(gate));
        self.row("bare handler", line(bare, &plain));
        self.row("callgate", line(gate, &guarded));
        let ratios: Vec<_> = guarded.iter().zip(&plain).map(|(guarded, plain)| guarded / plain).collect();
        self.row("ratio", format!("{:.2} (median of {} turns: {})", median(&ratios), ratios.len(), spread(&ratios, 2)));
    }
}

fn line(turns: &[Turn], costs: &[f64]) -> String {
    let of = |name: &str| median(&turns.iter().filter_map(|turn| turn.load[name].as_f64()).collect::<Vec<_>>());
    let rate = turns.iter().filter_map(|turn| Some(turn.load["calls"].as_f64()? / turn.load["seconds"].as_f64()?)).collect::<Vec<_>>();
    format!(
        "{:.1} µs of processor time per call ({}), {:.0} calls/s, p50 {:.0} µs, p99 {:.0} µs",
        median(costs),
        spread(costs, 1),
        median(&rate),
        of("p50_us"),
        of("p99_us")
    )
}

fn spread(values: &[f64], digits: usize) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{least:.digits$} to {most:.digits$}")
}

/// The value in the middle; of an even number the upper of the two.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
        self.0.iter().try_for_each(|(label, value)| writeln!(f, "{label:width$}  {value}"))
    }
}
