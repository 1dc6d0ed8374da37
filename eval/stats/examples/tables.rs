//! Laws over data size of tables of models that others measured.
//!
//! ```text
//! cargo run --release -p brevity-stats --example tables TABLE.csv ...
//! ```
//!
//! Two tables for the series of all files: the laws, with the exponents of the usual form
//! `E + A N^-alpha + B D^-beta` beside the closest one; and the loss at the largest data size as
//! the other points predict it, beside one power law in compute. Series with fewer than three
//! data sizes are left out. `scipy_fit.py` beside this file does the same by scipy.

use std::path::Path;

use brevity_stats::critical::joint::{ComputeExponent, DataLaw, DataTerm, each_data_law};
use brevity_stats::critical::points::{collect, data_sizes, read_csv};
use brevity_stats::critical::{Estimator, Point};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    for table in std::env::args().skip(1) {
        let points = read_csv(Path::new(&table), 2.0)?;
        let name = Path::new(&table).file_stem().unwrap_or_default();
        for series in collect(&points, Point::same_series) {
            if data_sizes(&series).len() < 3 {
                continue;
            }
            match each_data_law(&series, &[], &Estimator::default())?.remove(0) {
                Ok(law) => found.push((name.display().to_string(), series, law)),
                Err(error) => eprintln!("{}: {error}", name.display()),
            }
        }
    }
    println!(
        "| table | series | points | closest law | misses | alpha of B D^-beta | beta | misses | N as (N D)^ | by budgets |"
    );
    println!("|---|---|---:|---|---:|---|---|---:|---|---|");
    for (table, series, law) in &found {
        laws(table, series, law);
    }
    println!(
        "\n| table | series | largest D | parameters | measured | predicted | 95% | compute alone misses by |"
    );
    println!("|---|---|---:|---:|---:|---:|---|---:|");
    let (mut held, mut all) = (0, 0);
    for (table, series, law) in &found {
        let Some(out) = &law.left_out_loss else {
            continue;
        };
        for point in &out.points {
            let by_compute = by_compute(series, out.data_bytes, point.parameters);
            println!(
                "| {table} | {} | {:.3e} | {:.3e} | {:.3} | {:.3} | {:.3} to {:.3}{} | {:+.1}% |",
                named(law),
                out.data_bytes,
                point.parameters,
                point.measured,
                point.predicted,
                point.ci95[0],
                point.ci95[1],
                if point.held { "" } else { ", outside" },
                100.0 * (by_compute / point.measured - 1.0),
            );
            all += 1;
            held += usize::from(point.held);
        }
    }
    println!("\n{held} of {all} losses at the largest data size are in their interval");
    Ok(())
}

fn named(law: &DataLaw) -> String {
    [law.source.as_str(), &law.variant]
        .join(" ")
        .trim()
        .to_owned()
}

fn interval(of: Option<[f64; 2]>) -> String {
    of.map_or_else(|| "-".into(), |[l, h]| format!("{l:.2} to {h:.2}"))
}

fn compute(of: &ComputeExponent) -> String {
    let with = |exponent| format!("{exponent:.2} ({})", interval(of.ci95));
    of.exponent.map_or_else(|| "-".into(), with)
}

fn laws(table: &str, series: &[Point], law: &DataLaw) {
    let usual = law.forms.iter().filter_map(|form| form.fitted.as_ref());
    let usual = usual.into_iter().find(|f| f.law.term == DataTerm::Bytes);
    let of_usual = |name: &str| {
        let all = usual.iter().flat_map(|fitted| &fitted.parameters);
        let of = all.into_iter().find(|p| p.name == name);
        of.map_or_else(
            || "-".into(),
            |p| format!("{:.2} ({})", p.value, interval(p.ci95)),
        )
    };
    println!(
        "| {table} | {} | {} | `{}` | {:.1}% | {} | {} | {} | {} | {} |",
        named(law),
        series.len(),
        law.law,
        100.0 * law.residual,
        of_usual("alpha"),
        of_usual("beta"),
        usual.map_or_else(|| "-".into(), |f| format!("{:.1}%", 100.0 * f.residual)),
        usual.map_or_else(|| "-".into(), |f| compute(&f.compute)),
        compute(&law.compute_by_budget),
    );
}

/// The loss that a power law in `N D` predicts for a model, through the best model of each
/// half octave of `N D` among those with less data.
fn by_compute(series: &[Point], data_bytes: f64, parameters: f64) -> f64 {
    let mut best: Vec<(f64, f64)> = Vec::new();
    for p in series.iter().filter(|p| p.data_bytes < data_bytes) {
        let cell = (2.0 * (p.parameters * p.data_bytes).log2()).round() / 2.0;
        match best.iter_mut().find(|(at, _)| *at == cell) {
            Some((_, loss)) => *loss = loss.min(p.bits_per_byte),
            None => best.push((cell, p.bits_per_byte)),
        }
    }
    let count = best.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| best.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1.ln()));
    let (xx, xy) = best.iter().fold((0.0, 0.0), |(xx, xy), (c, l)| {
        (xx + (c - x).powi(2), xy + (c - x) * (l.ln() - y))
    });
    (y + xy / xx * ((parameters * data_bytes).log2() - x)).exp()
}
