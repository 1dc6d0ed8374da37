//! Chart of the parts of a description, coded data and model, one bar per size.

use super::{Panel, rate_chart::class_of};
use brevity_draw::{Anchor, Scale, Svg, WORTH_SHOWING};
use brevity_length::format::{bytes, count, percent};
use brevity_stats::critical::{Point, points::mean_by_size};

const ROW: f64 = 24.0;

/// One drawing per convention, `width` pixels wide, with the convention's name.
pub(super) fn draw(panel: &Panel<'_>, width: f64) -> Vec<(String, Svg)> {
    let conventions = panel.conventions();
    conventions
        .iter()
        .map(|name| {
            let points: Vec<Point> = panel
                .points
                .iter()
                .filter(|p| p.convention == *name)
                .map(|&p| p.clone())
                .collect();
            let class = class_of(&conventions, name);
            let means = mean_by_size(&points);
            ((*name).to_owned(), bars(panel, &means, name, class, width))
        })
        .collect()
}

fn bars(panel: &Panel<'_>, means: &[Point], convention: &str, class: &str, width: f64) -> Svg {
    let top = 30.0;
    let height = top + ROW * means.len() as f64 + 8.0;
    let label = format!(
        "Coded data and model ({convention}) as shares of the raw bytes, {}",
        panel.name()
    );
    let mut svg = Svg::new(width, height, label);
    let rates = || means.iter().map(Point::adjusted_rate);
    let (best, largest) = (
        rates().fold(f64::INFINITY, f64::min),
        rates().fold(0.0, f64::max),
    );
    // Longer bars are cut: `clamped` below, with a gap before the number.
    let longest = largest.min(WORTH_SHOWING * best);
    let (left, right) = (58.0, width - 66.0);
    let x = Scale::linear((0.0, longest), (left, right));

    svg.rect("bar raw", (left, 2.0), (11.0, 11.0), "");
    svg.text("legend", (left + 17.0, 12.0), Anchor::Start, "coded data");
    svg.rect(
        &format!("bar {class}"),
        (left + 104.0, 2.0),
        (11.0, 11.0),
        "",
    );
    svg.text(
        "legend",
        (left + 121.0, 12.0),
        Anchor::Start,
        &format!("model, {convention}"),
    );
    for (i, p) in means.iter().enumerate() {
        let y = top + ROW * i as f64;
        let raw = p.bits_per_byte / 8.0;
        let emphasis = if p.adjusted_rate() == best {
            "tick strong"
        } else {
            "tick"
        };
        svg.text(
            emphasis,
            (left - 8.0, y + 14.0),
            Anchor::End,
            &count(p.parameters),
        );
        svg.rect(
            "bar raw",
            (left, y + 2.0),
            (x.clamped(raw) - left, ROW - 7.0),
            &format!("coded data: {}", bytes(raw * p.data_bytes)),
        );
        let (start, end) = (x.clamped(raw) + 1.0, x.clamped(p.adjusted_rate()));
        svg.rect(
            &format!("bar {class}"),
            (start, y + 2.0),
            (end - start, ROW - 7.0),
            &format!("model: {}", bytes(p.model_bytes)),
        );
        if p.adjusted_rate() > longest {
            svg.rect("ground", (end - 10.0, y), (4.0, ROW), "");
        }
        svg.text(
            emphasis,
            (end + 7.0, y + 14.0),
            Anchor::Start,
            &percent(p.adjusted_rate()),
        );
    }
    svg
}
