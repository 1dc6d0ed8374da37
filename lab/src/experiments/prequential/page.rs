//! The page of prequential codes.

use maud::{Markup, html};

use super::{Prequential, Run, curve_chart, ladder_chart};
use brevity_draw::{Table, document, figure, warning};
use brevity_length::CurvePoint;
use brevity_length::format::{bytes, count, percent};

pub(super) fn page(report: &Prequential) -> String {
    let body = html! {
        p class="over" { "brevity, prequential codes" }
        h1 { (report.name) }
        p class="lead" {
            "Each byte is coded by a model that has learned only from earlier bytes, and is \
             learned afterwards. No weights are sent: a decoder that has the recipe repeats the \
             learning. The prequential rate is the coded bytes plus the recipe, over the raw \
             bytes."
        }
        @for note in &report.notes { (warning(note)) }
        @if report.runs.iter().any(|run| !run.verified) {
            (warning("Lengths marked as estimates are exact code lengths under integer \
                      frequencies, not yet those of archives that were decoded."))
        }
        @if !report.runs.is_empty() {
            (ladder(report))
            (curves(report))
        }
        (table(report))
        (doublings(report))
    };
    document(&report.name, "", &body)
}

fn ladder(report: &Prequential) -> Markup {
    html! {
        h2 { "Rate against size" }
        (figure(
            |width| ladder_chart::draw(report, width),
            &html! {
                "Each dot is a model with one seed; lines join the means of each size. Rates \
                 above three times the lowest are not shown."
            },
        ))
        @if !report.two_part.is_empty() {
            p {
                "Only the two-part curve has a minimum. It pays bytes for every parameter, \
                 regardless of what the parameter has learned. A curve that falls as A N" sup { "−α" }
                " is added to a line that rises with N, and beyond N* a further parameter costs \
                 more than it saves. The prequential code sends no parameters. Its cost of a \
                 larger model is the errors made while learning. Under a law in which size and \
                 data act separately, L(N, D) = E + A N" sup { "−α" } " + B D" sup { "−β" }
                 ", this cost, the sum of B t"
                sup { "−β" }
                " over the bytes t, is the same for every size, so the total falls with N and has \
                 no minimum. If a measured prequential curve rises at large sizes, the largest \
                 models had too few steps for their size, or the data end before they have \
                 learned. That is a property of the learner, not a cost of the bytes of its \
                 parameters."
            }
        }
    }
}

fn curves(report: &Prequential) -> Markup {
    html! {
        h2 { "Rate while learning" }
        (figure(
            |width| curve_chart::draw(report, width),
            &html! {
                "Cumulative code length over the number of bytes coded so far, for the first seed \
                 of each size. Block-wise codes are marked b. Lanes are parts of the file that \
                 advance together, so the first bytes coded are the first bytes of each lane."
            },
        ))
    }
}

fn table(report: &Prequential) -> Markup {
    let header = [
        "data",
        "mode",
        "settings",
        "parameters",
        "seed",
        "rate %",
        "final model %",
        "regret %",
        "state",
    ];
    let mut table = Table::new(&header).left(&[1, 2, 8]);
    let rates = report.runs.iter().map(|run| run.rate);
    let best = rates.fold(f64::INFINITY, f64::min);
    for run in &report.runs {
        let row = vec![
            format!("{} of {}", bytes(run.data_bytes), run.source),
            run.mode.clone(),
            run.settings.clone(),
            run.parameters.to_string(),
            run.seed.to_string(),
            percent(run.rate),
            percent(run.final_rate),
            percent(run.regret_rate),
            run.state().to_owned(),
        ];
        match run.rate == best {
            true => table.push_best(row),
            false => table.push(row),
        }
    }
    html! {
        h2 { "Every run" }
        div class="card scroll" { (table.html()) }
        p {
            "The final model was trained on all bytes, and codes the same bytes in the same way. \
             Its length is in-sample and not a code by itself. The prequential length exceeds it \
             by the regret, the cost of learning."
        }
    }
}

/// Bits per byte between successive doublings of the bytes.
fn doublings(report: &Prequential) -> Markup {
    let longest = report.runs.iter().max_by_key(|run| run.doublings.len());
    let Some(longest) = longest.filter(|run| run.doublings.len() > 1) else {
        return html! {};
    };
    let mut header = vec!["mode".to_owned(), "parameters".into(), "seed".into()];
    let ends = longest.doublings[1..].iter();
    header.extend(ends.map(|p| format!("to {}", bytes(p.bytes as f64))));
    let mut table = Table::new(&header);
    for run in report.runs.iter().filter(|run| same_blocks(run, longest)) {
        let mut row = vec![
            run.mode.clone(),
            count(run.parameters),
            run.seed.to_string(),
        ];
        let blocks = run.doublings.windows(2);
        row.extend(blocks.map(|pair| format!("{:.3}", between(pair[0], pair[1]))));
        table.push(row);
    }
    html! {
        h2 { "Bits per byte, block by block" }
        div class="card scroll" { (table.html()) }
    }
}

fn same_blocks(run: &Run, other: &Run) -> bool {
    let bytes = |run: &Run| -> Vec<u64> { run.doublings.iter().map(|p| p.bytes).collect() };
    bytes(run) == bytes(other)
}

fn between(from: CurvePoint, to: CurvePoint) -> f64 {
    (to.bits - from.bits) / (to.bytes - from.bytes) as f64
}
