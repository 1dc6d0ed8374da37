//! What compressing gives.

use crate::tokenizer::Item;

/// What an archive is and what it should be.
#[derive(Clone, Debug)]
pub struct Compressed {
    /// The archive.
    pub archive: Vec<u8>,
    /// Sum of the code lengths of all items, bits; where bytes are mixed with context
    /// models, the bits of the stream.
    pub bits: f64,
    /// Tokens and escaped bytes.
    pub items: usize,
    /// Escaped bytes.
    pub escaped: usize,
}

impl Compressed {
    /// A header and a stream that holds items.
    pub(super) fn new(
        header: Vec<u8>,
        stream: &[u8],
        bits: f64,
        items: &[Vec<Item>],
    ) -> Compressed {
        let all = items.iter().flatten();
        Compressed {
            archive: [&header[..], stream].concat(),
            bits,
            items: all.clone().count(),
            escaped: all.filter(|item| matches!(item, Item::Byte(_))).count(),
        }
    }
}
