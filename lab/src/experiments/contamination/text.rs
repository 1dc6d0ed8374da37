//! The results as terminal tables.

use super::{Contamination, Leaked, MEASURES, Spread};
use brevity_draw::{Table, visible_lines};
use brevity_length::format::{bytes, count, percent};

pub(super) fn text(found: &Contamination) -> String {
    let mut text = String::new();
    for (title, table) in [
        ("Scored on exactly the training bytes", alone(found)),
        (
            "A test leaks into the training bytes: means over seeds",
            doses(found),
        ),
        ("Detectors", detectors(found)),
        (
            "Ranks among the models with exact copies; 1 is the shortest",
            ranks(found),
        ),
        (
            "Kendall's tau-b with the ranks by clean bytes, over seeds",
            taus(found),
        ),
    ] {
        if let Some(table) = table {
            text += &format!("{title}\n{table}\n");
        }
    }
    for finding in &found.findings {
        let verdict = if finding.holds {
            "holds"
        } else {
            "DOES NOT HOLD"
        };
        text += &format!("{verdict}: {}\n    {}\n", finding.claim, finding.numbers);
    }
    for note in &found.notes {
        text += &format!("note: {note}\n");
    }
    visible_lines(&text).into_owned()
}

fn rate(values: impl Iterator<Item = f64>) -> String {
    Spread::of(values).map_or_else(|| "-".into(), |s| percent(s.mean))
}

/// Whether all of the lengths are those of decoded archives.
fn state(mut verified: impl Iterator<Item = bool>) -> String {
    match verified.all(|one| one) {
        true => "decoded".into(),
        false => "estimate".into(),
    }
}

fn alone(found: &Contamination) -> Option<Table> {
    let mut table = Table::new(&[
        "bytes",
        "model",
        "parameters",
        "size",
        "raw %",
        "held-out %",
        "fp16 %",
        "stored %",
        "prequential %",
        "state",
    ])
    .left(&[1, 9]);
    let keys = super::distinct(found.alone.iter().map(|a| (&a.part, &a.model)));
    for (part, model) in &keys {
        let all = || {
            let of = |a: &&super::Alone| (&a.part, &a.model) == (*part, *model);
            found.alone.iter().filter(of)
        };
        let learned = found.prequential.iter();
        let learned = learned.filter(|p| (&p.part, &p.model) == (*part, *model));
        let first = all().next()?;
        table.push(vec![
            (*part).clone(),
            (*model).clone(),
            count(first.parameters as f64),
            bytes(first.bytes as f64),
            rate(all().map(|a| a.raw_rate)),
            rate(all().filter_map(|a| a.held_out_rate)),
            rate(all().filter_map(|a| a.adjusted_rate.get("fp16").copied())),
            rate(all().filter_map(|a| a.adjusted_rate.get("stored").copied())),
            rate(learned.map(|p| p.rate)),
            state(all().map(|a| a.verified)),
        ]);
    }
    (!keys.is_empty()).then_some(table)
}

/// Leaked models by kind, dose and disguise, in the order of the run.
pub(super) fn groups(found: &Contamination) -> Vec<(&str, u64, u64)> {
    let key = |l: &'_ Leaked| (l.copies, l.skip_words);
    let mut groups = Vec::new();
    for model in found.models() {
        let of = found.leaked.iter().filter(|l| l.model == model);
        let keys = super::distinct(of.map(key));
        groups.extend(keys.into_iter().map(|(copies, skip)| (model, copies, skip)));
    }
    groups
}

fn leak(copies: u64, skip_words: u64) -> String {
    match skip_words {
        0 => copies.to_string(),
        _ => format!("{copies}, disguised"),
    }
}

fn doses(found: &Contamination) -> Option<Table> {
    let mut table = Table::new(&[
        "model",
        "parameters",
        "copies",
        "raw %",
        "to twin",
        "clean %",
        "fp16 %",
        "stored %",
        "prequential %",
        "state",
    ])
    .left(&[9]);
    let groups = groups(found);
    for (model, copies, skip) in &groups {
        let all = || found.seeds(model, *copies, *skip);
        let learned = found.learned(model, *copies).filter(|_| *skip == 0);
        table.push(vec![
            (*model).to_owned(),
            count(all().next()?.parameters as f64),
            leak(*copies, *skip),
            rate(all().map(|l| l.raw_rate)),
            to_twin(all()),
            rate(all().map(|l| l.clean_rate)),
            rate(all().filter_map(|l| l.adjusted_rate.get("fp16").copied())),
            rate(all().filter_map(|l| l.adjusted_rate.get("stored").copied())),
            rate(learned.map(|p| p.rate)),
            state(all().map(|l| l.verified)),
        ]);
    }
    (!groups.is_empty()).then_some(table)
}

/// The mean difference to the twin without copies, in points of the raw rate; nothing for the
/// twin itself.
pub(super) fn to_twin<'a>(all: impl Iterator<Item = &'a Leaked>) -> String {
    let difference = Spread::of(all.filter_map(|l| l.to_twin));
    difference.map_or_else(String::new, |of| format!("{:+.2}", 100.0 * of.mean))
}

fn detectors(found: &Contamination) -> Option<Table> {
    let mut table = Table::new(&[
        "model",
        "copies",
        "8-grams %",
        "13-grams %",
        "spaced %",
        "longest match",
        "in matches %",
        "Min-K% leaked",
        "clean",
        "AUC",
    ]);
    let mut any = false;
    for (model, copies, skip) in groups(found) {
        let all = || {
            found
                .seeds(model, copies, skip)
                .filter_map(|l| l.detected.as_ref())
        };
        let Some(first) = all().next() else { continue };
        any = true;
        let mean = |value: fn(&super::Detected) -> f64| {
            Spread::of(all().map(value)).map_or(0.0, |spread| spread.mean)
        };
        table.push(vec![
            model.to_owned(),
            leak(copies, skip),
            percent(first.overlap.ngram8),
            percent(first.overlap.ngram13),
            first.overlap.spaced.map_or_else(|| "-".into(), percent),
            first.overlap.longest_match.to_string(),
            percent(first.overlap.in_long_matches),
            format!("{:.2}", mean(|d| d.min_k.leaked)),
            format!("{:.2}", mean(|d| d.min_k.clean)),
            format!("{:.2}", mean(|d| d.min_k.auc)),
        ]);
    }
    any.then_some(table)
}

fn ranks(found: &Contamination) -> Option<Table> {
    let ranks = found.ranks.as_ref()?;
    let mut table = Table::new(&[&["model", "copies", "clean"][..], &MEASURES[..]].concat());
    for c in &ranks.candidates {
        let mut row = vec![
            c.model.clone(),
            c.copies.to_string(),
            format!("{:.1}", c.truth),
        ];
        row.extend(c.ranks.iter().map(|rank| format!("{rank:.1}")));
        table.push(row);
    }
    Some(table)
}

fn taus(found: &Contamination) -> Option<Table> {
    let ranks = found.ranks.as_ref()?;
    let mut table = Table::new(&["ranked by", "tau", "lowest", "highest"]);
    for tau in &ranks.taus {
        let Spread { mean, low, high } = tau.tau;
        let cells = [mean, low, high].map(|tau| format!("{tau:+.2}"));
        table.push([&[tau.measure.clone()][..], &cells[..]].concat());
    }
    Some(table)
}
