//! A comparison for a terminal.

use crate::label::short;
use crate::{Comparison, OfDocument, OfPlace, Pair};
use brevity_draw::{Table, visible_lines};
use brevity_length::format::bytes;

/// Documents told at each end.
pub(crate) const ENDS: usize = 10;

/// The worst documents for the second side, then those for the first.
pub(crate) fn ends(found: &Comparison) -> (&[OfDocument], &[OfDocument]) {
    let all = &found.by_document;
    let worst = all.len().min(ENDS);
    let best = all.len().saturating_sub(ENDS).max(worst);
    (&all[..worst], &all[best..])
}

/// The first line: what the gap is in all.
pub(crate) fn verdict(found: &Comparison) -> String {
    let gap = found.gap_bits;
    let (short, long) = match gap >= 0.0 {
        true => (&found.a.name, &found.b.name),
        false => (&found.b.name, &found.a.name),
    };
    let n = found.data_bytes.max(1) as f64;
    let interval = found.gap_ci95.map(|[low, high]| {
        let (low, high) = match gap >= 0.0 {
            true => (low, high),
            false => (-high, -low),
        };
        format!(", 95% interval {:.5} to {:.5}", low / n, high / n)
    });
    let longer = found.a.data_bits.max(found.b.data_bits);
    format!(
        "{short} is shorter than {long} by {} ({:.2}%): {:.5} bits a byte{}",
        bytes(gap.abs() / 8.0),
        100.0 * gap.abs() / longer.max(f64::MIN_POSITIVE),
        gap.abs() / n,
        interval.unwrap_or_default()
    )
}

fn cells(pair: &Pair) -> [String; 4] {
    let n = pair.bytes.max(1) as f64;
    [
        pair.bytes.to_string(),
        format!("{:.3}", pair.a_bits / n),
        format!("{:.3}", pair.b_bits / n),
        format!("{:+.0}", pair.gap()),
    ]
}

/// A table of parts; the gap is in bits.
pub(crate) fn table<'a>(
    found: &Comparison,
    of: &str,
    rows: impl Iterator<Item = (String, &'a Pair)>,
) -> Table {
    let (a, b) = (found.a.name.clone(), found.b.name.clone());
    let mut table = Table::new(&[of.to_owned(), "bytes".into(), a, b, "gap, bits".into()]);
    for (name, pair) in rows {
        let mut row = vec![name];
        row.extend(cells(pair));
        table.push(row);
    }
    table
}

/// Places in a chunk, in words.
pub(crate) fn place(of: &OfPlace) -> String {
    match of.to - of.from {
        1 => of.from.to_string(),
        _ => format!("{} to {}", of.from, of.to - 1),
    }
}

/// The comparison as tables.
#[must_use]
pub fn text(found: &Comparison) -> String {
    let mut text = format!("{} of data, bits a byte:\n", bytes(found.data_bytes as f64));
    for side in [&found.a, &found.b] {
        text += &format!("  {:.5}  {}\n", side.bits_per_byte, side.name);
    }
    let found = &short(found);
    text += &format!("{}\n", verdict(found));
    let kinds = found.by_kind.iter();
    let kinds = kinds.map(|k| (k.kind.name().to_owned(), &k.pair));
    let places = found.by_place.iter().map(|p| (place(p), &p.pair));
    let (worst, best) = ends(found);
    let documents = worst.iter().chain(best).map(|d| (d.name.clone(), &d.pair));
    let literals = found.by_literal.iter();
    let literals = literals.map(|l| (format!("{:?} x {}", l.literal, l.count), &l.pair));
    for (of, table) in [
        ("kind", table(found, "kind of byte", kinds)),
        ("place", table(found, "place in chunk", places)),
        ("document", table(found, "document", documents)),
        ("literal", table(found, "literal", literals)),
    ] {
        let table = table.to_string();
        // A header alone says nothing.
        if table.lines().count() > 1 {
            text += &format!("\nby {of}:\n{table}");
        }
    }
    for note in &found.notes {
        text += &format!("note: {note}\n");
    }
    visible_lines(&text).into_owned()
}
