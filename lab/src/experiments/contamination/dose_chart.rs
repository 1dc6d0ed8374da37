//! Chart of the rates of a test against the number of leaked copies.

use super::{Contamination, Leaked, Spread};
use brevity_draw::{Frame, SERIES, Scale, Svg, trimmed};

/// One curve over the doses: mean, lowest and highest over the seeds, in percent, for
/// each dose that has runs.
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

/// Draws the chart of one model, `width` pixels wide.
pub(super) fn draw(found: &Contamination, model: &str, width: f64) -> Svg {
    let narrow = width < 600.0;
    let doses = found.doses();
    let series = series(found, model, &doses);
    let label = format!("Rates of the test against copies leaked, {model}");
    let frame = Frame {
        left: 46.0,
        right: width - if narrow { 118.0 } else { 126.0 },
        top: 28.0,
        bottom: 390.0,
    };
    let mut svg = Svg::new(width, frame.bottom + 46.0, label);
    if series.is_empty() {
        return svg;
    }
    let all = || series.iter().flat_map(|s| &s.points).map(|p| p.1);
    let low = all().fold(f64::INFINITY, |low, s| low.min(s.low));
    let high = all().fold(0.0_f64, |high, s| high.max(s.high));
    let y = Scale::log((85.0 * low, 118.0 * high), (frame.bottom, frame.top));
    let wide = frame.right - frame.left;
    let x = |i: usize| frame.left + wide * (i as f64 + 0.5) / doses.len() as f64;

    frame.grid(&mut svg, &y, 44.0, trimmed);
    frame.base(&mut svg);
    for (i, dose) in doses.iter().enumerate() {
        frame.mark(&mut svg, x(i), &dose.to_string());
    }
    frame.titles(
        &mut svg,
        "copies of the test in the training bytes",
        "% of the test's bytes, logarithmic",
    );

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
    names(&mut svg, &series, &frame, &y);
    svg
}

/// Writes each curve's name at its right end.
fn names(svg: &mut Svg, series: &[Series], frame: &Frame, y: &Scale) {
    let last = |s: &Series| s.points.last().map(|p| y.at(100.0 * p.1.mean));
    let end = |s: &Series| last(s).unwrap_or(frame.bottom);
    let mut order: Vec<&Series> = series.iter().collect();
    order.sort_by(|a, b| end(a).total_cmp(&end(b)));
    let wanted: Vec<f64> = order.iter().map(|s| end(s)).collect();
    let places = frame.places(&wanted, 16.0);
    for ((s, at), place) in order.iter().zip(wanted).zip(places) {
        frame.label(svg, "legend", at, place, s.name);
    }
}
