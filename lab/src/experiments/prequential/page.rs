//! The page of prequential codes.

use maud::{Markup, html};

use super::{Prequential, Run, curve_chart, ladder_chart};
use brevity_draw::{Table, document, figure, warning};
use brevity_length::CurvePoint;
use brevity_length::format::{self, bytes, percent};

pub(super) fn page(report: &Prequential) -> String {
    let sets = report.by_bytes();
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
        @if !sets.is_empty() {
            (ladder(&sets))
            (curves(&sets))
        }
        (table(report))
        @for set in &sets { (doublings(set, sets.len())) }
    };
    document(&report.name, "", &body)
}

/// Which bytes, as a heading, where there are several sets of them.
fn heading(set: &Prequential, count: usize) -> Markup {
    html! {
        @if count > 1 { h3 { (set.runs[0].data()) } }
    }
}

fn ladder(sets: &[Prequential]) -> Markup {
    html! {
        h2 { "Rate against size" }
        @for set in sets {
            (heading(set, sets.len()))
            (figure(
                |width| ladder_chart::draw(set, width),
                &html! {
                    "Each dot is a model with one seed; lines join the means of each size. Rates \
                     above three times the lowest are not shown."
                },
            ))
        }
        @if sets.iter().any(|set| !set.two_part.is_empty()) {
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

fn curves(sets: &[Prequential]) -> Markup {
    html! {
        h2 { "Rate while learning" }
        @for set in sets {
            (heading(set, sets.len()))
            (figure(
                |width| curve_chart::draw(set, width),
                &html! {
                    "Cumulative code length over the number of bytes coded so far, for the first \
                     seed of each size. Block-wise codes are marked b. Lanes are parts of the \
                     file that advance together, so the first bytes coded are the first bytes of \
                     each lane."
                },
            ))
        }
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
    for run in &report.runs {
        let same = report.runs.iter().filter(|other| other.set() == run.set());
        let best = same.map(|run| run.rate).fold(f64::INFINITY, f64::min);
        let row = vec![
            run.data(),
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
             Its length is in-sample and not a code by itself. The length of the data exceeds it \
             by the regret, the cost of learning; the rate has the recipe besides."
        }
    }
}

/// Bits per byte between successive doublings of the bytes of one of `count` sets.
fn doublings(report: &Prequential, count: usize) -> Markup {
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
            format::count(run.parameters),
            run.seed.to_string(),
        ];
        let blocks = run.doublings.windows(2);
        row.extend(blocks.map(|pair| format!("{:.3}", between(pair[0], pair[1]))));
        table.push(row);
    }
    html! {
        h2 { "Bits per byte, block by block" }
        (heading(report, count))
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
