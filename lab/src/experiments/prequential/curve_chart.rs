//! Chart of the cumulative rate against bytes coded, one line per model.

use super::{Prequential, Run};
use brevity_draw::{Frame, SERIES, Scale, Svg, trimmed};
use brevity_length::CurvePoint;
use brevity_length::format::{bytes, count};

/// Higher rates, those of a model that has learned nothing yet, are cut off.
const TOP: f64 = 70.0;

/// Draws the chart `width` pixels wide: for each size, mode and byte set, the run of
/// the first seed.
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
    let frame = Frame {
        left: 46.0,
        right: width - if narrow { 62.0 } else { 76.0 },
        top: 40.0,
        bottom: if narrow { 360.0 } else { 410.0 },
    };
    let label = "Cumulative prequential rate against bytes coded";
    let mut svg = Svg::new(width, frame.bottom + 46.0, label.into());

    let rate = |p: &CurvePoint| 100.0 * p.bits / 8.0 / p.bytes as f64;
    let all = || runs.iter().flat_map(|run| &run.curve);
    let end = all().fold(0.0_f64, |end, p| end.max(p.bytes as f64));
    let shown = |p: &&CurvePoint| rate(p) <= TOP;
    let start = all()
        .filter(shown)
        .fold(end, |start, p| start.min(p.bytes as f64));
    let low = all().fold(TOP, |low, p| low.min(rate(p)));
    let x = Scale::log((start.min(end / 2.0), end), (frame.left, frame.right));
    let y = Scale::linear(((low - 3.0).max(0.0), TOP), (frame.bottom, frame.top));
    frame.grid(&mut svg, &y, 58.0, trimmed);
    frame.base(&mut svg);
    frame.marks(&mut svg, &x, if narrow { 70.0 } else { 90.0 }, bytes);
    let title = "cumulative bytes spent, % of the bytes coded";
    frame.titles(&mut svg, "bytes coded", title);

    let ends: Vec<f64> = runs
        .iter()
        .map(|run| run.curve.last().map_or(TOP, rate))
        .collect();
    // Labels are in the order of the ends of the lines.
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|&i, &j| ends[j].total_cmp(&ends[i]));
    let wanted: Vec<f64> = order.iter().map(|&i| y.clamped(ends[i])).collect();
    let places = frame.places(&wanted, 15.0);
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
        let mark = if run.mode == "blocks" { " b" } else { "" };
        let text = format!("{}{mark}", count(run.parameters));
        frame.label(&mut svg, "legend", at, place, &text);
    }
    svg
}
