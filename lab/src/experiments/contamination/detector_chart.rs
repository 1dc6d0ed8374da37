//! Chart of contamination detectors, and of the rate that the leak saves.

use super::{Contamination, Detected, Spread};
use brevity_draw::{Anchor, Frame, SERIES, Scale, Svg, line_key};

/// One curve over the leaks: indices of leaks, and shares from 0 to 1.
struct Series {
    class: &'static str,
    name: String,
    points: Vec<(usize, f64)>,
}

/// A leak: number of copies, and `skip_words` of disguised ones.
type Leak = (u64, u64);

fn leaks(found: &Contamination) -> Vec<Leak> {
    let mut leaks = super::distinct(found.leaked.iter().map(|l| (l.skip_words, l.copies)));
    leaks.sort_unstable();
    leaks
        .into_iter()
        .map(|(skip, copies)| (copies, skip))
        .collect()
}

fn series(found: &Contamination, leaks: &[Leak]) -> Vec<Series> {
    let points = |value: &dyn Fn(Leak) -> Option<f64>| {
        let at = leaks.iter().enumerate();
        at.filter_map(|(i, leak)| Some((i, value(*leak)?)))
            .collect()
    };
    let models = found.models();
    let detected = |model: &str, leak: Leak, value: fn(&Detected) -> f64| {
        let of = found.seeds(model, leak.0, leak.1);
        let of = of.filter_map(|l| l.detected.as_ref()).map(value);
        Some(Spread::of(of)?.mean)
    };
    let Some(first) = models.first() else {
        return Vec::new();
    };
    // These detectors use only the bytes, so the first model stands for all.
    let of_bytes = |value: fn(&Detected) -> f64| points(&|leak| detected(first, leak, value));
    let mut all = vec![
        Series {
            class: SERIES[0],
            name: "13-grams found".into(),
            points: of_bytes(|d| d.overlap.ngram13),
        },
        Series {
            class: SERIES[1],
            name: "bytes in matches of 50 or more".into(),
            points: of_bytes(|d| d.overlap.in_long_matches),
        },
    ];
    for (model, [auc, gain]) in models.iter().zip([[2, 3], [4, 5]]) {
        let clean = Spread::of(found.seeds(model, 0, 0).map(|l| l.raw_rate));
        all.push(Series {
            class: SERIES[auc],
            name: format!("Min-K% AUC, {model}"),
            points: points(&|leak| detected(model, leak, |d| d.min_k.auc)),
        });
        all.push(Series {
            class: if gain == 3 { "raw" } else { SERIES[gain] },
            name: format!("raw rate saved, {model}"),
            points: points(&|leak| {
                let raw = Spread::of(found.seeds(model, leak.0, leak.1).map(|l| l.raw_rate))?;
                Some(1.0 - raw.mean / clean?.mean)
            }),
        });
    }
    all
}

/// Draws the chart `width` pixels wide.
pub(super) fn draw(found: &Contamination, width: f64) -> Svg {
    let narrow = width < 600.0;
    let leaks = leaks(found);
    let series = series(found, &leaks);
    let columns = if narrow { 1 } else { 3 };
    let legend = 18.0 * series.len().div_ceil(columns) as f64;
    let frame = Frame {
        left: 46.0,
        right: width - 18.0,
        top: 34.0 + legend,
        bottom: 350.0 + legend,
    };
    let (left, wide) = (frame.left, frame.right - frame.left);
    let label = "Results of the detectors, and how much the leak lowers the raw rate";
    let mut svg = Svg::new(width, frame.bottom + 60.0, label.into());
    let low = series
        .iter()
        .flat_map(|s| &s.points)
        .fold(0.0_f64, |low, p| low.min(p.1));
    let y = Scale::linear((100.0 * low, 100.0), (frame.bottom, frame.top));
    let x = |i: usize| left + wide * (i as f64 + 0.5) / leaks.len().max(1) as f64;

    frame.grid(&mut svg, &y, 58.0, |tick| format!("{tick:.0}"));
    frame.base(&mut svg);
    for (i, (copies, skip)) in leaks.iter().enumerate() {
        frame.mark(&mut svg, x(i), &copies.to_string());
        if *skip > 0 {
            let place = (x(i), frame.bottom + 33.0);
            svg.text("tick", place, Anchor::Middle, "disguised");
        }
    }
    let title = "copies of the test in the training bytes";
    frame.title_below(&mut svg, 52.0, title);
    svg.text("axis-title", (2.0, 14.0), Anchor::Start, "%");

    let exact = leaks.iter().filter(|leak| leak.1 == 0).count();
    for (n, s) in series.iter().enumerate() {
        let class = format!("curve {}", s.class);
        // Exact and disguised copies are separate ladders.
        let at = |p: &(usize, f64)| (x(p.0), y.at(100.0 * p.1));
        let (plain, hidden): (Vec<_>, Vec<_>) = s.points.iter().partition(|p| p.0 < exact);
        for part in [plain, hidden] {
            let line: Vec<(f64, f64)> = part.iter().map(at).collect();
            svg.path(&class, &line);
        }
        for p in &s.points {
            let about = format!("{}: {:.1}%", s.name, 100.0 * p.1);
            svg.circle(&format!("dot {}", s.class), at(p), 3.4, &about);
        }
        let (column, row) = ((n % columns) as f64, (n / columns) as f64);
        let key = (left + column * wide / columns as f64, 30.0 + 18.0 * row);
        line_key(&mut svg, s.class, key, &s.name);
    }
    svg
}
