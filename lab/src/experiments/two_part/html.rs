//! The page: what was found first, then the pictures, then every number.

use std::collections::HashSet;
use std::fmt::Write;

use super::{Panel, Report, law_chart, parts_chart, rate_chart, results_table};
use crate::text;
use brevity_draw::{Svg, WIDTHS, document, escape, figure, put};
use brevity_length::format::{bytes, count, percent};
use brevity_length::rows::ResultRow;
use brevity_stats::checks::Verdict;
use brevity_stats::critical::CriticalSize;

pub(super) fn page(report: &Report) -> String {
    let mut body = String::new();
    header(&mut body, report);
    let panels = report.panels();
    for panel in &panels {
        section(&mut body, panel, panels.len() > 1);
    }
    laws(&mut body, report);
    verdict(&mut body, report);
    results_table::write(&mut body, report);
    footer(&mut body, report);
    document(&report.name, "", &body)
}

fn header(out: &mut String, report: &Report) {
    let trained = models(report, ResultRow::is_candidate);
    let checks = models(report, |row| row.is_scored() && row.check.is_some());
    let done = report.rows.iter().filter(|r| r.is_candidate()).count();
    put!(out, "<p class=\"over\">brevity report</p>");
    put!(out, "<h1>{}</h1>", escape(&report.name));
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    put!(
        out,
        "<p class=\"lead\">{trained} model{} trained and measured, {done} score{}{}. The adjusted \
         rate is what a file takes once the model that shortens it is counted too: (coded data + model) \
         / raw data. A larger model codes the data in fewer bytes and takes more bytes itself; \
         N* is the size where one more parameter stops paying for itself.</p>",
        plural(trained),
        plural(done),
        match checks {
            0 => String::new(),
            _ => format!("; {checks} more check that they were trained enough"),
        },
    );
    for note in &report.notes {
        put!(out, "<p class=\"warning\">{}</p>", escape(note));
    }
    if report.rows.iter().any(|r| r.is_scored() && r.estimate) {
        put!(
            out,
            "<p class=\"warning\">Lengths are estimates: exact code lengths under integer \
             frequencies, not yet those of archives that were decoded.</p>"
        );
    }
}

/// How many models the rows that `count` are of.
fn models(report: &Report, count: impl Fn(&ResultRow) -> bool) -> usize {
    let ids: HashSet<&str> = report
        .rows
        .iter()
        .filter(|row| count(row))
        .map(|row| row.id.as_str())
        .collect();
    ids.len()
}

fn section(out: &mut String, panel: &Panel<'_>, titled: bool) {
    let conventions = panel.conventions();
    if titled {
        put!(out, "<h2>{}</h2>", escape(capitalised(&panel.name())));
    }
    if !panel.critical.is_empty() {
        put!(out, "<div class=\"stars\">");
        for c in &panel.critical {
            star(
                out,
                c,
                rate_chart::class_of(&conventions, &c.convention),
                panel,
            );
        }
        put!(out, "</div>");
        for c in &panel.critical {
            for warning in &c.warnings {
                put!(
                    out,
                    "<p class=\"warning\">{}: {}</p>",
                    escape(&c.convention),
                    escape(warning)
                );
            }
        }
    }
    figure(
        out,
        |width| rate_chart::draw(panel, width),
        "Dots are trained models, one a seed; lines are the fitted law \
         E + A·N<sup>−α</sup>, with the model's bytes added for the adjusted curves; shaded along \
         the lines, what 95% of resampled fits pass. Dashed uprights are the critical sizes with \
         their 95% intervals. Dotted lines are classical coders on the same bytes, each at its best \
         setting. What is far above the optimum is left to the table.",
    );
    for (i, (convention, _)) in parts_chart::draw(panel, WIDTHS[0].0).iter().enumerate() {
        let caption = format!(
            "What the description is made of, in percent of the raw bytes, model bytes counted as \
             {}. The shortest in bold.",
            escape(convention)
        );
        let draw = |width| parts_chart::draw(panel, width).swap_remove(i).1;
        figure(out, draw, &caption);
    }
}

fn star(out: &mut String, c: &CriticalSize, class: &str, panel: &Panel<'_>) {
    put!(out, "<div class=\"card {class}\">");
    put!(
        out,
        "<div class=\"star-name\">Best sizes, {}</div>",
        escape(convention_in_words(&c.convention))
    );
    // Any of these will do; the place of the optimum itself comes second.
    let (value, of) = match c.near.first() {
        Some(near) => (
            text::interval(Some(near.sizes)),
            "parameters, within 0.5% of the best rate",
        ),
        None => (count(c.n_star), "parameters"),
    };
    put!(
        out,
        "<div class=\"star-value\">{value} <small>{of}</small></div>\n<dl class=\"facts\">"
    );
    let mut fact = |name: &str, value: String| {
        put!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(value));
    };
    fact("critical size N*", count(c.n_star));
    fact("95% interval", text::interval(c.ci95));
    fact("all laws not rejected", text::interval(c.envelope));
    fact("adjusted rate there", format!("{}%", percent(c.rate)));
    let best = panel
        .baselines
        .and_then(|b| b.results.iter().min_by_key(|r| r.bytes));
    if let Some(best) = best {
        fact(
            "best classical",
            format!("{}% ({})", percent(best.rate), best.coder),
        );
    }
    fact("of it the model", format!("{:.1}%", 100.0 * c.model_share));
    fact("exponent α", format!("{:.3}", c.alpha));
    if let Some(akima) = c.akima_n_star {
        fact("without a law (Akima)", count(akima));
    }
    put!(out, "</dl></div>");
}

fn convention_in_words(name: &str) -> &str {
    match name {
        "fp16" => "2 bytes a parameter (fp16)",
        "stored" => "model as stored in the archive",
        other => other,
    }
}

fn laws(out: &mut String, report: &Report) {
    if report.laws.is_empty() {
        return;
    }
    put!(out, "<h2>The law over data size</h2>");
    if law_chart::draw(report, WIDTHS[0].0).is_some() {
        figure(
            out,
            |width| {
                law_chart::draw(report, width)
                    .unwrap_or_else(|| Svg::new(width, 1.0, String::new()))
            },
            "Rings are the separate fits with their 95% intervals, dashed lines the power law \
             through them, lines the joint law of all sizes of model and data.",
        );
    }
    for law in &report.laws {
        put!(
            out,
            "<p>{} {}: bits per byte = {}, which misses the points by {:.1}%; N* grows as \
             D^{:.2}.</p>",
            escape(&law.regime),
            escape(&law.convention),
            law.law,
            100.0 * law.residual,
            law.exponent,
        );
        for warning in &law.warnings {
            put!(
                out,
                "<p class=\"warning\">{} {}: {}</p>",
                escape(&law.regime),
                escape(&law.convention),
                escape(warning)
            );
        }
        if let Some(test) = &law.left_out {
            put!(
                out,
                "<p>{} {}: without the models trained on {}, the law predicts N* = {} there ({}); \
                 measured {}, {:+.2} octaves off, which costs {:.2}% of the rate.",
                escape(&law.regime),
                escape(&law.convention),
                bytes(test.data_bytes),
                count(test.predicted_n_star),
                text::interval(test.ci95),
                count(test.measured_n_star),
                test.octaves,
                100.0 * test.regret,
            );
            if let Some(free) = &test.free {
                put!(
                    out,
                    " A power law through the separate fits of the others predicts {}: {:+.2} \
                     octaves, {:.2}%.",
                    count(free.n_star),
                    free.octaves,
                    100.0 * free.regret,
                );
            }
            put!(out, "</p>");
        }
    }
}

fn verdict(out: &mut String, report: &Report) {
    let Some(checks) = &report.checks else { return };
    let meaning = match checks.verdict {
        Verdict::Sound => "nothing found here speaks against the critical sizes",
        Verdict::UpperBound => {
            "better training may shorten the descriptions, those of larger models most, so the \
             rates are upper bounds and in-sample N* a lower one"
        }
        Verdict::Unsound => "the critical sizes should not be relied on",
    };
    put!(
        out,
        "<h2>Verdict: {}</h2>\n<div class=\"card\"><p>In short, {meaning}. What was looked at:</p><ul>",
        checks.verdict.name()
    );
    for reason in &checks.reasons {
        put!(out, "<li>{}</li>", escape(reason));
    }
    put!(out, "</ul></div>");
}

fn footer(out: &mut String, report: &Report) {
    let Some(row) = report
        .rows
        .iter()
        .find(|r| r.other.contains_key("provenance"))
    else {
        return;
    };
    let known = |key: &str| {
        let value = &row.other["provenance"][key];
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.as_u64().map(|n| n.to_string()))
    };
    let parts: Vec<String> = [
        ("version", "brevity"),
        ("git", "commit"),
        ("device", "device"),
        ("threads", "threads"),
        ("data_hash", "data BLAKE3"),
    ]
    .iter()
    .filter_map(|(key, name)| Some(format!("{name} {}", known(key)?)))
    .collect();
    put!(out, "<footer>{}</footer>", escape(parts.join(" · ")));
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
