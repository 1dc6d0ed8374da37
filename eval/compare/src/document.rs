//! The gap by document.

use crate::{Pair, Side};
use serde::Serialize;

/// A piece of the bytes with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Its first byte.
    pub start: usize,
    /// One past its last.
    pub end: usize,
}

/// Cuts `length` bytes into pieces of `piece` bytes, for bytes that are one document; the
/// last may be shorter.
#[must_use]
pub fn pieces(length: usize, piece: usize) -> Vec<Document> {
    let starts = (0..length).step_by(piece.max(1));
    starts
        .map(|start| Document {
            name: format!("from {start}"),
            start,
            end: (start + piece).min(length),
        })
        .collect()
}

/// The bytes of a document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfDocument {
    /// Its name.
    pub name: String,
    /// Its first byte.
    pub start: u64,
    /// Its bytes.
    #[serde(flatten)]
    pub pair: Pair,
}

/// All documents, the largest gap a byte first.
pub(crate) fn by_document(a: &Side, b: &Side, documents: &[Document]) -> Vec<OfDocument> {
    let of = |document: &Document| {
        let mut pair = Pair::default();
        for i in document.start..document.end {
            pair.add(a.bits[i], b.bits[i]);
        }
        OfDocument {
            name: document.name.clone(),
            start: document.start as u64,
            pair,
        }
    };
    let filled = documents.iter().filter(|d| d.end > d.start);
    let mut found: Vec<OfDocument> = filled.map(of).collect();
    found.sort_by(|x, y| y.pair.per_byte().total_cmp(&x.pair.per_byte()));
    found
}
