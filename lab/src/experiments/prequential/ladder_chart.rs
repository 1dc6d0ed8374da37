//! Chart of rate against parameters, prequential and two-part.

use super::{Prequential, means};
use brevity_draw::{
    Frame, SERIES, Scale, Svg, WORTH_SHOWING, dotted_key, extent, name_width, short_count, trimmed,
};
use brevity_length::format::{count, percent};

/// One curve: its class, its name, and rates by parameters.
pub(super) struct Series {
    pub class: &'static str,
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The curves: one per mode of the prequential code, then one per convention of the
/// two-part codes.
pub(super) fn series(report: &Prequential) -> Vec<Series> {
    let mut all = Vec::new();
    for mode in report.modes() {
        let runs = report.runs.iter().filter(|run| run.mode == mode);
        all.push(Series {
            class: if all.is_empty() { "raw" } else { SERIES[3] },
            name: format!("prequential, {mode}"),
            points: runs.map(|run| (run.parameters, run.rate)).collect(),
        });
    }
    for (i, convention) in report.conventions().into_iter().enumerate() {
        let codes = report.two_part.iter();
        let codes = codes.filter(|code| code.convention == convention);
        all.push(Series {
            class: SERIES[i.min(2)],
            name: format!("two-part, {convention}"),
            points: codes.map(|code| (code.parameters, code.rate)).collect(),
        });
    }
    all
}

/// Draws the chart `width` pixels wide.
pub(super) fn draw(report: &Prequential, width: f64) -> Svg {
    let narrow = width < 600.0;
    let series = series(report);
    let legend = if narrow {
        18.0 * series.len() as f64
    } else {
        22.0
    };
    let frame = Frame {
        left: 46.0,
        right: width - 18.0,
        top: 28.0 + legend,
        bottom: 394.0 + legend,
    };
    let label = "Rate against parameters, prequential and two-part";
    let mut svg = Svg::new(width, frame.bottom + 46.0, label.into());

    let all = || series.iter().flat_map(|s| &s.points);
    let sizes = extent(all().map(|p| p.0));
    let rates = extent(all().map(|p| 100.0 * p.1));
    let x = Scale::of_sizes(sizes, (frame.left, frame.right));
    let high = rates.1.min(WORTH_SHOWING * rates.0);
    let room = 0.06 * (high - rates.0).max(0.02 * high);
    let y = Scale::linear(
        ((rates.0 - room).max(0.0), high + room),
        (frame.bottom, frame.top),
    );

    frame.grid(&mut svg, &y, 58.0, trimmed);
    frame.base(&mut svg);
    frame.marks(&mut svg, &x, if narrow { 56.0 } else { 80.0 }, short_count);
    frame.titles(&mut svg, "parameters of the model", "% of the raw bytes");

    let mut key = (frame.left, 32.0);
    for s in &series {
        let shown = |p: &&(f64, f64)| y.contains(100.0 * p.1);
        let line: Vec<(f64, f64)> = means(s.points.iter().copied())
            .iter()
            .filter(shown)
            .map(|p| (x.at(p.0), y.at(100.0 * p.1)))
            .collect();
        svg.path(&format!("curve {}", s.class), &line);
        for p in s.points.iter().filter(shown) {
            let about = format!("{}: {} parameters, {}%", s.name, count(p.0), percent(p.1));
            let place = (x.at(p.0), y.at(100.0 * p.1));
            svg.circle(&format!("dot {}", s.class), place, 3.4, &about);
        }
        dotted_key(&mut svg, s.class, key, &s.name);
        match narrow {
            true => key.1 += 18.0,
            false => key.0 += 46.0 + name_width(&s.name),
        }
    }
    svg
}
