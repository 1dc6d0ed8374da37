//! Models ranked by description length, as tables for a terminal.

use brevity_draw::{Table, visible_lines};
use brevity_length::Row;
use brevity_length::format::{bytes, count, percent};
use brevity_stats::selection::Ranking;
use std::collections::HashSet;

/// Rankings of rows as tables for a terminal.
#[must_use]
pub fn rankings(found: &[Ranking], rows: &[Row]) -> String {
    let mut text = String::new();
    for r in found {
        let mut table = Table::new(&[
            "settings",
            "parameters",
            "data %",
            "model %",
            "total %",
            "bits/byte behind",
            "95% interval",
            "best with",
            "front",
        ]);
        let n = r.data_bytes as f64;
        for c in &r.candidates {
            table.push(vec![
                c.settings.clone(),
                c.parameters.map(|n| count(n as f64)).unwrap_or_default(),
                percent(c.coded_bytes / n),
                percent(c.model_bytes / n),
                percent(c.rate),
                format!("{:.4}", c.behind),
                c.behind_ci95
                    .filter(|_| c.rank > 1)
                    .map_or_else(|| "-".into(), |[l, h]| format!("{l:.4} to {h:.4}")),
                c.probability_best
                    .map_or_else(|| "-".into(), |p| format!("{:.0}%", 100.0 * p)),
                if c.pareto { "*" } else { "" }.into(),
            ]);
        }
        let named: Vec<&str> = [r.source.as_str(), &r.regime, &r.convention]
            .into_iter()
            .filter(|s| !s.is_empty())
            .collect();
        text += &format!(
            "{} of {}: {} candidates, so naming one costs {:.2} bits{}\n{table}",
            bytes(n),
            named.join(", "),
            r.candidates.len(),
            r.choice_bits,
            interval_note(r, totals(r, rows)),
        );
    }
    text
}

/// What the intervals refer to, and by how much the choice on the same bytes is
/// too optimistic.
fn interval_note(r: &Ranking, totals: &str) -> String {
    let drawn = match r.resampled.as_str() {
        "blocks and seeds" => "other bytes of the source and other seeds",
        "blocks" => "other bytes of the source under the same models (no seed was repeated)",
        "seeds" => "other seeds on these bytes",
        _ => {
            return format!(
                ". {totals}. No intervals, because there are neither blocks nor repeated seeds"
            );
        }
    };
    let mut text = format!(". {totals}. Intervals hold for all pairs at once and are for {drawn}");
    if let (Some(rho), Some(run)) = (r.autocorrelation, r.run) {
        text += &format!(
            " (blocks are resampled in runs of {run}, because neighbours correlate \
                          by {rho:.2})"
        );
    }
    if let Some(optimism) = r.optimism_bytes {
        text += &format!(
            ". The first was chosen on these bytes; on other bytes it is expected to be {:.4} \
             bits/byte longer",
            8.0 * optimism / r.data_bytes as f64
        );
    }
    visible_lines(&text).into_owned()
}

/// What the totals of a ranking of rows are worth.
fn totals(r: &Ranking, rows: &[Row]) -> &'static str {
    let ids = r.candidates.iter().flat_map(|c| &c.ids);
    let ids: HashSet<&str> = ids.map(String::as_str).collect();
    let ranked = |row: &&Row| row.regime_name() == r.regime && ids.contains(row.id());
    let ranked: Vec<&Row> = rows.iter().filter(ranked).collect();
    let decoded = ranked.iter().filter(|row| row.is_decoded()).count();
    if decoded == 0 {
        "Totals are estimates for these bytes: no archive was decoded"
    } else if decoded < ranked.len() {
        "Totals are estimates for these bytes: of some no archive was decoded"
    } else if r.convention.ends_with("fp16") {
        // Coded with weights that take more than the bytes they are charged for.
        "Totals are estimates for these bytes"
    } else {
        "Totals are those of these bytes"
    }
}
