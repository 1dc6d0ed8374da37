//! The page: findings, charts, tables of every number.

use maud::{Markup, html};

use super::{Contamination, MEASURES, Spread, alone_chart, detector_chart, dose_chart, text};
use brevity_draw::{Table, document, figure, warning};
use brevity_length::format::{bytes, count, percent};

pub(super) fn page(found: &Contamination) -> String {
    let estimates = found.leaked.iter().any(|l| !l.verified)
        || found.alone.iter().any(|a| !a.verified)
        || found.prequential.iter().any(|p| !p.verified);
    let body = html! {
        p class="over" { "brevity, contamination" }
        h1 { (found.name) }
        p class="lead" {
            "A test that leaks into the training bytes makes a model look better than it is. \
             Description lengths are protected without detecting the leak: bytes stored in the \
             weights are paid for as model bytes, and a prequential code cannot use the training \
             bytes, because it starts without having seen them. Here the leaks are made on \
             purpose, and every measure is computed for each of them."
        }
        @for note in &found.notes { (warning(note)) }
        @if estimates {
            (warning("Lengths marked as estimates are exact code lengths under integer \
                      frequencies, not those of archives that were decoded."))
        }
        (findings(found))
        @if !found.alone.is_empty() { (alone(found)) }
        @if !found.models().is_empty() { (doses(found)) }
        @if found.leaked.iter().any(|l| l.detected.is_some()) { (detectors(found)) }
        (ranks(found))
    };
    document(&found.name, "", &body)
}

/// A table whose first `left` columns hold words.
fn table(left: usize, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Markup {
    let words: Vec<usize> = (0..left).collect();
    let mut table = Table::new(header).left(&words);
    for row in rows {
        table.push(row);
    }
    html! { div class="card scroll" { (table.html()) } }
}

fn findings(found: &Contamination) -> Markup {
    if found.findings.is_empty() {
        return html! {};
    }
    html! {
        h2 { "Findings" }
        div class="card" {
            ul {
                @for finding in &found.findings {
                    li {
                        b { (finding.claim) "." }
                        @if finding.holds { " Holds: " } @else { " Does not hold: " }
                        (finding.numbers)
                    }
                }
            }
        }
    }
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

fn alone(found: &Contamination) -> Markup {
    let keys = super::distinct(found.alone.iter().map(|a| (&a.part, &a.model)));
    let rows = keys.into_iter().map(|(part, model)| {
        let all = || {
            let of = move |a: &&super::Alone| a.part == *part && a.model == *model;
            found.alone.iter().filter(of)
        };
        let learned = found.prequential.iter();
        let learned = learned.filter(|p| p.part == *part && p.model == *model);
        let parameters = all().next().map(|a| count(a.parameters as f64));
        vec![
            part.clone(),
            model.clone(),
            parameters.unwrap_or_default(),
            rate(all().map(|a| a.raw_rate)),
            rate(all().filter_map(|a| a.held_out_rate)),
            rate(all().filter_map(|a| a.adjusted_rate.get("fp16").copied())),
            rate(all().filter_map(|a| a.adjusted_rate.get("stored").copied())),
            rate(learned.map(|p| p.rate)),
        ]
    });
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
    html! {
        h2 { "A memoriser against an honest model" }
        (figure(
            |width| alone_chart::draw(found, width),
            &html! {
                "Both models were trained on exactly the bytes that are scored. The raw rate is \
                 not a code length: for a large enough model it goes to zero, even on random \
                 bytes. When the model is counted, or in a prequential code, which sends no \
                 model, memorising does not make the description shorter. In the tables, ± is \
                 half the range over seeds."
            },
        ))
        (table(2, &header, rows))
        (coders(found))
    }
}

/// Classical coders and context models on the bytes that memoriser and honest model are scored on.
fn coders(found: &Contamination) -> Markup {
    let part = |hash: &str| found.alone.iter().find(|a| a.hash == hash).map(|a| &a.part);
    let results = |set: &super::DataBaselines| {
        let results = set.all();
        let rates = results.map(|r| format!("{} {}%", r.coder, percent(r.rate)));
        rates.collect::<Vec<String>>().join(", ")
    };
    html! {
        @for set in &found.baselines {
            @if let Some(part) = part(&set.hash) {
                p {
                    "Classical coders and context models on the same " (bytes(set.bytes as f64)) " of " (part) ": "
                    (results(set)) "."
                }
            }
        }
    }
}

fn doses(found: &Contamination) -> Markup {
    let parameters = |model: &str| {
        let of = found.leaked.iter().find(|l| l.model == model);
        of.map_or(0.0, |l| l.parameters as f64)
    };
    let rows = text::groups(found)
        .into_iter()
        .map(|(model, copies, skip)| {
            let all = || found.seeds(model, copies, skip);
            let learned = found.learned(model, copies).filter(|_| skip == 0);
            vec![
                model.to_owned(),
                leak(copies, skip),
                rate(all().map(|l| l.raw_rate)),
                text::to_twin(all()),
                rate(all().map(|l| l.clean_rate)),
                rate(all().filter_map(|l| l.adjusted_rate.get("fp16").copied())),
                rate(all().filter_map(|l| l.adjusted_rate.get("stored").copied())),
                rate(learned.map(|p| p.rate)),
            ]
        });
    let header = [
        "model",
        "copies",
        "raw %",
        "to twin",
        "clean %",
        "fp16 %",
        "stored %",
        "prequential %",
    ];
    html! {
        h2 { "The dose" }
        @for model in found.models() {
            h3 { (model) ", " (count(parameters(model))) " parameters" }
            (figure(
                |width| dose_chart::draw(found, model, width),
                &html! {
                    "Lines are means over seeds, shaded from the lowest to the highest. All \
                     models see the same number of bytes in training at every dose."
                },
            ))
        }
        (table(2, &header, rows))
        p {
            "The prequential code of the test comes from a learner that has never seen the \
             training bytes. It is computed again at every dose, on the bytes of that trial. A \
             prequential code that started from the weights of one of these models would be \
             affected by the leak."
        }
    }
}

fn leak(copies: u64, skip_words: u64) -> String {
    match skip_words {
        0 => copies.to_string(),
        every => format!("{copies}, without every {every}th word"),
    }
}

fn detectors(found: &Contamination) -> Markup {
    let rows = text::groups(found)
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
                first.spaced.map_or_else(|| "-".into(), percent),
                first.longest_match.to_string(),
                percent(first.in_long_matches),
                format!("{:.2} ({:.2} to {:.2})", auc.mean, auc.low, auc.high),
            ])
        });
    let header = [
        "model",
        "copies",
        "8-grams %",
        "13-grams %",
        "spaced %",
        "longest match",
        "in matches %",
        "Min-K% AUC",
    ];
    html! {
        h2 { "Detectors" }
        (figure(
            |width| detector_chart::draw(found, width),
            &html! {
                "N-gram overlap and the longest match compare bytes. They need the training bytes \
                 and find only exact copies of sufficient length, one copy as well as a hundred. \
                 Min-K% uses the model: its AUC is how often a piece of the test is distinguished \
                 from a clean piece; 50% is chance. Each disguised copy lacks every n-th word. \
                 The reduction of the raw rate shows how much the leak is worth."
            },
        ))
        (table(2, &header, rows))
    }
}

fn ranks(found: &Contamination) -> Markup {
    let Some(ranks) = &found.ranks else {
        return html! {};
    };
    let candidates = ranks.candidates.iter().map(|c| {
        let mut row = vec![
            c.model.clone(),
            c.copies.to_string(),
            format!("{:.1}", c.truth),
        ];
        row.extend(c.ranks.iter().map(|rank| format!("{rank:.1}")));
        row
    });
    let taus = ranks.taus.iter().map(|t| {
        let Spread { mean, low, high } = t.tau;
        let range = format!("{low:+.2} to {high:+.2}");
        vec![t.measure.clone(), format!("{mean:+.2}"), range]
    });
    let header = [&["model", "copies", "clean bytes"][..], &MEASURES[..]].concat();
    html! {
        h2 { "Ranks" }
        p {
            "All models of the dose ladder with exact copies, in the order of their rate on clean \
             bytes, with their ranks by each measure of the test. Ranks are means over " (ranks.seeds.len())
             " seeds. The adjusted rates charge a whole model to a short test. So they rank \
              different sizes by model bytes, and models of the same size in the same way as the \
              raw rate: a leak brings no advantage, but it is not detected either. The \
              prequential length is the same at every dose; the tied ranks keep tau-b below 1."
        }
        (table(2, &header, candidates))
        (table(1, &["ranked by", "Kendall's tau-b", "over seeds"], taus))
    }
}
