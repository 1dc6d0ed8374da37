//! The page of prequential codes.

use super::{Prequential, Run, curve_chart, ladder_chart};
use brevity_draw::escape;
use brevity_draw::{document, figure, put};
use brevity_length::CurvePoint;
use brevity_length::format::{bytes, count, percent};
use std::fmt::Write;

pub(super) fn page(report: &Prequential) -> String {
    let mut body = String::new();
    put!(body, "<p class=\"over\">brevity, prequential codes</p>");
    put!(body, "<h1>{}</h1>", escape(&report.name));
    put!(
        body,
        "<p class=\"lead\">Each byte is priced by a model that has learned from earlier bytes \
         only, and is learned afterwards. No weights are sent: whoever has the recipe repeats the \
         learning. The prequential rate is what that takes, recipe included, over the raw bytes.</p>"
    );
    for note in &report.notes {
        put!(body, "<p class=\"warning\">{}</p>", escape(note));
    }
    if report.runs.iter().any(|run| !run.verified) {
        put!(
            body,
            "<p class=\"warning\">Lengths marked as estimates are exact code lengths under integer \
             frequencies, not yet those of archives that were decoded.</p>"
        );
    }
    if !report.runs.is_empty() {
        ladder(&mut body, report);
        curves(&mut body, report);
    }
    table(&mut body, report);
    doublings(&mut body, report);
    document(&report.name, "", &body)
}

fn ladder(out: &mut String, report: &Prequential) {
    put!(out, "<h2>Rate against size</h2>");
    figure(
        out,
        |width| ladder_chart::draw(report, width),
        "Dots are models, one a seed; lines join the means of each size. What is more than three \
         times the lowest rate is left out.",
    );
    if report.two_part.is_empty() {
        return;
    }
    put!(
        out,
        "<p>Only the two-part curve has a minimum. It pays for every parameter in bytes, whatever \
         the parameter has learned, so a curve that falls as A N<sup>−α</sup> meets a line that \
         rises with N, and beyond N* a further parameter costs more than it saves. The prequential \
         code sends no parameter. What a larger model costs it is being wrong while it learns, and \
         under a law in which size and data act separately, L(N, D) = E + A N<sup>−α</sup> + \
         B D<sup>−β</sup>, that cost, the sum of B t<sup>−β</sup> over the bytes t, is the same for \
         every size: the sum falls with N and has no minimum. Where a measured prequential curve \
         does turn up, the largest models were given too few steps for their size, or the data end \
         before they have learned: a statement about the learner, not about the bytes of its \
         parameters.</p>"
    );
}

fn curves(out: &mut String, report: &Prequential) {
    put!(out, "<h2>Rate while learning</h2>");
    figure(
        out,
        |width| curve_chart::draw(report, width),
        "All bytes spent so far over all bytes coded so far, for the first seed of each size; block-\
         wise codes are marked b. Lanes are parts of the file that advance together, so the first \
         bytes coded are the first ones of each lane.",
    );
}

fn table(out: &mut String, report: &Prequential) {
    put!(
        out,
        "<h2>Every run</h2>\n<div class=\"card scroll\"><table>"
    );
    put!(
        out,
        "<thead><tr><th class=\"left\">data</th><th class=\"left\">mode</th>\
         <th class=\"left\">settings</th><th>parameters</th><th>seed</th><th>rate %</th>\
         <th>final model %</th><th>regret %</th><th class=\"left\">state</th></tr></thead>\n<tbody>"
    );
    let best = report
        .runs
        .iter()
        .map(|run| run.rate)
        .fold(f64::INFINITY, f64::min);
    for run in &report.runs {
        let class = if run.rate == best {
            " class=\"best\""
        } else {
            ""
        };
        put!(
            out,
            "<tr{class}><td class=\"left\">{} of {}</td><td class=\"left\">{}</td>\
             <td class=\"left\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td class=\"left\">{}</td></tr>",
            bytes(run.data_bytes),
            escape(&run.source),
            escape(&run.mode),
            escape(&run.settings),
            run.parameters,
            run.seed,
            percent(run.rate),
            percent(run.final_rate),
            percent(run.regret_rate),
            run.state(),
        );
    }
    put!(out, "</tbody></table></div>");
    put!(
        out,
        "<p>The final model is the one that all bytes made, priced on the same bytes in the same \
         way: an in-sample length, and no code by itself. What the prequential code needs beyond it \
         is its regret, the price of learning.</p>"
    );
}

/// Bits a byte between one doubling of the bytes and the next.
fn doublings(out: &mut String, report: &Prequential) {
    let longest = report.runs.iter().max_by_key(|run| run.doublings.len());
    let Some(longest) = longest.filter(|run| run.doublings.len() > 1) else {
        return;
    };
    put!(
        out,
        "<h2>Bits a byte, block by block</h2>\n<div class=\"card scroll\"><table>"
    );
    let heads: String = longest.doublings[1..]
        .iter()
        .map(|p| format!("<th>to {}</th>", bytes(p.bytes as f64)))
        .collect();
    put!(
        out,
        "<thead><tr><th class=\"left\">mode</th><th>parameters</th><th>seed</th>{heads}</tr></thead>\n<tbody>"
    );
    for run in report.runs.iter().filter(|run| same_blocks(run, longest)) {
        let cells: String = run
            .doublings
            .windows(2)
            .map(|pair| format!("<td>{:.3}</td>", between(pair[0], pair[1])))
            .collect();
        put!(
            out,
            "<tr><td class=\"left\">{}</td><td>{}</td><td>{}</td>{cells}</tr>",
            escape(&run.mode),
            count(run.parameters),
            run.seed,
        );
    }
    put!(out, "</tbody></table></div>");
}

fn same_blocks(run: &Run, other: &Run) -> bool {
    let bytes = |run: &Run| -> Vec<u64> { run.doublings.iter().map(|p| p.bytes).collect() };
    bytes(run) == bytes(other)
}

fn between(from: CurvePoint, to: CurvePoint) -> f64 {
    (to.bits - from.bits) / (to.bytes - from.bytes) as f64
}
