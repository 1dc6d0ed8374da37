//! Rates of a test against how many copies of it leaked.

use super::{Contamination, Leaked, Spread};
use brevity_draw::Scale;
use brevity_draw::{Anchor, Svg, spread};
use brevity_draw::{SERIES, trimmed};

/// One curve over the doses: where there are runs, the mean and the extremes of
/// its seeds, in percent.
struct Series {
    class: &'static str,
    name: &'static str,
    points: Vec<(usize, Spread)>,
}

fn series(found: &Contamination, model: &str, doses: &[u64]) -> Vec<Series> {
    let points = |value: &dyn Fn(u64) -> Option<Spread>| {
        let at = doses.iter().enumerate();
        at.filter_map(|(i, dose)| Some((i, value(*dose)?)))
            .collect()
    };
    let of = |value: &dyn Fn(&Leaked) -> Option<f64>| -> Vec<(usize, Spread)> {
        points(&|dose| Spread::of(found.seeds(model, dose, 0).filter_map(value)))
    };
    let adjusted = |name: &str| of(&|l| l.adjusted_rate.get(name).copied());
    let all = [
        ("adjusted-a", "adjusted, fp16", adjusted("fp16")),
        (SERIES[1], "adjusted, stored", adjusted("stored")),
        (
            SERIES[2],
            "prequential",
            points(&|dose| Spread::of(found.learned(model, dose).map(|p| p.rate))),
        ),
        (SERIES[5], "raw, clean bytes", of(&|l| Some(l.clean_rate))),
        ("raw", "raw, the test", of(&|l| Some(l.raw_rate))),
    ];
    all.into_iter()
        .map(|(class, name, points)| Series {
            class,
            name,
            points,
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}

/// Draws it for one model, `width` pixels wide.
pub(super) fn draw(found: &Contamination, model: &str, width: f64) -> Svg {
    let narrow = width < 600.0;
    let doses = found.doses();
    let series = series(found, model, &doses);
    let label = format!("Rates of the test against copies leaked, {model}");
    let (left, right) = (46.0, width - if narrow { 118.0 } else { 126.0 });
    let (top, bottom) = (28.0, 390.0);
    let mut svg = Svg::new(width, bottom + 46.0, label);
    if series.is_empty() {
        return svg;
    }
    let all = || series.iter().flat_map(|s| &s.points).map(|p| p.1);
    let low = all().fold(f64::INFINITY, |low, s| low.min(s.low));
    let high = all().fold(0.0_f64, |high, s| high.max(s.high));
    let y = Scale::log((85.0 * low, 118.0 * high), (bottom, top));
    let x = |i: usize| left + (right - left) * (i as f64 + 0.5) / doses.len() as f64;

    for tick in y.ticks(44.0) {
        let at = y.at(tick);
        svg.line("grid", (left, at), (right, at));
        svg.text("tick", (left - 8.0, at + 4.0), Anchor::End, &trimmed(tick));
    }
    svg.line("axis", (left, bottom), (right, bottom));
    for (i, dose) in doses.iter().enumerate() {
        svg.line("axis", (x(i), bottom), (x(i), bottom + 5.0));
        let text = dose.to_string();
        svg.text("tick", (x(i), bottom + 19.0), Anchor::Middle, &text);
    }
    let middle = ((left + right) / 2.0, bottom + 38.0);
    let title = "copies of the test among the bytes trained on";
    svg.text("axis-title", middle, Anchor::Middle, title);
    let title = "% of the test's bytes, by powers";
    svg.text("axis-title", (2.0, 14.0), Anchor::Start, title);

    for s in &series {
        let line = |value: fn(&Spread) -> f64| -> Vec<(f64, f64)> {
            let points = s.points.iter();
            points
                .map(|(i, p)| (x(*i), y.at(100.0 * value(p))))
                .collect()
        };
        svg.area(
            &format!("band {}", s.class),
            &line(|p| p.high),
            &line(|p| p.low),
        );
        svg.path(&format!("curve {}", s.class), &line(|p| p.mean));
        for ((i, p), at) in s.points.iter().zip(line(|p| p.mean)) {
            let about = format!("{}, {} copies: {:.2}%", s.name, doses[*i], 100.0 * p.mean);
            svg.circle(&format!("dot {}", s.class), at, 3.4, &about);
        }
    }
    names(&mut svg, &series, right, &y, (top, bottom));
    svg
}

/// Each curve's name at its right end.
fn names(svg: &mut Svg, series: &[Series], right: f64, y: &Scale, (top, bottom): (f64, f64)) {
    let end = |s: &Series| s.points.last().map_or(bottom, |p| y.at(100.0 * p.1.mean));
    let mut order: Vec<&Series> = series.iter().collect();
    order.sort_by(|a, b| end(a).total_cmp(&end(b)));
    let wanted: Vec<f64> = order.iter().map(|s| end(s)).collect();
    let places = spread(&wanted, 16.0, top + 4.0, bottom - 4.0);
    for ((s, at), place) in order.iter().zip(wanted).zip(places) {
        svg.line("leader", (right, at), (right + 9.0, place));
        svg.text("legend", (right + 12.0, place + 4.0), Anchor::Start, s.name);
    }
}
