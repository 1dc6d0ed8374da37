//! Chart of in-context curves: rate against prefix length, one line per row.

use super::{Curve, Matrix};
use brevity_draw::{Frame, SERIES, Scale, Svg, trimmed};
use brevity_length::format::bytes;

/// Higher rates, those of headers, are cut off.
const TOP: f64 = 110.0;

/// Draws the curves of one byte set `width` pixels wide. Headers of coders are counted
/// as in the paper; otherwise they would dominate short prefixes.
pub(super) fn draw(matrix: &Matrix, set: &str, width: f64) -> Svg {
    let curves: Vec<&Curve> = matrix
        .curves
        .iter()
        .filter(|curve| curve.set == set && (curve.headers_once || curve.parameters.is_some()))
        .collect();
    let narrow = width < 600.0;
    let frame = Frame {
        left: 46.0,
        right: width - if narrow { 118.0 } else { 170.0 },
        top: 40.0,
        bottom: if narrow { 330.0 } else { 380.0 },
    };
    let label = format!("Rate against bytes of a chunk, {set}");
    let mut svg = Svg::new(width, frame.bottom + 46.0, label);

    let ends = |f: fn(f64, f64) -> f64, from: f64| {
        let lengths = matrix.lengths.iter().map(|&length| length as f64);
        lengths.fold(from, f)
    };
    let x = Scale::log(
        (ends(f64::min, f64::INFINITY), ends(f64::max, 1.0)),
        (frame.left, frame.right),
    );
    let rates = || curves.iter().flat_map(|c| &c.rates).map(|r| 100.0 * r);
    let (low, high) = (rates().fold(TOP, f64::min), rates().fold(0.0, f64::max));
    let y = Scale::linear(
        ((low - 5.0).max(0.0), high.min(TOP)),
        (frame.bottom, frame.top),
    );
    frame.grid(&mut svg, &y, 58.0, trimmed);
    frame.base(&mut svg);
    // From the longest on; a length without room for its number has none.
    let mut free = f64::INFINITY;
    for &length in matrix.lengths.iter().rev() {
        let (at, number) = (x.at(length as f64), length.to_string());
        let half = 4.0 * number.len() as f64;
        if at + half < free {
            frame.mark(&mut svg, at, &number);
            free = at - half;
        }
    }
    let chunk = bytes(matrix.chunk as f64);
    frame.titles(
        &mut svg,
        &format!("first bytes of each chunk of {chunk}"),
        "coded bytes, % of the raw bytes, without the model",
    );

    let last = |curve: &Curve| 100.0 * curve.rates.last().copied().unwrap_or(0.0);
    let mut order: Vec<(usize, &Curve)> = curves.into_iter().enumerate().collect();
    // Labels are in the order of the ends of the lines.
    order.sort_by(|(_, a), (_, b)| last(b).total_cmp(&last(a)));
    let wanted: Vec<f64> = order.iter().map(|(_, c)| y.clamped(last(c))).collect();
    let places = frame.places(&wanted, 15.0);
    for (((i, curve), at), place) in order.into_iter().zip(wanted).zip(places) {
        let points = matrix.lengths.iter().zip(&curve.rates);
        let line: Vec<(f64, f64)> = points
            .filter(|(_, rate)| **rate * 100.0 <= TOP)
            .map(|(&length, &rate)| (x.at(length as f64), y.at(100.0 * rate)))
            .collect();
        svg.path(&format!("curve {}", SERIES[i % SERIES.len()]), &line);
        frame.label(&mut svg, "legend", at, place, &curve.name);
    }
    svg
}
