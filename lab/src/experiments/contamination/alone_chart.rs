//! Chart of memoriser against honest model, one row per measure.

use super::{Alone, Contamination, Learned, Spread};
use brevity_draw::{Anchor, Frame, Scale, Svg, trimmed};
use brevity_length::format::percent;

/// Pixels per row.
const ROW: f64 = 34.0;

/// The two models with their colour classes.
const MODELS: [(&str, &str); 2] = [("honest", "adjusted-a"), ("memoriser", "adjusted-b")];

/// The value of one model in a row: the mean over seeds.
fn rate(found: &Contamination, part: &str, model: &str, measure: &str) -> Option<f64> {
    let alone = |a: &&Alone| a.part == part && a.model == model;
    let learned = |p: &&Learned| p.part == part && p.model == model;
    let alone = found.alone.iter().filter(alone);
    let spread = match measure {
        "raw" => Spread::of(alone.map(|a| a.raw_rate)),
        "held-out" => Spread::of(alone.filter_map(|a| a.held_out_rate)),
        "prequential" => Spread::of(found.prequential.iter().filter(learned).map(|p| p.rate)),
        name => Spread::of(alone.filter_map(|a| a.adjusted_rate.get(name).copied())),
    };
    Some(spread?.mean)
}

/// Draws the chart `width` pixels wide.
pub(super) fn draw(found: &Contamination, width: f64) -> Svg {
    let narrow = width < 600.0;
    let (left, right) = (if narrow { 112.0 } else { 130.0 }, width - 20.0);
    let measures = ["raw", "held-out", "prequential", "stored", "fp16"];
    let mut rows = Vec::new();
    for part in ["text", "random"] {
        for measure in measures {
            let rates = MODELS.map(|(model, _)| rate(found, part, model, measure));
            if rates.iter().any(Option::is_some) {
                rows.push((part, measure, rates));
            }
        }
    }
    let parts = super::distinct(rows.iter().map(|r| r.0)).len() as f64;
    let bottom = 34.0 + parts * 30.0 + ROW * rows.len() as f64;
    let label = "Rates of memoriser and honest model on their training bytes";
    let mut svg = Svg::new(width, bottom + 46.0, label.into());
    let all = || rows.iter().flat_map(|r| r.2).flatten();
    let low = all().fold(1.0_f64, f64::min).max(1e-4);
    let high = all().fold(1.0_f64, f64::max);
    let x = Scale::log((70.0 * low, 140.0 * high), (left, right));

    let mut at = left;
    for (model, class) in MODELS {
        svg.circle(&format!("dot {class}"), (at + 4.0, 12.0), 4.6, "");
        svg.text("legend", (at + 14.0, 16.0), Anchor::Start, model);
        at += 96.0;
    }
    for tick in x.ticks(if narrow { 52.0 } else { 70.0 }) {
        svg.line("grid", (x.at(tick), 30.0), (x.at(tick), bottom));
        let place = (x.at(tick), bottom + 19.0);
        svg.text("tick", place, Anchor::Middle, &trimmed(tick));
    }
    svg.line("axis", (x.at(100.0), 30.0), (x.at(100.0), bottom));
    let frame = Frame {
        left,
        right,
        top: 30.0,
        bottom,
    };
    frame.base(&mut svg);
    let title = "% of the bytes, logarithmic; 100 is no compression";
    frame.title_below(&mut svg, 38.0, title);

    let (mut y, mut before) = (34.0, "");
    for (part, measure, rates) in rows {
        if part != before {
            y += 30.0;
            svg.text("strong", (2.0, y - 12.0), Anchor::Start, part);
            before = part;
        }
        let name = match measure {
            "stored" | "fp16" => format!("adjusted, {measure}"),
            other => other.to_owned(),
        };
        let middle = y + ROW / 2.0 - 6.0;
        svg.text("tick", (left - 10.0, middle + 4.0), Anchor::End, &name);
        if let [Some(a), Some(b)] = rates {
            let ends = [a, b].map(|rate| (x.at(100.0 * rate.max(low)), middle));
            svg.line("leader", ends[0], ends[1]);
        }
        for ((model, class), rate) in MODELS.iter().zip(rates) {
            let Some(rate) = rate else { continue };
            let about = format!("{part}, {name}, {model}: {}%", percent(rate));
            let place = (x.at(100.0 * rate.max(low)), middle);
            svg.circle(&format!("dot {class}"), place, 5.2, &about);
        }
        y += ROW;
    }
    svg
}
