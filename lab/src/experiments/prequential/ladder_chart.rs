//! Rate against parameters: prequential, and two-part beside it.

use super::{Prequential, means};
use brevity_draw::Scale;
use brevity_draw::{Anchor, Svg};
use brevity_draw::{SERIES, WORTH_SHOWING, short_count, trimmed};
use brevity_length::format::{count, percent};

/// One curve: its class, its name, and rates by parameters.
pub(super) struct Series {
    pub class: &'static str,
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The curves of the picture: each mode of the prequential code, then each
/// convention of the two-part codes.
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

/// Draws it `width` pixels wide.
pub(super) fn draw(report: &Prequential, width: f64) -> Svg {
    let narrow = width < 600.0;
    let series = series(report);
    let legend = if narrow {
        18.0 * series.len() as f64
    } else {
        22.0
    };
    let (left, right) = (46.0, width - 18.0);
    let (top, bottom) = (28.0 + legend, 394.0 + legend);
    let label = "Rate against parameters, prequential and two-part";
    let mut svg = Svg::new(width, bottom + 46.0, label.into());

    let all = || series.iter().flat_map(|s| &s.points);
    let extent = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    };
    let sizes = extent(&mut all().map(|p| p.0));
    let rates = extent(&mut all().map(|p| 100.0 * p.1));
    let margin = (sizes.1 / sizes.0).powf(0.04).max(1.05);
    let x = Scale::log((sizes.0 / margin, sizes.1 * margin), (left, right));
    let high = rates.1.min(WORTH_SHOWING * rates.0);
    let room = 0.06 * (high - rates.0).max(0.02 * high);
    let y = Scale::linear(((rates.0 - room).max(0.0), high + room), (bottom, top));

    for tick in y.ticks(58.0) {
        let at = y.at(tick);
        svg.line("grid", (left, at), (right, at));
        svg.text("tick", (left - 8.0, at + 4.0), Anchor::End, &trimmed(tick));
    }
    svg.line("axis", (left, bottom), (right, bottom));
    for tick in x.ticks(if narrow { 56.0 } else { 80.0 }) {
        let at = x.at(tick);
        svg.line("axis", (at, bottom), (at, bottom + 5.0));
        let text = short_count(tick);
        svg.text("tick", (at, bottom + 19.0), Anchor::Middle, &text);
    }
    let middle = ((left + right) / 2.0, bottom + 38.0);
    svg.text(
        "axis-title",
        middle,
        Anchor::Middle,
        "parameters of the model",
    );
    svg.text(
        "axis-title",
        (2.0, 14.0),
        Anchor::Start,
        "% of the raw bytes",
    );

    let (mut at, mut row) = (left, 36.0);
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
        svg.line(
            &format!("curve {}", s.class),
            (at, row - 4.0),
            (at + 16.0, row - 4.0),
        );
        svg.circle(&format!("dot {}", s.class), (at + 8.0, row - 4.0), 3.4, "");
        svg.text("legend", (at + 22.0, row), Anchor::Start, &s.name);
        match narrow {
            true => row += 18.0,
            false => at += 46.0 + 6.5 * s.name.len() as f64,
        }
    }
    svg
}
