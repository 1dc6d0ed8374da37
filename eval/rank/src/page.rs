//! The page of a ranking.

use crate::text::{by_set, correlations, detectors, leaderboard, overlaps};
use crate::{FLAGGED, OfModel, Ranking};
use brevity_draw::{Anchor, Scale, Svg, Table, document, extent, figure, warning};
use brevity_length::format::bytes;
use maud::{Markup, html};

/// A self-contained page: the leaderboard, each set, how alike the sets are, and what the
/// detectors say beside their false alarms.
#[must_use]
pub fn page(found: &Ranking) -> String {
    let total: u64 = found.sets.iter().map(|set| set.data_bytes).sum();
    let old: Vec<String> = found.models.iter().flat_map(seen_before).collect();
    let body = html! {
        p class="over" { "brevity, models on dated texts" }
        h1 { (found.title) }
        p class="lead" {
            (found.models.len()) " models on " (found.sets.len()) " byte sets, "
            (bytes(total as f64)) ": bits per raw byte, the mean over the sets."
        }
        @for note in &found.notes { p { (note) } }
        (card(&leaderboard(found)))
        p class="lead" {
            "Code lengths under the coder's frequencies: estimates. Each document is coded from \
             a start without a past; a classical coder keeps the documents before. After ± \
             stands half of the 95% interval over other documents of the same kinds, the same \
             ones for all models. Adjusted rates have the model as stored, once for all sets."
        }
        @if found.models.len() > 1 {
            (figure(|width| chart(found, width), &html! {
                "Bits a byte, mean over the sets, with 95% intervals."
            }))
        }
        h2 { "By set" }
        (card(&by_set(found)))
        p class="lead" {
            @for set in &found.sets {
                (set.name) ": " (bytes(set.data_bytes as f64)) " of " (set.source) ", "
                (set.documents) " documents. "
            }
        }
        @for line in &old { (warning(line)) }
        @if let Some(table) = correlations(found) {
            h2 { "How alike the sets order the models" }
            (card(&table))
        }
        @if let Some(table) = overlaps(found) {
            h2 { "In common with the training bytes" }
            (card(&table))
        }
        @if let Some(table) = detectors(found) {
            h2 { "Detectors" }
            p {
                "Share of documents that each flags: of the set; of clean documents of the same \
                 kind, which are false alarms; of documents that the model was trained on, which \
                 are hits; and of these with every sixth word left out. What is flagged in the \
                 set means something where it is well above the false alarms, and only as far as \
                 the detector hits."
            }
            (card(&table))
            p class="lead" {
                "n-grams and spaced seeds flag a document of whose places they find "
                (format!("{:.0}", 100.0 * FLAGGED)) "% in the training bytes. Min-K%++ flags what \
                 scores higher than 95% of one half of the clean documents; its false alarms are \
                 those of the other half. CoDeC is the share of documents that become less likely \
                 after others of their group."
            }
        }
    };
    document(&found.title, include_str!("page.css"), &body)
}

/// Warnings of sets that are no newer than what the model learned.
fn seen_before(model: &OfModel) -> Option<String> {
    let old = model.sets.iter().filter(|cell| cell.fresh == Some(false));
    let names: Vec<&str> = old.map(|cell| &cell.set[..]).collect();
    let cutoff = model.cutoff.as_ref()?;
    (!names.is_empty()).then(|| {
        let (name, sets) = (&model.name, names.join(", "));
        format!("* {name} learned texts up to {cutoff}: {sets} may be among them.")
    })
}

fn card(table: &Table) -> Markup {
    html! { div class="card scroll" { (table.html()) } }
}

/// A point with its interval for each model.
fn chart(found: &Ranking, width: f64) -> Svg {
    const EACH: f64 = 28.0;
    const LABEL: f64 = 150.0;
    let height = EACH * found.models.len() as f64 + 30.0;
    let mut svg = Svg::new(width, height, "Bits a byte of each model".into());
    let ends = found
        .models
        .iter()
        .flat_map(|model| model.ci95.unwrap_or([model.bits_per_byte; 2]));
    let (low, high) = extent(ends);
    let room = 0.05 * (high - low).max(0.01);
    let x = Scale::linear((low - room, high + room), (LABEL, width - 16.0));
    for (i, model) in found.models.iter().enumerate() {
        let y = 8.0 + EACH * (i as f64 + 0.5);
        let name: String = match model.name.chars().count() > 20 {
            true => model.name.chars().take(19).chain(['…']).collect(),
            false => model.name.clone(),
        };
        svg.text("tick", (LABEL - 10.0, y + 4.0), Anchor::End, &name);
        if let Some([low, high]) = model.ci95 {
            svg.line("whisker", (x.at(low), y), (x.at(high), y));
        }
        let at = x.at(model.bits_per_byte);
        let label = format!("{}: {:.4}", model.name, model.bits_per_byte);
        svg.rect("spot", (at - 4.0, y - 4.0), (8.0, 8.0), &label);
    }
    let base = height - 18.0;
    svg.line("axis", (LABEL, base), (width - 16.0, base));
    for end in [low, high] {
        svg.text(
            "tick",
            (x.at(end), base + 14.0),
            Anchor::Middle,
            &format!("{end:.2}"),
        );
    }
    svg
}
