//! Rate against the number of bytes of a chunk, a line a row.

use super::{Curve, Matrix};
use brevity_draw::Scale;
use brevity_draw::{Anchor, Svg, spread};
use brevity_draw::{SERIES, trimmed};
use brevity_length::format::bytes;

/// Rates above this are those of headers, not of coders.
const TOP: f64 = 110.0;

/// Draws the curves of one byte set `width` pixels wide. Coders are shown as the
/// paper counts them: with all headers, short chunks would show little else.
pub(super) fn draw(matrix: &Matrix, set: &str, width: f64) -> Svg {
    let curves: Vec<&Curve> = matrix
        .curves
        .iter()
        .filter(|curve| curve.set == set && (curve.headers_once || curve.parameters.is_some()))
        .collect();
    let narrow = width < 600.0;
    let (left, right) = (46.0, width - if narrow { 118.0 } else { 170.0 });
    let (top, bottom) = (40.0, if narrow { 330.0 } else { 380.0 });
    let label = format!("Rate against bytes of a chunk, {set}");
    let mut svg = Svg::new(width, bottom + 46.0, label);

    let ends = |f: fn(f64, f64) -> f64, from: f64| {
        let lengths = matrix.lengths.iter().map(|&length| length as f64);
        lengths.fold(from, f)
    };
    let x = Scale::log(
        (ends(f64::min, f64::INFINITY), ends(f64::max, 1.0)),
        (left, right),
    );
    let rates = || curves.iter().flat_map(|c| &c.rates).map(|r| 100.0 * r);
    let (low, high) = (rates().fold(TOP, f64::min), rates().fold(0.0, f64::max));
    let y = Scale::linear(((low - 5.0).max(0.0), high.min(TOP)), (bottom, top));
    for tick in y.ticks(58.0) {
        let at = y.at(tick);
        svg.line("grid", (left, at), (right, at));
        svg.text("tick", (left - 8.0, at + 4.0), Anchor::End, &trimmed(tick));
    }
    svg.line("axis", (left, bottom), (right, bottom));
    for &length in &matrix.lengths {
        let at = x.at(length as f64);
        svg.line("axis", (at, bottom), (at, bottom + 5.0));
        svg.text(
            "tick",
            (at, bottom + 19.0),
            Anchor::Middle,
            &length.to_string(),
        );
    }
    let middle = ((left + right) / 2.0, bottom + 38.0);
    let title = format!(
        "first bytes of each chunk of {}",
        bytes(matrix.chunk as f64)
    );
    svg.text("axis-title", middle, Anchor::Middle, &title);
    svg.text(
        "axis-title",
        (2.0, 14.0),
        Anchor::Start,
        "coded bytes, % of the raw ones, without the model",
    );

    let last = |curve: &Curve| 100.0 * curve.rates.last().copied().unwrap_or(0.0);
    let mut order: Vec<(usize, &Curve)> = curves.into_iter().enumerate().collect();
    // The lowest end has the lowest label.
    order.sort_by(|(_, a), (_, b)| last(b).total_cmp(&last(a)));
    let wanted: Vec<f64> = order.iter().map(|(_, c)| y.clamped(last(c))).collect();
    let places = spread(&wanted, 15.0, top + 4.0, bottom - 4.0);
    for (((i, curve), at), place) in order.into_iter().zip(wanted).zip(places) {
        let points = matrix.lengths.iter().zip(&curve.rates);
        let line: Vec<(f64, f64)> = points
            .filter(|(_, rate)| **rate * 100.0 <= TOP)
            .map(|(&length, &rate)| (x.at(length as f64), y.at(100.0 * rate)))
            .collect();
        svg.path(&format!("curve {}", SERIES[i % SERIES.len()]), &line);
        svg.line("leader", (right, at), (right + 9.0, place));
        let at = (right + 12.0, place + 4.0);
        svg.text("legend", at, Anchor::Start, &curve.name);
    }
    svg
}
