//! Two models side by side, byte by byte: where one needs fewer bits than the other.
//!
//! [`compare`] takes what each byte costs under two [`Side`]s, models, predictors or
//! classical coders ([`Side::coder`]), and gives their [`Comparison`]: the gap in all with
//! its interval, and the gap by place in a chunk, by kind of byte ([`Kind`]), by document
//! and by literal. [`page()`] shows it, with the text shaded by the difference; it
//! serialises to the JSON of `docs/json.md`.
//!
//! A gap is what the second side needs more than the first: positive where the first is
//! better.
//!
//! ```
//! use brevity_compare::{Document, Side, compare};
//!
//! let bytes = b"to be or not to be".repeat(200);
//! let side = |name: &str, bits| Side::new(name, vec![bits; bytes.len()]);
//! let document = Document { name: "hamlet".into(), start: 0, end: bytes.len() };
//! let found = compare(&side("a", 2.0), &side("b", 2.5), &bytes, &[document], 0);
//! assert_eq!(found.gap_bits, 0.5 * 3600.0);
//! assert_eq!(found.gap_percent, 25.0);
//! ```

mod document;
mod kind;
mod label;
mod literal;
mod page;
mod place;
mod shaded;
mod side;
mod text;

pub use document::{Document, OfDocument, pieces};
pub use kind::{Kind, OfKind, kinds};
pub use literal::OfLiteral;
pub use page::page;
pub use place::OfPlace;
pub use side::{Side, Summary};
pub use text::text;

use brevity_measure::sums_of_blocks;
use brevity_stats::gap;
use serde::Serialize;

/// Version of the JSON.
pub const VERSION: u32 = 1;

/// The coarsest grain, in bytes, at which costs are told by kind of byte, by literal, and
/// as shaded text.
pub const FINE: f64 = 16.0;

/// Two sides on the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// [`VERSION`].
    pub version: u32,
    /// Number of bytes.
    pub data_bytes: u64,
    /// The first side.
    pub a: Summary,
    /// The second.
    pub b: Summary,
    /// Bits that the second needs more than the first.
    pub gap_bits: f64,
    /// The same over the bits of the first, percent.
    pub gap_percent: f64,
    /// 95% interval of `gap_bits` over other bytes of the source; none for fewer than two
    /// blocks.
    pub gap_ci95: Option<[f64; 2]>,
    /// Blocks of data that are drawn for it, and how many in one run.
    pub blocks: usize,
    /// Blocks that are drawn in one run.
    pub run: Option<usize>,
    /// By place in the chunk; empty without chunks.
    pub by_place: Vec<OfPlace>,
    /// By kind of byte, the largest gap first; empty where a side is too coarse.
    pub by_kind: Vec<OfKind>,
    /// By document, the worst for the second side first.
    pub by_document: Vec<OfDocument>,
    /// The strings with the largest gaps, both ways; empty where a side is too coarse.
    pub by_literal: Vec<OfLiteral>,
    /// What is to be known beside the numbers.
    pub notes: Vec<String>,
    /// Always: lengths are sums of code lengths, nothing is decoded.
    pub estimate: bool,
}

/// Mean bits a byte under each side, and what they make together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Pair {
    /// Number of bytes.
    pub bytes: u64,
    /// Bits under the first.
    pub a_bits: f64,
    /// Bits under the second.
    pub b_bits: f64,
}

impl Pair {
    fn add(&mut self, a: f32, b: f32) {
        self.bytes += 1;
        self.a_bits += f64::from(a);
        self.b_bits += f64::from(b);
    }

    /// Bits that the second needs more.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.b_bits - self.a_bits
    }

    /// The same, a byte.
    #[must_use]
    pub fn per_byte(&self) -> f64 {
        self.gap() / self.bytes.max(1) as f64
    }
}

/// Compares two sides. `chunk` is the length of the chunks whose places are told, 0 for
/// none.
///
/// # Panics
/// If a side has not the cost of each byte, or a document is not in the bytes.
#[must_use]
pub fn compare(
    a: &Side,
    b: &Side,
    bytes: &[u8],
    documents: &[Document],
    chunk: usize,
) -> Comparison {
    assert_eq!(a.bits.len(), bytes.len(), "the costs of {}", a.name);
    assert_eq!(b.bits.len(), bytes.len(), "the costs of {}", b.name);
    let total = |side: &Side| side.bits.iter().map(|&b| f64::from(b)).sum::<f64>();
    let gap_bits = total(b) - total(a);
    let blocks = [a, b].map(|side| sums_of_blocks(&side.bits));
    let drawn = gap::interval(&blocks[0], &blocks[1], 2000, 1);
    let sides = [a, b];
    let fine = sides.iter().all(|side| side.grain <= FINE);
    let told = sides
        .iter()
        .filter(|side| side.grain > if fine { 1.0 } else { FINE });
    let means = match fine {
        true => "which blurs what is told by kind and literal",
        false => "so nothing is told by kind, literal or byte",
    };
    let note = |side: &&Side| {
        let (name, grain) = (&side.name, side.grain);
        format!("{name} gives lengths of {grain:.1} bytes at a time, {means}")
    };
    let notes = sides.iter().filter_map(|side| side.note.clone());
    let notes = notes.chain(told.map(note)).collect();
    Comparison {
        version: VERSION,
        data_bytes: bytes.len() as u64,
        a: Summary::of(a),
        b: Summary::of(b),
        gap_bits,
        gap_percent: 100.0 * gap_bits / total(a).max(f64::MIN_POSITIVE),
        gap_ci95: drawn.as_ref().map(|drawn| drawn.ci95),
        blocks: blocks[0].len(),
        run: drawn.map(|drawn| drawn.run),
        by_place: place::by_place(a, b, chunk),
        by_kind: match fine {
            true => kind::by_kind(a, b, bytes),
            false => Vec::new(),
        },
        by_document: document::by_document(a, b, documents),
        by_literal: match fine {
            true => literal::by_literal(a, b, bytes),
            false => Vec::new(),
        },
        notes,
        estimate: true,
    }
}
