//! Cumulative rate against bytes coded, a line a model.

use super::{Prequential, Run};
use brevity_draw::Scale;
use brevity_draw::{Anchor, Svg, spread};
use brevity_draw::{SERIES, trimmed};
use brevity_length::CurvePoint;
use brevity_length::format::{bytes, count};

/// Rates above this are those of a model that knows nothing yet.
const TOP: f64 = 70.0;

/// Draws it `width` pixels wide: for each size, mode and byte set the run of the
/// first seed.
pub(super) fn draw(report: &Prequential, width: f64) -> Svg {
    let narrow = width < 600.0;
    let mut runs: Vec<&Run> = Vec::new();
    for run in &report.runs {
        let same = |other: &&&Run| {
            (&other.mode, &other.source, &other.settings) == (&run.mode, &run.source, &run.settings)
                && other.parameters == run.parameters
                && other.data_bytes == run.data_bytes
        };
        if !run.curve.is_empty() && !runs.iter().any(|other| same(&other)) {
            runs.push(run);
        }
    }
    let (left, right) = (46.0, width - if narrow { 62.0 } else { 76.0 });
    let (top, bottom) = (40.0, if narrow { 360.0 } else { 410.0 });
    let label = "Cumulative prequential rate against bytes coded";
    let mut svg = Svg::new(width, bottom + 46.0, label.into());

    let rate = |p: &CurvePoint| 100.0 * p.bits / 8.0 / p.bytes as f64;
    let all = || runs.iter().flat_map(|run| &run.curve);
    let end = all().fold(0.0_f64, |end, p| end.max(p.bytes as f64));
    let shown = |p: &&CurvePoint| rate(p) <= TOP;
    let start = all()
        .filter(shown)
        .fold(end, |start, p| start.min(p.bytes as f64));
    let low = all().fold(TOP, |low, p| low.min(rate(p)));
    let x = Scale::log((start.min(end / 2.0), end), (left, right));
    let y = Scale::linear(((low - 3.0).max(0.0), TOP), (bottom, top));
    for tick in y.ticks(58.0) {
        let at = y.at(tick);
        svg.line("grid", (left, at), (right, at));
        svg.text("tick", (left - 8.0, at + 4.0), Anchor::End, &trimmed(tick));
    }
    svg.line("axis", (left, bottom), (right, bottom));
    for tick in x.ticks(if narrow { 70.0 } else { 90.0 }) {
        let at = x.at(tick);
        svg.line("axis", (at, bottom), (at, bottom + 5.0));
        svg.text("tick", (at, bottom + 19.0), Anchor::Middle, &bytes(tick));
    }
    let middle = ((left + right) / 2.0, bottom + 38.0);
    svg.text("axis-title", middle, Anchor::Middle, "bytes coded");
    let title = "cumulative bytes spent, % of the bytes coded";
    svg.text("axis-title", (2.0, 14.0), Anchor::Start, title);

    let ends: Vec<f64> = runs
        .iter()
        .map(|run| run.curve.last().map_or(TOP, rate))
        .collect();
    // The lowest end has the lowest label.
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|&i, &j| ends[j].total_cmp(&ends[i]));
    let wanted: Vec<f64> = order.iter().map(|&i| y.clamped(ends[i])).collect();
    let places = spread(&wanted, 15.0, top + 4.0, bottom - 4.0);
    for ((&i, at), place) in order.iter().zip(wanted).zip(places) {
        let run = runs[i];
        let class = match &run.mode[..] {
            "blocks" => SERIES[3],
            _ => SERIES[i % 3],
        };
        let line: Vec<(f64, f64)> = run
            .curve
            .iter()
            .filter(|p| shown(p) && x.contains(p.bytes as f64))
            .map(|p| (x.at(p.bytes as f64), y.at(rate(p))))
            .collect();
        svg.path(&format!("curve {class}"), &line);
        svg.line("leader", (right, at), (right + 9.0, place));
        let mark = if run.mode == "blocks" { " b" } else { "" };
        let text = format!("{}{mark}", count(run.parameters));
        svg.text("legend", (right + 12.0, place + 4.0), Anchor::Start, &text);
    }
    svg
}
