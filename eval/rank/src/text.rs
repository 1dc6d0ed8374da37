//! A ranking as tables, for a terminal and for its page.

use crate::{Detector, OfModel, Ranking};
use brevity_draw::{Table, csv, visible_lines};
use brevity_length::format::{bytes, percent};

const NONE: &str = "-";

/// A value with half of its interval, which is symmetric.
fn value(value: f64, ci95: Option<[f64; 2]>) -> String {
    let half = ci95.map(|[low, high]| format!(" ±{:.4}", (high - low) / 2.0));
    format!("{value:.4}{}", half.unwrap_or_default())
}

/// What stands before what is predicted.
fn context(model: &OfModel) -> String {
    match model.context {
        Some(context) => format!("{context} {}", model.context_unit),
        None => model.context_unit.into(),
    }
}

/// The leaderboard.
pub(crate) fn leaderboard(found: &Ranking) -> Table {
    let tokens = found.models.iter().any(|model| tokens(model).is_some());
    let mut header = vec![
        "#",
        "model",
        "bits a byte",
        "behind",
        "adjusted %",
        "model bytes",
        "worst set",
        "context",
        "stride",
    ];
    if tokens {
        header.push("tokens");
    }
    let mut table = Table::new(&header).left(&[1, 6]);
    for model in &found.models {
        let first = model.rank == 1;
        let behind = match first {
            true => NONE.into(),
            false => value(model.behind, model.behind_ci95),
        };
        let stride = model
            .stride
            .map_or(NONE.into(), |stride| stride.to_string());
        let mut row = vec![
            model.rank.to_string(),
            model.name.clone(),
            value(model.bits_per_byte, model.ci95),
            behind,
            model.adjusted_rate.map_or(NONE.into(), percent),
            model.model_bytes.map_or(NONE.into(), |b| bytes(b as f64)),
            model.worst_set.clone(),
            context(model),
            stride,
        ];
        if tokens {
            row.push(self::tokens(model).map_or(NONE.into(), |t| t.to_string()));
        }
        match first {
            true => table.push_best(row),
            false => table.push(row),
        }
    }
    table
}

/// Tokens of all sets.
fn tokens(model: &OfModel) -> Option<u64> {
    model.sets.iter().map(|cell| cell.tokens).sum()
}

/// Bits a byte of each model on each set. A star marks sets that are no newer than the
/// model.
pub(crate) fn by_set(found: &Ranking) -> Table {
    let names = found.sets.iter().map(|set| match &set.date {
        Some(date) => format!("{} ({date})", set.name),
        None => set.name.clone(),
    });
    let header: Vec<String> = std::iter::once("model".to_owned()).chain(names).collect();
    let mut table = Table::new(&header);
    for model in &found.models {
        let cells = model.sets.iter().map(|cell| {
            let star = if cell.fresh == Some(false) { "*" } else { "" };
            format!("{}{star}", value(cell.bits_per_byte, cell.ci95))
        });
        table.push(std::iter::once(model.name.clone()).chain(cells).collect());
    }
    table
}

/// How alike the sets are; none for fewer than two sets or three models.
pub(crate) fn correlations(found: &Ranking) -> Option<Table> {
    let mut table = Table::new(&["set", "and", "Kendall's tau", "Pearson's r"]).left(&[1]);
    for pair in &found.correlations {
        table.push(vec![
            pair.a.clone(),
            pair.b.clone(),
            format!("{:.2}", pair.kendall),
            pair.pearson.map_or(NONE.into(), |r| format!("{r:.3}")),
        ]);
    }
    (!found.correlations.is_empty()).then_some(table)
}

/// What the detectors say; none where none applies.
pub(crate) fn detectors(found: &Ranking) -> Option<Table> {
    let mut table = Table::new(&[
        "model",
        "set",
        "detector",
        "set %",
        "clean %",
        "trained %",
        "edited %",
        "AUC",
    ])
    .left(&[1, 2]);
    let mut any = false;
    for model in &found.models {
        for cell in &model.sets {
            for one in &cell.detectors {
                any = true;
                let mut row = vec![model.name.clone(), cell.set.clone(), one.name.to_owned()];
                row.extend(shares(one));
                table.push(row);
            }
        }
    }
    any.then_some(table)
}

fn shares(one: &Detector) -> [String; 5] {
    let share = |share: Option<f64>| share.map_or(NONE.into(), percent);
    let auc = one.auc.map_or(NONE.into(), |auc| format!("{auc:.2}"));
    [
        share(one.set),
        share(one.clean),
        share(one.trained),
        share(one.edited),
        auc,
    ]
}

/// What each set has in common with what the models were trained on; none where that is
/// not known.
pub(crate) fn overlaps(found: &Ranking) -> Option<Table> {
    let mut table = Table::new(&[
        "model",
        "set",
        "8-grams %",
        "13-grams %",
        "spaced %",
        "longest match",
        "in matches %",
    ])
    .left(&[1]);
    let mut any = false;
    for model in &found.models {
        for cell in &model.sets {
            let Some(overlap) = &cell.overlap else {
                continue;
            };
            any = true;
            table.push(vec![
                model.name.clone(),
                cell.set.clone(),
                percent(overlap.ngram8),
                percent(overlap.ngram13),
                overlap.spaced.map_or(NONE.into(), percent),
                overlap.longest_match.to_string(),
                percent(overlap.in_long_matches),
            ]);
        }
    }
    any.then_some(table)
}

/// The ranking as tables. After ± stands half of the 95% interval.
#[must_use]
pub fn text(found: &Ranking) -> String {
    let mut text = format!("{}\nbits a byte by set:\n", leaderboard(found));
    text += &by_set(found).to_string();
    let parts = [
        ("how alike the sets order the models", correlations(found)),
        ("in common with the training bytes", overlaps(found)),
        ("flagged by detectors", detectors(found)),
    ];
    for (what, table) in parts {
        if let Some(table) = table {
            text += &format!("\n{what}:\n{table}");
        }
    }
    visible_lines(&text).into_owned()
}

/// The leaderboard as CSV: a row for each model and set.
#[must_use]
pub fn table_csv(found: &Ranking) -> String {
    let header = [
        "rank",
        "model",
        "set",
        "date",
        "cutoff",
        "data_bytes",
        "data_bits",
        "bits_per_byte",
        "ci_low",
        "ci_high",
        "tokens",
        "context",
        "context_unit",
        "stride",
        "model_bytes",
        "adjusted_rate",
        "mean_bits_per_byte",
    ];
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let whole = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let size = |value: Option<usize>| whole(value.map(|value| value as u64));
    let rows = found.models.iter().flat_map(|model| {
        model.sets.iter().zip(&found.sets).map(move |(cell, set)| {
            vec![
                model.rank.to_string(),
                model.name.clone(),
                cell.set.clone(),
                set.date.as_ref().map_or(String::new(), ToString::to_string),
                model
                    .cutoff
                    .as_ref()
                    .map_or(String::new(), ToString::to_string),
                set.data_bytes.to_string(),
                cell.data_bits.to_string(),
                cell.bits_per_byte.to_string(),
                number(cell.ci95.map(|ci| ci[0])),
                number(cell.ci95.map(|ci| ci[1])),
                whole(cell.tokens),
                size(model.context),
                model.context_unit.to_owned(),
                size(model.stride),
                whole(model.model_bytes),
                number(model.adjusted_rate),
                model.bits_per_byte.to_string(),
            ]
        })
    });
    csv(&header, rows)
}
