//! The page: what was found, the pictures, every number.

use std::fmt::Write;

use super::{Contamination, MEASURES, Spread, alone_chart, detector_chart, dose_chart, text};
use brevity_draw::escape;
use brevity_draw::{document, figure, put};
use brevity_length::format::{bytes, count, percent};

pub(super) fn page(found: &Contamination) -> String {
    let mut body = String::new();
    put!(body, "<p class=\"over\">brevity, contamination</p>");
    put!(body, "<h1>{}</h1>", escape(&found.name));
    put!(
        body,
        "<p class=\"lead\">A test that leaks into the training bytes makes a model look better than \
         it is. Description lengths need not know of the leak: what is in the weights is paid for \
         in model bytes, and what is in the training bytes is of no use to a prequential code, \
         which starts from nothing. Here the leaks are made on purpose, and every measure is \
         asked.</p>"
    );
    for note in &found.notes {
        put!(body, "<p class=\"warning\">{}</p>", escape(note));
    }
    let estimates = found.leaked.iter().any(|l| !l.verified)
        || found.alone.iter().any(|a| !a.verified)
        || found.prequential.iter().any(|p| !p.verified);
    if estimates {
        put!(
            body,
            "<p class=\"warning\">Lengths marked as estimates are exact code lengths under integer \
             frequencies, not those of archives that were decoded.</p>"
        );
    }
    findings(&mut body, found);
    alone(&mut body, found);
    doses(&mut body, found);
    detectors(&mut body, found);
    ranks(&mut body, found);
    document(&found.name, "", &body)
}

/// A table whose first `left` columns are words.
fn table(out: &mut String, left: usize, header: &[&str], rows: &[Vec<String>]) {
    let line = |out: &mut String, tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        let _ = write!(out, "<tr>");
        for (i, cell) in cells.enumerate() {
            let class = if i < left { " class=\"left\"" } else { "" };
            let _ = write!(out, "<{tag}{class}>{}</{tag}>", escape(cell));
        }
        put!(out, "</tr>");
    };
    put!(out, "<div class=\"card scroll\"><table>\n<thead>");
    line(out, "th", &mut header.iter().copied());
    put!(out, "</thead>\n<tbody>");
    for row in rows {
        line(out, "td", &mut row.iter().map(String::as_str));
    }
    put!(out, "</tbody></table></div>");
}

fn findings(out: &mut String, found: &Contamination) {
    if found.findings.is_empty() {
        return;
    }
    put!(out, "<h2>What was found</h2>\n<div class=\"card\"><ul>");
    for finding in &found.findings {
        put!(
            out,
            "<li><b>{}.</b> {}: {}</li>",
            escape(&finding.claim),
            if finding.holds {
                "Holds"
            } else {
                "Does not hold"
            },
            escape(&finding.numbers)
        );
    }
    put!(out, "</ul></div>");
}

/// The mean over seeds, and half of their range.
fn rate(values: impl Iterator<Item = f64>) -> String {
    let Some(Spread { mean, low, high }) = Spread::of(values) else {
        return "–".into();
    };
    match high - low < 5e-5 {
        true => percent(mean),
        false => format!("{} ±{}", percent(mean), percent((high - low) / 2.0)),
    }
}

fn alone(out: &mut String, found: &Contamination) {
    if found.alone.is_empty() {
        return;
    }
    put!(out, "<h2>A memoriser against an honest model</h2>");
    figure(
        out,
        |width| alone_chart::draw(found, width),
        "Both were trained on exactly the bytes that are scored. The raw rate, which is no code, \
         goes to nothing for a model that is large enough, even on random bytes; with the model \
         counted, or without a model to send, it is the longer description. In the tables, ± is half \
         the range over seeds.",
    );
    let keys = super::distinct(found.alone.iter().map(|a| (&a.part, &a.model)));
    let rows: Vec<Vec<String>> = keys
        .into_iter()
        .map(|(part, model)| {
            let all = || {
                let of = move |a: &&super::Alone| a.part == *part && a.model == *model;
                found.alone.iter().filter(of)
            };
            let learned = found.prequential.iter();
            let learned = learned.filter(|p| p.part == *part && p.model == *model);
            vec![
                part.clone(),
                model.clone(),
                all()
                    .next()
                    .map_or_else(String::new, |a| count(a.parameters as f64)),
                rate(all().map(|a| a.raw_rate)),
                rate(all().filter_map(|a| a.held_out_rate)),
                rate(all().filter_map(|a| a.adjusted_rate.get("fp16").copied())),
                rate(all().filter_map(|a| a.adjusted_rate.get("stored").copied())),
                rate(learned.map(|p| p.rate)),
            ]
        })
        .collect();
    let header = [
        "bytes",
        "model",
        "parameters",
        "raw %",
        "held-out %",
        "fp16 %",
        "stored %",
        "prequential %",
    ];
    table(out, 2, &header, &rows);
    for set in &found.baselines {
        let Some(alone) = found.alone.iter().find(|a| a.hash == set.hash) else {
            continue;
        };
        let coders: Vec<String> = set
            .results
            .iter()
            .map(|r| format!("{} {}%", escape(&r.coder), percent(r.rate)))
            .collect();
        put!(
            out,
            "<p>Classical coders on the same {} of {}: {}.</p>",
            bytes(set.bytes as f64),
            escape(&alone.part),
            coders.join(", ")
        );
    }
}

fn doses(out: &mut String, found: &Contamination) {
    let models = found.models();
    if models.is_empty() {
        return;
    }
    put!(out, "<h2>The dose</h2>");
    for model in models {
        let parameters = found.leaked.iter().find(|l| l.model == model);
        let parameters = parameters.map_or(0.0, |l| l.parameters as f64);
        put!(
            out,
            "<h3>{}, {} parameters</h3>",
            escape(model),
            count(parameters)
        );
        figure(
            out,
            |width| dose_chart::draw(found, model, width),
            "Lines are means over seeds, shaded from the lowest to the highest. All models see \
             equally many bytes in training, whatever the dose.",
        );
    }
    let rows: Vec<Vec<String>> = text::groups(found)
        .into_iter()
        .map(|(model, copies, skip)| {
            let all = || found.seeds(model, copies, skip);
            let learned = found.learned(model, copies).filter(|_| skip == 0);
            vec![
                model.to_owned(),
                leak(copies, skip),
                rate(all().map(|l| l.raw_rate)),
                rate(all().map(|l| l.clean_rate)),
                rate(all().filter_map(|l| l.adjusted_rate.get("fp16").copied())),
                rate(all().filter_map(|l| l.adjusted_rate.get("stored").copied())),
                rate(learned.map(|p| p.rate)),
            ]
        })
        .collect();
    let header = [
        "model",
        "copies",
        "raw %",
        "clean %",
        "fp16 %",
        "stored %",
        "prequential %",
    ];
    table(out, 2, &header, &rows);
    put!(
        out,
        "<p>The prequential code of the test is that of a learner that has never seen the training \
         bytes. It is run again at every dose, on the bytes as that trial has them. A prequential \
         code that started from the weights of one of these models would not be immune.</p>"
    );
}

fn leak(copies: u64, skip_words: u64) -> String {
    match skip_words {
        0 => copies.to_string(),
        every => format!("{copies}, without every {every}th word"),
    }
}

fn detectors(out: &mut String, found: &Contamination) {
    if !found.leaked.iter().any(|l| l.detected.is_some()) {
        return;
    }
    put!(out, "<h2>Detectors</h2>");
    figure(
        out,
        |width| detector_chart::draw(found, width),
        "Overlap of words and the longest match look at the bytes, so they need the training bytes \
         and see what is exact for so long, one copy as well as a hundred. Min-K% looks at the model: how often \
         a piece of the test is told from a clean one, where 50% is a coin. Disguised copies lack \
         every so-many-th word. What the raw rate saves is what there is to detect.",
    );
    let rows: Vec<Vec<String>> = text::groups(found)
        .into_iter()
        .filter_map(|(model, copies, skip)| {
            let all = || {
                let of = found.seeds(model, copies, skip);
                of.filter_map(|l| l.detected.as_ref())
            };
            let first = &all().next()?.overlap;
            let auc = Spread::of(all().map(|d| d.min_k.auc))?;
            Some(vec![
                model.to_owned(),
                leak(copies, skip),
                percent(first.ngram8),
                percent(first.ngram13),
                first.longest_match.to_string(),
                percent(first.in_long_matches),
                format!("{:.2} ({:.2} to {:.2})", auc.mean, auc.low, auc.high),
            ])
        })
        .collect();
    let header = [
        "model",
        "copies",
        "8-grams %",
        "13-grams %",
        "longest match",
        "in matches %",
        "Min-K% AUC",
    ];
    table(out, 2, &header, &rows);
}

fn ranks(out: &mut String, found: &Contamination) {
    let Some(ranks) = &found.ranks else { return };
    put!(out, "<h2>Ranks</h2>");
    put!(
        out,
        "<p>All models of the exact ladder, in the order of their rate on clean bytes, and their \
         ranks by each measure of the test, means over {} seeds. The adjusted rates charge a whole \
         model to a short test, so they order sizes by model bytes, and models of one size as the \
         raw rate does: they deny a leak its profit, they do not find it. The prequential length \
         does not tell doses apart, whose tied ranks keep tau-b below 1.</p>",
        ranks.seeds.len()
    );
    let rows: Vec<Vec<String>> = ranks
        .candidates
        .iter()
        .map(|c| {
            let mut row = vec![
                c.model.clone(),
                c.copies.to_string(),
                format!("{:.1}", c.truth),
            ];
            row.extend(c.ranks.iter().map(|rank| format!("{rank:.1}")));
            row
        })
        .collect();
    let header = [&["model", "copies", "clean bytes"][..], &MEASURES[..]].concat();
    table(out, 2, &header, &rows);
    let rows: Vec<Vec<String>> = ranks
        .taus
        .iter()
        .map(|t| {
            let Spread { mean, low, high } = t.tau;
            let range = format!("{low:+.2} to {high:+.2}");
            vec![t.measure.clone(), format!("{mean:+.2}"), range]
        })
        .collect();
    table(
        out,
        1,
        &["ranked by", "Kendall's tau-b", "over seeds"],
        &rows,
    );
}
