//! The page of a comparison.

use crate::label::short;
use crate::shaded::{SHADES, shaded};
use crate::text::{ends, place, table, verdict};
use crate::{Comparison, FINE, OfDocument, Pair, Side};
use brevity_draw::{Anchor, Frame, Scale, Svg, document, extent, figure, trimmed, warning};
use brevity_length::format::bytes as in_bytes;
use maud::{Markup, PreEscaped, html};

/// Bytes shown of the whole.
const SHOWN: usize = 1 << 15;

/// Bytes shown of a document at an end.
const EXCERPT: usize = 1 << 10;

/// A self-contained page: the gap in all, along the data, by kind, place, document and
/// literal, and the text shaded by the difference.
///
/// # Panics
/// If the sides have not the costs of these bytes.
#[must_use]
pub fn page(found: &Comparison, a: &Side, b: &Side, bytes: &[u8]) -> String {
    let names = [&a.name, &b.name];
    let found = &short(found);
    let fine = a.grain <= FINE && b.grain <= FINE;
    let title = format!("{} against {}", found.a.name, found.b.name);
    let (worst, best) = ends(found);
    let body = html! {
        p class="over" { "brevity, two models byte by byte" }
        h1 { (title) }
        p class="lead" {
            (in_bytes(found.data_bytes as f64)) " of data: "
            (format!("{:.4}", found.a.bits_per_byte)) " bits a byte under " (found.a.name) ", "
            (format!("{:.4}", found.b.bits_per_byte)) " under " (found.b.name) ". "
        }
        p { (verdict(found)) "." }
        p class="lead" {
            @for (name, label) in names.into_iter().zip([&found.a.name, &found.b.name]) {
                @if name != label { (label) " is " (name) ". " }
            }
            "Code lengths under the coder's frequencies, without the models: estimates. The \
             interval is over other bytes of the source, by " (found.blocks) " blocks."
        }
        @for note in &found.notes { (warning(note)) }
        (figure(|width| course(a, b, width), &html! {
            "Bits by which " (found.b.name) " is longer, summed along the data; where the line \
             falls it is shorter."
        }))
        @if !found.by_kind.is_empty() {
            h2 { "By kind of byte" }
            (figure(|width| bars(found, width), &html! {
                "Gap in bits: to the right " (found.a.name) " is shorter, to the left "
                (found.b.name) "."
            }))
            (parts(found, "kind", found.by_kind.iter().map(|k| (k.kind.name().into(), &k.pair))))
        }
        @if !found.by_place.is_empty() {
            h2 { "By place in the chunk" }
            (parts(found, "place", found.by_place.iter().map(|p| {
                (place(p), &p.pair)
            })))
        }
        @if found.by_document.len() > 1 {
            h2 { "By document" }
            p { "Where " (found.b.name) " is worst, bits a byte more:" }
            (documents(found, worst, fine))
            @if !best.is_empty() {
                p { "Where it is best:" }
                (documents(found, best, fine))
            }
        }
        @if !found.by_literal.is_empty() {
            h2 { "By literal" }
            (parts(found, "literal", found.by_literal.iter().map(|l| {
                (format!("{:?} x {}", l.literal, l.count), &l.pair)
            })))
        }
        @if fine {
            h2 id="text" { "The text" }
            @if bytes.len() > SHOWN {
                (warning(html! { "Shown are the first " (SHOWN) " of " (bytes.len()) " bytes." }))
            }
            (legend(found))
            div class="card" { pre class="text" { (excerpt(a, b, bytes, 0, SHOWN)) } }
            @if found.by_document.len() > 1 {
                h2 { "The documents at the ends" }
                @for one in worst.iter().chain(best) {
                    h3 id={ "at-" (one.start) } { (one.name) }
                    div class="card" {
                        pre class="text" {
                            (excerpt(a, b, bytes, one.start as usize,
                                EXCERPT.min(one.pair.bytes as usize)))
                        }
                    }
                }
            }
        }
    };
    document(&title, include_str!("page.css"), &body)
}

fn excerpt(a: &Side, b: &Side, bytes: &[u8], start: usize, length: usize) -> Markup {
    let end = (start + length).min(bytes.len());
    let range = start..end;
    PreEscaped(shaded(
        &bytes[range.clone()],
        &a.bits[range.clone()],
        &b.bits[range],
    ))
}

fn parts<'a>(
    found: &Comparison,
    of: &str,
    rows: impl Iterator<Item = (String, &'a Pair)>,
) -> Markup {
    html! { div class="card scroll" { (table(found, of, rows).html()) } }
}

fn documents(found: &Comparison, rows: &[OfDocument], linked: bool) -> Markup {
    html! {
        div class="card scroll" {
            table {
                thead { tr {
                    th class="left" { "document" } th { "bytes" } th { (found.a.name) }
                    th { (found.b.name) } th { "gap, bits a byte" }
                } }
                tbody {
                    @for row in rows {
                        @let n = row.pair.bytes.max(1) as f64;
                        tr {
                            td class="left" {
                                @if linked { a href={ "#at-" (row.start) } { (row.name) } }
                                @else { (row.name) }
                            }
                            td { (row.pair.bytes) }
                            td { (format!("{:.3}", row.pair.a_bits / n)) }
                            td { (format!("{:.3}", row.pair.b_bits / n)) }
                            td { (format!("{:+.3}", row.pair.per_byte())) }
                        }
                    }
                }
            }
        }
    }
}

/// The gap summed along the data.
fn course(a: &Side, b: &Side, width: f64) -> Svg {
    let frame = Frame {
        left: 62.0,
        right: width - 16.0,
        top: 14.0,
        bottom: 190.0,
    };
    let mut svg = Svg::new(width, 236.0, "The gap along the data".into());
    let step = a.bits.len().div_ceil(300).max(1);
    let (mut sum, mut line) = (0.0, vec![(0.0, 0.0)]);
    for (i, (first, second)) in a.bits.iter().zip(&b.bits).enumerate() {
        sum += f64::from(second - first);
        if (i + 1) % step == 0 || i + 1 == a.bits.len() {
            line.push(((i + 1) as f64, sum));
        }
    }
    let (low, high) = extent(line.iter().map(|point| point.1).chain([0.0]));
    let room = 0.05 * (high - low).max(1.0);
    let x = Scale::linear((0.0, a.bits.len().max(1) as f64), (frame.left, frame.right));
    let y = Scale::linear((low - room, high + room), (frame.bottom, frame.top));
    frame.grid(&mut svg, &y, 40.0, trimmed);
    svg.line("axis", (frame.left, y.at(0.0)), (frame.right, y.at(0.0)));
    let points: Vec<(f64, f64)> = line.iter().map(|&(i, sum)| (x.at(i), y.at(sum))).collect();
    svg.path("curve adjusted-a", &points);
    frame.marks(&mut svg, &x, 120.0, in_bytes);
    frame.titles(&mut svg, "data", "bits");
    svg
}

/// A bar for each kind.
fn bars(found: &Comparison, width: f64) -> Svg {
    const EACH: f64 = 26.0;
    let label = 118.0;
    let height = EACH * found.by_kind.len() as f64;
    let mut svg = Svg::new(width, height + 12.0, "The gap by kind of byte".into());
    let gaps = found.by_kind.iter().map(|kind| kind.pair.gap());
    let (low, high) = extent(gaps.chain([0.0]));
    // Room for the numbers on either side.
    let room = 76.0;
    let left = label + if low < 0.0 { room } else { 0.0 };
    let x = Scale::linear((low, high.max(low + 1.0)), (left, width - room));
    let zero = x.at(0.0);
    for (i, kind) in found.by_kind.iter().enumerate() {
        let (gap, top) = (kind.pair.gap(), 6.0 + EACH * i as f64);
        let at = x.at(gap);
        let name = kind.kind.name();
        svg.text("tick", (label - 8.0, top + 16.0), Anchor::End, name);
        let class = if gap < 0.0 { "bar minus" } else { "bar" };
        let size = ((at - zero).abs().max(1.0), EACH - 8.0);
        svg.rect(class, (zero.min(at), top + 3.0), size, name);
        let (place, anchor) = match gap < 0.0 {
            true => (at - 6.0, Anchor::End),
            false => (at + 6.0, Anchor::Start),
        };
        svg.text("tick", (place, top + 16.0), anchor, &format!("{gap:+.0}"));
    }
    svg.line("axis", (zero, 4.0), (zero, height + 6.0));
    svg
}

fn legend(found: &Comparison) -> Markup {
    html! {
        p class="shades" aria-label="shades" {
            span { (found.a.name) " shorter, bits" }
            @for (k, bits) in SHADES.iter().enumerate() { i class={ "a" (k + 1) } { (bits) "+" } }
            span { (found.b.name) " shorter" }
            @for (k, bits) in SHADES.iter().enumerate() { i class={ "b" (k + 1) } { (bits) "+" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compare, pieces};

    #[test]
    fn a_page_shows_all_parts_and_needs_nothing_else() {
        let bytes = b"See <b>this</b>, at http://a.org: 12.5 & more\n".repeat(300);
        let bits = |k: usize| (0..bytes.len()).map(|i| (i * k % 7) as f32).collect();
        let (a, b) = (Side::new("a <x>", bits(3)), Side::new("b", bits(5)));
        let found = compare(&a, &b, &bytes, &pieces(bytes.len(), 1000), 64);
        let page = page(&found, &a, &b, &bytes);
        for part in [
            "a &lt;x&gt; against b",
            "By kind of byte",
            "By place in the chunk",
            "By document",
            "By literal",
            "href=\"#at-",
            "<i class=a",
            "<i class=b",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(
            !page.contains("src=") && !page.contains("<script"),
            "a page by itself"
        );
        let [low, high] = found.gap_ci95.unwrap();
        assert!(low <= found.gap_bits && found.gap_bits <= high);
        let sum = |pairs: &mut dyn Iterator<Item = f64>| pairs.sum::<f64>();
        let of_kinds = sum(&mut found.by_kind.iter().map(|k| k.pair.gap()));
        let of_documents = sum(&mut found.by_document.iter().map(|d| d.pair.gap()));
        for sum in [of_kinds, of_documents] {
            assert!((sum - found.gap_bits).abs() < 1e-6 * bytes.len() as f64);
        }
    }
}
