//! Chart of rate against model size, raw and adjusted, measured and fitted.

use super::Panel;
use brevity_baselines::CoderResult;
use brevity_draw::{
    Anchor, Frame, SERIES, Scale, Svg, WORTH_SHOWING, dotted_key, extent, name_width, short_count,
    spread, trimmed,
};
use brevity_length::format::{bytes, count, percent};
use brevity_stats::critical::{CriticalSize, Law, Point};

/// Draws a panel `width` pixels wide.
pub(super) fn draw(panel: &Panel<'_>, width: f64) -> Svg {
    let narrow = width < 600.0;
    let height = if narrow { 420.0 } else { 470.0 };
    let mut svg = Svg::new(
        width,
        height,
        format!("Rate against parameters for {}", panel.name()),
    );
    let right = if panel.baselines.is_some() {
        104.0
    } else {
        18.0
    };
    let frame = Frame {
        left: 46.0,
        right: width - right,
        top: if narrow { 68.0 } else { 46.0 },
        bottom: height - 46.0,
    };
    let (x, y) = scales(panel, &frame);
    frame.grid(&mut svg, &y, if narrow { 52.0 } else { 58.0 }, trimmed);
    frame.base(&mut svg);
    frame.marks(&mut svg, &x, if narrow { 56.0 } else { 80.0 }, short_count);
    frame.titles(&mut svg, "parameters of the model", "% of the raw bytes");
    baselines(&mut svg, panel, &frame, &y);

    let conventions = panel.conventions();
    for c in &panel.critical {
        let series = class_of(&conventions, &c.convention);
        interval(&mut svg, c, series, &frame, &x);
    }
    // Raw curves differ between conventions only by the quantisation of stored weights,
    // so only the first is drawn.
    if let Some(first) = panel.critical.first() {
        raw_curve(&mut svg, first, &x, &y);
    }
    for c in &panel.critical {
        let series = class_of(&conventions, &c.convention);
        adjusted_curve(&mut svg, c, series, &x, &y);
    }
    for p in &panel.points {
        points(&mut svg, p, &conventions, &x, &y);
    }
    markers(&mut svg, panel, &conventions, &frame, &x, &y);
    legend(&mut svg, &conventions, &frame);
    svg
}

pub(super) fn class_of(conventions: &[&str], name: &str) -> &'static str {
    let at = conventions.iter().position(|c| *c == name).unwrap_or(0);
    SERIES[at.min(SERIES.len() - 1)]
}

fn scales(panel: &Panel<'_>, frame: &Frame) -> (Scale, Scale) {
    let sizes = extent(panel.points.iter().map(|p| p.parameters));
    let x = Scale::of_sizes(sizes, (frame.left, frame.right));
    let raw = panel.points.iter().map(|p| p.bits_per_byte / 8.0);
    let known = shown_baselines(panel).into_iter().map(|b| b.rate);
    let (low, high) = extent(raw.chain(known));
    let adjusted = extent(panel.points.iter().map(|p| p.adjusted_rate()));
    let high = adjusted.1.min(WORTH_SHOWING * adjusted.0).max(high);
    let (low, high) = (100.0 * low, 100.0 * high);
    let pixels = (frame.bottom, frame.top);
    let y = if high / low > 5.0 {
        Scale::log((low / 1.12, high * 1.08), pixels)
    } else {
        let room = 0.06 * (high - low).max(0.01 * high);
        Scale::linear(((low - room).max(0.0), high + room), pixels)
    };
    (x, y)
}

/// One line per program, at its best setting; more would be indistinguishable.
fn shown_baselines<'a>(panel: &Panel<'a>) -> Vec<&'a CoderResult> {
    let mut shown: Vec<&CoderResult> = Vec::new();
    for result in panel.baselines.iter().flat_map(|b| b.all()) {
        let program = |r: &CoderResult| r.coder.split(' ').next().map(str::to_owned);
        match shown.iter_mut().find(|s| program(s) == program(result)) {
            Some(best) if result.bytes < best.bytes => *best = result,
            Some(_) => {}
            None => shown.push(result),
        }
    }
    shown.sort_by(|a, b| b.rate.total_cmp(&a.rate));
    shown
}

fn baselines(svg: &mut Svg, panel: &Panel<'_>, frame: &Frame, y: &Scale) {
    let shown = shown_baselines(panel);
    let wanted: Vec<f64> = shown.iter().map(|b| y.clamped(100.0 * b.rate)).collect();
    let places = frame.places(&wanted, 15.0);
    for ((result, at), place) in shown.iter().zip(wanted).zip(places) {
        svg.line("baseline", (frame.left, at), (frame.right, at));
        frame.label(svg, "baseline-label", at, place, &result.coder);
        svg.text(
            "baseline-label",
            (frame.right + 102.0, place + 4.0),
            Anchor::End,
            &format!("{:.1}", 100.0 * result.rate),
        );
    }
}

/// The interval of N*, over the full height.
fn interval(svg: &mut Svg, c: &CriticalSize, series: &str, frame: &Frame, x: &Scale) {
    let Some([low, high]) = c.ci95 else { return };
    let (low, high) = (x.clamped(low), x.clamped(high));
    svg.rect(
        &format!("interval {series}"),
        (low, frame.top),
        (high - low, frame.bottom - frame.top),
        &format!("95% interval of N* ({})", c.convention),
    );
}

fn raw_curve(svg: &mut Svg, c: &CriticalSize, x: &Scale, y: &Scale) {
    let rate = |law: &Law, n: f64| 100.0 * law.bits_per_byte(n) / 8.0;
    curve(svg, c, "raw", &rate, x, y);
}

fn adjusted_curve(svg: &mut Svg, c: &CriticalSize, series: &str, x: &Scale, y: &Scale) {
    let rate = |law: &Law, n: f64| {
        100.0 * (law.bits_per_byte(n) / 8.0 + c.model_cost.bytes(n) / c.data_bytes)
    };
    curve(svg, c, series, &rate, x, y);
}

/// The fitted law over the sizes shown, with the pointwise 95% band of the resampled
/// laws.
fn curve(
    svg: &mut Svg,
    c: &CriticalSize,
    class: &str,
    rate: &dyn Fn(&Law, f64) -> f64,
    x: &Scale,
    y: &Scale,
) {
    let sizes: Vec<f64> = x
        .samples(121)
        .into_iter()
        .filter(|&n| y.contains(rate(&c.law, n)))
        .collect();
    if !c.band.is_empty() {
        let bounds: Vec<(f64, [f64; 2])> = sizes
            .iter()
            .filter_map(|&n| {
                let rates = c.band.iter().map(|law| rate(law, n)).collect();
                Some((n, brevity_stats::critical::interval(rates)?))
            })
            .collect();
        let side = |k: usize| -> Vec<(f64, f64)> {
            bounds
                .iter()
                .map(|(n, b)| (x.at(*n), y.clamped(b[k])))
                .collect()
        };
        svg.area(&format!("band {class}"), &side(0), &side(1));
    }
    let line: Vec<(f64, f64)> = sizes
        .iter()
        .map(|&n| (x.at(n), y.at(rate(&c.law, n))))
        .collect();
    svg.path(&format!("curve {class}"), &line);
}

fn points(svg: &mut Svg, p: &Point, conventions: &[&str], x: &Scale, y: &Scale) {
    let at = x.at(p.parameters);
    let raw = p.bits_per_byte / 8.0;
    let about = format!("{} parameters, seed {}", count(p.parameters), p.seed);
    if conventions.first() == Some(&p.convention.as_str()) {
        svg.circle(
            "dot raw",
            (at, y.at(100.0 * raw)),
            3.4,
            &format!("{about}: raw {}%", percent(raw)),
        );
    }
    if !y.contains(100.0 * p.adjusted_rate()) {
        return;
    }
    svg.circle(
        &format!("dot {}", class_of(conventions, &p.convention)),
        (at, y.at(100.0 * p.adjusted_rate())),
        3.4,
        &format!(
            "{about}: adjusted ({}) {}%, model {}",
            p.convention,
            percent(p.adjusted_rate()),
            bytes(p.model_bytes)
        ),
    );
}

/// A vertical line at each N*, a ring on its curve, a label above the frame.
fn markers(
    svg: &mut Svg,
    panel: &Panel<'_>,
    conventions: &[&str],
    frame: &Frame,
    x: &Scale,
    y: &Scale,
) {
    let inside: Vec<&CriticalSize> = panel
        .critical
        .iter()
        .copied()
        .filter(|c| x.contains(c.n_star))
        .collect();
    let mut order: Vec<usize> = (0..inside.len()).collect();
    order.sort_by(|&i, &j| inside[i].n_star.total_cmp(&inside[j].n_star));
    // About half the width of a label.
    let half = 46.0;
    let wanted: Vec<f64> = order.iter().map(|&i| x.at(inside[i].n_star)).collect();
    let places = spread(
        &wanted,
        2.0 * half,
        frame.left + half,
        frame.right - half + 20.0,
    );
    for (&i, place) in order.iter().zip(places) {
        let c = inside[i];
        let series = class_of(conventions, &c.convention);
        let at = (x.at(c.n_star), y.clamped(100.0 * c.rate));
        svg.line(
            &format!("star-line {series}"),
            (at.0, frame.top),
            (at.0, frame.bottom),
        );
        svg.circle(
            &format!("star {series}"),
            at,
            6.0,
            &format!(
                "N* {} ({}), adjusted rate {}%",
                count(c.n_star),
                c.convention,
                percent(c.rate)
            ),
        );
        svg.text(
            &format!("star-label {series}"),
            (place, frame.top - 7.0),
            Anchor::Middle,
            &format!("N* = {}", count(c.n_star)),
        );
    }
}

fn legend(svg: &mut Svg, conventions: &[&str], frame: &Frame) {
    let mut entries = vec![("raw", "raw".to_owned())];
    for name in conventions {
        entries.push((class_of(conventions, name), format!("adjusted, {name}")));
    }
    let width = |text: &str| 38.0 + name_width(text);
    let total: f64 = entries.iter().map(|(_, text)| width(text)).sum();
    // Beside the axis title if there is room, else below it.
    let (mut at, y) = if 150.0 + total < frame.right {
        (frame.right - total + 14.0, 10.0)
    } else {
        (4.0, 34.0)
    };
    for (class, text) in entries {
        dotted_key(svg, class, (at, y), &text);
        at += width(&text);
    }
}
