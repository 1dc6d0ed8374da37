//! The page: findings first, then charts, then tables of every number.

use std::collections::HashSet;

use maud::{Markup, html};

use super::{Panel, Report, law_chart, parts_chart, rate_chart, results_table};
use crate::text;
use brevity_draw::{Svg, WIDTHS, document, figure, warning};
use brevity_length::Row;
use brevity_length::format::{bytes, count, percent};
use brevity_stats::checks::{Checks, Verdict};
use brevity_stats::critical::{
    CriticalSize,
    joint::{DataLaw, LeftOut},
};

pub(super) fn page(report: &Report) -> String {
    let panels = report.panels();
    let body = html! {
        (header(report))
        @for panel in &panels { (section(panel, panels.len() > 1)) }
        (laws(report))
        @if let Some(checks) = &report.checks { (verdict(checks)) }
        (results_table::tables(report))
        (footer(report))
    };
    document(&report.name, "", &body)
}

fn header(report: &Report) -> Markup {
    let trained = models(report, Row::is_candidate);
    let checks = models(report, |row| row.is_scored() && row.check.is_some());
    let done = report.rows.iter().filter(|r| r.is_candidate()).count();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    html! {
        p class="over" { "brevity report" }
        h1 { (report.name) }
        p class="lead" {
            (trained) " model" (plural(trained)) " trained and measured, "
            (done) " score" (plural(done))
            @if checks > 0 { "; " (checks) " more check whether they were trained well enough" }
            ". The adjusted rate counts the model that compresses the data as well as the \
             compressed data: (coded data + model) / raw data. A larger model codes the data in \
             fewer bytes but takes more bytes itself. At the critical size N*, one more parameter \
             costs as many bytes as it saves."
        }
        @for note in &report.notes { (warning(note)) }
        @if report.rows.iter().any(|r| r.is_scored() && !r.is_decoded()) {
            (warning("Lengths are estimates: exact code lengths under integer frequencies, not \
                      lengths of decoded archives."))
        }
    }
}

/// Number of models among the rows for which `count` holds.
fn models(report: &Report, count: impl Fn(&Row) -> bool) -> usize {
    let ids: HashSet<&str> = report
        .rows
        .iter()
        .filter(|row| count(row))
        .map(Row::id)
        .collect();
    ids.len()
}

fn section(panel: &Panel<'_>, titled: bool) -> Markup {
    let conventions = panel.conventions();
    let parts = parts_chart::draw(panel, WIDTHS[0].0);
    html! {
        @if titled { h2 { (capitalised(&panel.name())) } }
        @if !panel.critical.is_empty() {
            div class="stars" {
                @for c in &panel.critical {
                    (star(c, rate_chart::class_of(&conventions, &c.convention), panel))
                }
            }
            @for c in &panel.critical {
                @for text in &c.warnings { (warning(html! { (c.convention) ": " (text) })) }
            }
        }
        (figure(
            |width| rate_chart::draw(panel, width),
            &html! {
                "Each dot is a trained model with one seed. Lines are the fitted law E + A·N"
                sup { "−α" }
                ", plus the model's bytes for the adjusted curves; the shaded bands contain 95% \
                 of the resampled fits at each size. Dashed vertical lines are the critical sizes \
                 with their 95% intervals. Dotted lines are classical coders on the same bytes, \
                 each at its best setting, and this project's context models, alone or with a \
                 stored model of the sweep, where that is shorter. Rates far above the optimum are only in the table."
            },
        ))
        @for (i, (convention, _)) in parts.iter().enumerate() {
            (figure(
                |width| parts_chart::draw(panel, width).swap_remove(i).1,
                &html! {
                    "The parts of the description in percent of the raw bytes, with model bytes \
                     counted as " (convention) ". The shortest description is bold."
                },
            ))
        }
    }
}

fn star(c: &CriticalSize, class: &str, panel: &Panel<'_>) -> Markup {
    let best = panel
        .baselines
        .and_then(|b| b.results.iter().min_by_key(|r| r.bytes));
    let beside = panel.baselines.iter().flat_map(|b| &b.beside);
    let fact = |name: &str, value: &str| {
        html! { div { dt { (name) } dd { (value) } } }
    };
    // Any of these sizes will do; the place of the optimum itself comes second.
    let (value, of) = match c.near.first() {
        Some(near) => (
            text::interval(Some(near.sizes)),
            "parameters, within 0.5% of the best rate",
        ),
        None => (count(c.n_star), "parameters"),
    };
    html! {
        div class={ "card " (class) } {
            div class="star-name" { "Best sizes, " (convention_in_words(&c.convention)) }
            div class="star-value" { (value) " " small { (of) } }
            dl class="facts" {
                (fact("critical size N*", &count(c.n_star)))
                (fact("95% interval", &text::interval(c.ci95)))
                (fact("envelope of all laws not rejected", &text::interval(c.envelope)))
                (fact("adjusted rate there", &format!("{}%", percent(c.rate))))
                (fact("model share", &format!("{:.1}%", 100.0 * c.model_share)))
                @if let Some(best) = best {
                    (fact("best classical", &format!("{}% ({})", percent(best.rate), best.coder)))
                }
                @for (name, r) in ["context models alone", "mixed with a stored model"]
                    .into_iter().zip(beside) {
                    (fact(name, &format!("{}% ({})", percent(r.rate), r.coder)))
                }
                (fact("exponent α", &format!("{:.3}", c.alpha)))
                @if let Some(akima) = c.akima_n_star {
                    (fact("without a law (Akima)", &count(akima)))
                }
            }
        }
    }
}

fn convention_in_words(name: &str) -> &str {
    match name {
        "fp16" => "2 bytes per parameter (fp16)",
        "stored" => "model as stored in the archive",
        other => other,
    }
}

fn laws(report: &Report) -> Markup {
    if report.laws.is_empty() {
        return html! {};
    }
    let draw = |width| law_chart::draw(&report.laws, &report.critical, width);
    html! {
        h2 { "The law over data size" }
        @if draw(WIDTHS[0].0).is_some() {
            (figure(
                |width| draw(width).unwrap_or_else(|| Svg::new(width, 1.0, String::new())),
                &html! {
                    "Rings are separate fits at each data size with their 95% intervals. Dashed \
                     lines are the power law through them. Solid lines are the joint law over all \
                     sizes of model and data."
                },
            ))
        }
        @for law in &report.laws { (one_law(law)) }
    }
}

fn one_law(law: &DataLaw) -> Markup {
    let named = html! { (law.regime) " " (law.convention) ": " };
    html! {
        p {
            (named) "bits per byte = " (law.law) ", with a root-mean-square residual of "
            (format!("{:.1}", 100.0 * law.residual)) "%; N* grows as D^"
            (format!("{:.2}", law.exponent)) "."
        }
        @for text in &law.warnings { (warning(html! { (named) (text) })) }
        @if let Some(test) = &law.left_out { p { (named) (left_out(test)) } }
    }
}

fn left_out(test: &LeftOut) -> Markup {
    html! {
        "without the models trained on " (bytes(test.data_bytes)) ", the law predicts N* = "
        (count(test.predicted_n_star)) " there (" (text::interval(test.ci95)) "); measured "
        (count(test.measured_n_star)) ", " (format!("{:+.2}", test.octaves))
        " octaves away from the measurement, which costs " (percent(test.regret)) "% of the rate."
        @if let Some(free) = &test.free {
            " A power law through the separate fits of the others predicts " (count(free.n_star))
            ": " (format!("{:+.2}", free.octaves)) " octaves, " (percent(free.regret)) "%."
        }
    }
}

fn verdict(checks: &Checks) -> Markup {
    let meaning = match checks.verdict {
        Verdict::Sound => "no check speaks against the critical sizes",
        Verdict::UpperBound => {
            "better training may shorten the descriptions, most of all those of larger models; so \
             the rates are upper bounds, and in-sample N* is a lower bound"
        }
        Verdict::Unsound => "the critical sizes should not be relied on",
    };
    html! {
        h2 { "Verdict: " (checks.verdict.name()) }
        div class="card" {
            p { "In short, " (meaning) ". The checks:" }
            ul { @for reason in &checks.reasons { li { (reason) } } }
        }
    }
}

fn footer(report: &Report) -> Markup {
    let Some(from) = report.rows.iter().find_map(|r| r.provenance.as_ref()) else {
        return html! {};
    };
    let threads = from.threads.to_string();
    let known = [
        ("brevity", Some(&from.version)),
        ("commit", from.git.as_ref()),
        ("device", Some(&from.device)),
        ("threads", Some(&threads)),
        ("data BLAKE3", from.data_hash.as_ref()),
    ];
    let parts: Vec<String> = known
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", (*value)?)))
        .collect();
    html! { footer { (parts.join(" · ")) } }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
