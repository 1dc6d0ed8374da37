//! Critical sizes and laws as text for a terminal.

use std::fmt::Write;

use brevity_draw::{Table, visible_lines};
use brevity_length::format::{bytes, count, percent};
use brevity_stats::critical::{CriticalSize, joint::DataLaw};

/// One line a data size, convention and regime; warnings below.
#[must_use]
pub fn sizes(found: &[CriticalSize]) -> String {
    let mut table = Table::new(&[
        "data",
        "bytes",
        "regime",
        "model bytes",
        "N*",
        "95% interval",
        "rate %",
        "alpha",
        "Akima N*",
        "model share %",
    ])
    .left(&[2, 3]);
    for f in found {
        table.push(vec![
            f.source.clone(),
            bytes(f.data_bytes),
            match f.variant.as_str() {
                "" => f.regime.clone(),
                variant => format!("{} {variant}", f.regime),
            },
            f.convention.clone(),
            count(f.n_star),
            interval(f.ci95),
            percent(f.rate),
            format!("{:.3}", f.alpha),
            f.akima_n_star.map_or_else(String::new, count),
            percent(f.model_share),
        ]);
    }
    let mut text = table.to_string();
    for f in found {
        for warning in &f.warnings {
            let _ = writeln!(text, "warning: {}: {warning}", f.name());
        }
    }
    visible_lines(&text).into_owned()
}

/// The joint law of each series, its predictions and the test on the largest size.
#[must_use]
pub fn laws(laws: &[DataLaw]) -> String {
    let mut text = String::new();
    for l in laws {
        let named: Vec<&str> = [&l.source, &l.regime, &l.variant, &l.convention]
            .into_iter()
            .map(String::as_str)
            .filter(|s| !s.is_empty())
            .collect();
        let _ = writeln!(
            text,
            "{}: bits per byte = {} (misses by {:.2}%)",
            named.join(", "),
            l.law,
            100.0 * l.residual,
        );
        let _ = write!(text, "N* grows as D^{:.3}", l.exponent);
        if let Some([low, high]) = l.exponent_ci95 {
            let _ = write!(text, " ({low:.3} to {high:.3})");
        }
        if let Some(free) = l.free_exponent {
            let _ = write!(text, "; through the separate fits, D^{free:.3}");
        }
        text.push('\n');
        let mut table = Table::new(&[
            "data",
            "N*",
            "95% interval",
            "rate %",
            "N*, separate fits",
            "models trained",
        ]);
        for p in &l.predictions {
            table.push(vec![
                bytes(p.data_bytes),
                count(p.n_star),
                interval(p.ci95),
                percent(p.rate),
                p.free_n_star.map_or_else(|| "-".into(), count),
                if p.measured { "yes" } else { "no" }.into(),
            ]);
        }
        let _ = write!(text, "{table}");
        if let Some(out) = &l.left_out {
            let _ = write!(
                text,
                "without {}: predicted N* {} ({}), measured {}: {:+.2} octaves, {:.2}% of the rate",
                bytes(out.data_bytes),
                count(out.predicted_n_star),
                interval(out.ci95),
                count(out.measured_n_star),
                out.octaves,
                100.0 * out.regret,
            );
            if let Some(free) = &out.free {
                let _ = write!(
                    text,
                    "; through the separate fits {}: {:+.2} octaves, {:.2}%",
                    count(free.n_star),
                    free.octaves,
                    100.0 * free.regret,
                );
            }
            text.push('\n');
        }
        for warning in &l.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
    }
    visible_lines(&text).into_owned()
}

/// `12.3K to 14.1K`, or a dash.
#[must_use]
pub fn interval(ci95: Option<[f64; 2]>) -> String {
    ci95.map_or_else(
        || "-".into(),
        |[low, high]| format!("{} to {}", count(low), count(high)),
    )
}
