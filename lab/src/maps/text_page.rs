//! The page of a text map.

use maud::{Markup, PreEscaped, html};

use super::Map;
use super::costs::{Cost, pack};
use super::text::{SHADES, shaded};
use brevity_draw::{Anchor, Scale, Svg, document, figure, trimmed, warning};
use brevity_length::format::{bytes as in_bytes, percent};

pub(super) fn page(map: &Map<'_>, bytes: &[u8], costs: &[Cost]) -> String {
    let subject = map.subject();
    let body = html! {
        p class="over" { "brevity, where the bits go" }
        h1 { (subject) }
        p class="lead" {
            "The cost of each byte under " (map.model_name)
            ": its exact code length, given the bytes before it. Without a model, a byte costs 8 \
             bits. If the model gives the byte a lower probability than that, it costs more."
        }
        @if bytes.len() < map.data.len() {
            (warning(html! {
                "This map shows the first " (bytes.len())
                " bytes. To see later bytes, make a map of a later piece."
            }))
        }
        (facts(costs))
        (figure(
            |width| line_chart(costs, width),
            &html! {
                "Bits per byte along the text: means over stretches of " (stretch(costs.len())) " bytes."
            },
        ))
        (legend())
        div class="card" id="text" tabindex="0"
            aria-label="the text, shaded; arrow keys go from character to character" {
            (PreEscaped(shaded(bytes, costs)))
        }
        div id="tip" role="status" hidden {}
        script type="application/octet-stream" id="costs" { (PreEscaped(pack(costs))) }
        script { (PreEscaped(include_str!("text.js"))) }
    };
    document(&subject, include_str!("text.css"), &body)
}

fn facts(costs: &[Cost]) -> Markup {
    let mut bits: Vec<f32> = costs.iter().map(|cost| cost.bits).collect();
    let total: f64 = bits.iter().map(|&b| f64::from(b)).sum();
    let n = costs.len().max(1) as f64;
    // The fewest bytes that hold half of the bits.
    bits.sort_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    let half = bits.iter().take_while(|&&b| {
        sum += f64::from(b);
        sum < total / 2.0
    });
    let half = half.count() + 1;
    let dear = bits.iter().take_while(|&&b| b >= 8.0);
    let dear = (
        dear.clone().count(),
        dear.map(|&b| f64::from(b)).sum::<f64>(),
    );
    let facts = [
        ("bits per byte", format!("{:.3}", total / n)),
        ("rate", format!("{}%", percent(total / 8.0 / n))),
        ("total", in_bytes(total / 8.0)),
        (
            "half of the bits are in",
            format!("{}% of the bytes", percent(half as f64 / n)),
        ),
        (
            "bytes of 8 bits or more",
            format!("{}%", percent(dear.0 as f64 / n)),
        ),
        (
            "these take",
            format!("{}% of the bits", percent(dear.1 / total.max(1e-9))),
        ),
    ];
    html! {
        dl class="card facts" {
            @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// Bytes per point of the line chart.
fn stretch(bytes: usize) -> usize {
    bytes.div_ceil(200).max(1)
}

/// Line chart of the mean bits along the text.
fn line_chart(costs: &[Cost], width: f64) -> Svg {
    let (left, right, top, bottom) = (36.0, width - 12.0, 12.0, 132.0);
    let mut svg = Svg::new(width, bottom + 26.0, "Bits per byte along the text".into());
    let step = stretch(costs.len());
    let means: Vec<f64> = costs
        .chunks(step)
        .map(|part| part.iter().map(|c| f64::from(c.bits)).sum::<f64>() / part.len() as f64)
        .collect();
    let highest = means.iter().fold(1.0_f64, |most, &m| most.max(m));
    let x = Scale::linear((0.0, costs.len().max(1) as f64), (left, right));
    let y = Scale::linear((0.0, 1.05 * highest), (bottom, top));
    for tick in y.ticks(34.0) {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        let at = (left - 7.0, y.at(tick) + 4.0);
        svg.text("tick", at, Anchor::End, &trimmed(tick));
    }
    let middle = |i: usize| (i as f64 + 0.5) * step as f64;
    let end = costs.len() as f64;
    let line: Vec<_> = (0..means.len())
        .map(|i| (x.at(middle(i).min(end)), y.at(means[i])))
        .collect();
    let ground: Vec<_> = line.iter().map(|&(at, _)| (at, bottom)).collect();
    svg.area("band adjusted-b", &line, &ground);
    svg.path("curve adjusted-b", &line);
    svg.line("axis", (left, bottom), (right, bottom));
    for tick in x.ticks(if width < 600.0 { 110.0 } else { 130.0 }) {
        let at = (x.at(tick), bottom + 18.0);
        let anchor = match at.0 > right - 20.0 {
            true => Anchor::End,
            false => Anchor::Middle,
        };
        svg.text("tick", at, anchor, &in_bytes(tick));
    }
    svg
}

fn legend() -> Markup {
    let from = |from: f32| match from {
        0.5 => "½".to_owned(),
        from => from.to_string(),
    };
    html! {
        p class="shades" aria-label="shades" {
            span { "bits per character" }
            i class="k0" { "0" }
            @for (k, &bits) in SHADES.iter().enumerate() {
                i class={ "k" (k + 1) } { (from(bits)) @if k + 1 == SHADES.len() { "+" } }
            }
        }
    }
}
