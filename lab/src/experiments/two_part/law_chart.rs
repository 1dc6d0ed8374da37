//! Chart of N* against data size, on logarithmic axes.

use brevity_draw::{Anchor, Frame, SERIES, Scale, Svg, extent, short_count};
use brevity_length::format::{bytes, count};
use brevity_stats::critical::{CriticalSize, joint::DataLaw};

/// Draws all laws `width` pixels wide, with the critical sizes of single data sizes as rings;
/// `None` if no law has two data sizes.
pub(super) fn draw(laws: &[DataLaw], critical: &[CriticalSize], width: f64) -> Option<Svg> {
    let laws: Vec<&DataLaw> = laws
        .iter()
        .filter(|l| l.predictions.iter().all(|p| p.n_star > 0.0))
        .collect();
    let predictions = || laws.iter().flat_map(|l| &l.predictions);
    let data = extent(predictions().map(|p| p.data_bytes));
    let sizes = extent(predictions().map(|p| p.n_star));
    if laws.is_empty() || data.0 >= data.1 {
        return None;
    }
    let height = 64.0 + 0.42 * width.max(480.0);
    let label = "Critical size against the size of the data".to_owned();
    let mut svg = Svg::new(width, height, label);
    let frame = Frame {
        left: 52.0,
        right: width - 20.0,
        top: 26.0 + 18.0 * laws.len() as f64,
        bottom: height - 46.0,
    };
    let left = frame.left;
    let x = Scale::log((data.0 / 1.6, data.1 * 1.6), (left, frame.right));
    let y = Scale::log((sizes.0 / 2.5, sizes.1 * 2.5), (frame.bottom, frame.top));
    frame.grid(&mut svg, &y, 48.0, short_count);
    frame.base(&mut svg);
    frame.marks(&mut svg, &x, 90.0, bytes);
    frame.title_below(&mut svg, 38.0, "data");
    svg.text("axis-title", (2.0, 12.0), Anchor::Start, "N*, parameters");

    for (i, law) in laws.iter().enumerate() {
        let class = SERIES[i.min(SERIES.len() - 1)];
        let line: Vec<_> = x
            .samples(33)
            .into_iter()
            .map(|d| (d, law.critical_size(d)))
            .filter(|(_, n)| y.contains(*n))
            .map(|(d, n)| (x.at(d), y.at(n)))
            .collect();
        svg.path(&format!("curve {class}"), &line);
        // A power law is a straight line here, so its ends suffice.
        let free = law.predictions.iter();
        let free = free.filter_map(|p| p.free_n_star.map(|n| (x.at(p.data_bytes), y.at(n))));
        let free: Vec<_> = free.collect();
        if let [first, .., last] = free[..] {
            svg.path(&format!("curve free {class}"), &[first, last]);
        }
        for c in critical.iter().filter(|c| belongs(c, law)) {
            let at = x.at(c.data_bytes);
            if let Some([low, high]) = c.ci95 {
                svg.line(
                    &format!("whisker {class}"),
                    (at, y.clamped(low)),
                    (at, y.clamped(high)),
                );
            }
            let about = format!("{}: N* {}", c.name(), count(c.n_star));
            svg.circle(
                &format!("star {class}"),
                (at, y.clamped(c.n_star)),
                5.0,
                &about,
            );
        }
        let at = 30.0 + 18.0 * i as f64;
        svg.line(
            &format!("curve {class}"),
            (left, at - 4.0),
            (left + 16.0, at - 4.0),
        );
        let named: Vec<&str> = [&law.source, &law.regime, &law.variant, &law.convention]
            .into_iter()
            .map(String::as_str)
            .filter(|s| !s.is_empty())
            .collect();
        let mut text = format!("{}: N* grows as D^{:.2}", named.join(", "), law.exponent);
        if let Some(exponent) = law.free_exponent {
            text += &format!(", through the rings as D^{exponent:.2}");
        }
        svg.text("legend", (left + 23.0, at), Anchor::Start, &text);
    }
    Some(svg)
}

fn belongs(c: &CriticalSize, law: &DataLaw) -> bool {
    c.source == law.source
        && c.regime == law.regime
        && c.convention == law.convention
        && c.variant == law.variant
}
