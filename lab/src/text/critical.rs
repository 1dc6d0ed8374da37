//! Critical sizes and laws as text for a terminal.

use std::fmt::Write;

use brevity_draw::{Table, visible_lines};
use brevity_length::format::{bytes, count, percent};
use brevity_stats::critical::{
    CriticalSize, LackOfFit, Scatter,
    joint::{ComputeExponent, DataLaw, Form, LossLeftOut, Parameter},
};

/// One line for each data size, convention and regime. The sizes within 0.5% of the best
/// rate come first; scatter and warnings follow below.
#[must_use]
pub fn sizes(found: &[CriticalSize]) -> String {
    let mut table = Table::new(&[
        "data",
        "bytes",
        "regime",
        "model bytes",
        "within 0.5%",
        "N*",
        "95% interval",
        "envelope",
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
            interval(f.near.first().map(|near| near.sizes)),
            count(f.n_star),
            interval(f.ci95),
            interval(f.envelope),
            percent(f.rate),
            format!("{:.3}", f.alpha),
            f.akima_n_star.map_or_else(String::new, count),
            percent(f.model_share),
        ]);
    }
    let mut text = table.to_string();
    for f in found {
        if let Some(scatter) = scatter(&f.scatter) {
            let _ = writeln!(text, "{}: {scatter}", f.name());
        }
        for warning in &f.warnings {
            let _ = writeln!(text, "warning: {}: {warning}", f.name());
        }
    }
    visible_lines(&text).into_owned()
}

/// The scatter of sizes and seeds about the law.
fn scatter(of: &Scatter) -> Option<String> {
    let sizes = of.size_sd?;
    let mut text = format!("sizes scatter by {:.2}% about the law", 100.0 * sizes);
    if let Some(seeds) = of.seed_sd {
        let _ = write!(text, ", seeds by {:.2}%", 100.0 * seeds);
    }
    if let Some(LackOfFit {
        f,
        p,
        degrees: [above, below],
    }) = of.lack_of_fit
    {
        let _ = write!(
            text,
            " (lack of fit: F({above}, {below}) = {f:.1}, p = {p:.1e})"
        );
    }
    Some(text)
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
            "{}: bits per byte = {} (RMS residual {:.2}%; Huber threshold {:.1}%)",
            named.join(", "),
            l.law,
            100.0 * l.residual,
            100.0 * l.huber,
        );
        let numbers: Vec<String> = l.parameters.iter().map(parameter).collect();
        let _ = writeln!(text, "  {}", numbers.join("; "));
        let forms: Vec<String> = l.forms.iter().map(form).collect();
        let _ = writeln!(
            text,
            "forms, weighted by their past predictions: {}",
            forms.join(", ")
        );
        // One data size shows no growth: the power is that of the law's form.
        let by = match l.predictions.iter().filter(|p| p.measured).count() {
            0 | 1 => "one data size shows no growth; by alpha alone, ",
            _ => "",
        };
        let _ = write!(text, "{by}N* grows as D^{:.3}", l.exponent);
        if let Some([low, high]) = l.exponent_ci95 {
            let _ = write!(text, " ({low:.3} to {high:.3})");
        }
        if let Some(free) = l.free_exponent {
            let _ = write!(text, "; through the separate fits, D^{free:.3}");
        }
        text.push('\n');
        text += &compute(l);
        let mut table = Table::new(&[
            "data",
            "N*",
            "95% interval",
            "rate %",
            "N* by this law",
            "N*, separate fits",
            "models trained",
        ]);
        for p in &l.predictions {
            table.push(vec![
                bytes(p.data_bytes),
                size(p.n_star),
                interval(p.ci95),
                if p.n_star > 0.0 {
                    percent(p.rate)
                } else {
                    "-".into()
                },
                size(p.law_n_star),
                p.free_n_star.map_or_else(|| "-".into(), count),
                if p.measured { "yes" } else { "no" }.into(),
            ]);
        }
        let _ = write!(text, "{table}");
        if let Some(out) = &l.left_out {
            let _ = write!(
                text,
                "without {}: predicted N* {} ({}), measured {} ({}): {:+.2} octaves, {:.2}% of the rate",
                bytes(out.data_bytes),
                size(out.predicted_n_star),
                interval(out.ci95),
                size(out.measured_n_star),
                interval(out.measured_ci95),
                out.octaves,
                100.0 * out.regret,
            );
            let others = [("this law", &out.law), ("the separate fits", &out.free)];
            for (name, foretold) in others {
                if let Some(foretold) = foretold {
                    let _ = write!(
                        text,
                        "; by {name} {}: {:+.2} octaves, {:.2}%",
                        count(foretold.n_star),
                        foretold.octaves,
                        100.0 * foretold.regret,
                    );
                }
            }
            text.push('\n');
        }
        if let Some(out) = &l.left_out_loss {
            text += &losses(out);
        }
        for warning in &l.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
    }
    visible_lines(&text).into_owned()
}

/// A form of the law with its weight, exponents and residual.
fn form(of: &Form) -> String {
    let mut text = format!("{} {:.0}%", of.name, 100.0 * of.weight);
    if let Some(fitted) = &of.fitted {
        let exponents: Vec<String> = fitted
            .parameters
            .iter()
            .filter(|p| ["alpha", "beta"].contains(&p.name.as_str()))
            .map(parameter)
            .collect();
        let _ = write!(
            text,
            " ({}; RMS residual {:.2}%)",
            exponents.join(", "),
            100.0 * fitted.residual
        );
    }
    text
}

/// How N grows where N D is fixed; nothing where neither law nor budgets tell.
fn compute(law: &DataLaw) -> String {
    let told = |of: &ComputeExponent| {
        let exponent = of.exponent?;
        let mut text = format!("(N D)^{exponent:.3}");
        if let Some([low, high]) = of.ci95 {
            let _ = write!(text, " ({low:.3} to {high:.3})");
        }
        Some(text)
    };
    let by_law = told(&law.compute).map(|text| format!("{text} by this law"));
    let by_budget =
        told(&law.compute_by_budget).map(|text| format!("{text} through the best of each budget"));
    let all: Vec<String> = by_law.into_iter().chain(by_budget).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(
            "at a fixed N D the loss is least where N grows as {}\n",
            all.join(", ")
        ),
    }
}

/// The losses at the largest data size, predicted and measured.
fn losses(out: &LossLeftOut) -> String {
    let mut text = format!(
        "losses at {} of data, predicted from smaller data:",
        bytes(out.data_bytes)
    );
    for point in &out.points {
        let [low, high] = point.ci95;
        let _ = write!(
            text,
            " {} parameters {:.4} ({low:.4} to {high:.4}), measured {:.4}{};",
            count(point.parameters),
            point.predicted,
            point.measured,
            if point.held { "" } else { ", outside" },
        );
    }
    text.pop();
    text.push('\n');
    text
}

/// A critical size, or a dash where the law has none: there it is 0.
fn size(n_star: f64) -> String {
    match n_star > 0.0 {
        true => count(n_star),
        false => "-".into(),
    }
}

/// `12.3K to 14.1K`, or a dash.
#[must_use]
pub fn interval(ci95: Option<[f64; 2]>) -> String {
    ci95.map_or_else(
        || "-".into(),
        |[low, high]| format!("{} to {}", count(low), count(high)),
    )
}

/// `alpha 0.51 (0.48 to 0.55)`, and whether a bound decides it.
fn parameter(of: &Parameter) -> String {
    let mut text = format!("{} {:.4}", of.name, of.value);
    if let Some([low, high]) = of.ci95 {
        let _ = write!(text, " ({low:.4} to {high:.4})");
    }
    if of.at_bound {
        text += " at its bound";
    }
    text
}
