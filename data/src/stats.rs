//! Statistics of bytes without a model.

use std::collections::HashMap;

use serde::Serialize;

use crate::bytes::PIECE;
use crate::byteset::ByteSet;

/// Bytes per block of [`Stats::duplicate_share`].
pub const DUPLICATE_BLOCK: usize = 100;

/// Order-0 and order-1 statistics of a byte set.
///
/// ```
/// use brevity_data::Stats;
/// let stats = Stats::of(b"abababab");
/// assert_eq!(stats.bytes, 8);
/// assert_eq!(stats.order0, 1.0);
/// assert_eq!(stats.order1, 0.0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Number of bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes, in hex.
    pub blake3: String,
    /// Number of distinct byte values.
    pub distinct: usize,
    /// Empirical entropy H(X_t) in bits per byte.
    pub order0: f64,
    /// Empirical conditional entropy H(X_t | X_{t-1}) in bits per byte, over the n - 1
    /// pairs. The cost of the tables is not included, so the value is too low for small
    /// sets.
    pub order1: f64,
    /// Share of the aligned, whole 100-byte blocks that repeat an earlier one.
    pub duplicate_share: f64,
    /// Of how many blocks one is looked at for `duplicate_share`: 1 up to some hundred
    /// megabytes; of longer sets the share is an estimate.
    pub duplicate_sampling: u64,
}

impl Stats {
    /// The statistics of `bytes`; all zero for none.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes).to_hex().to_string();
        Self::of_pieces(std::iter::once(bytes), hash)
    }

    /// The statistics of a byte set, in the memory of a piece of it.
    pub fn of_set(set: &ByteSet) -> Self {
        Self::of_pieces(set.bytes.pieces(PIECE), set.blake3().to_owned())
    }

    fn of_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>, blake3: String) -> Self {
        let mut counts = [0u64; 256];
        let mut pairs = vec![[0u64; 256]; 256];
        let mut duplicates = Duplicates::default();
        let mut last: Option<u8> = None;
        let mut bytes = 0u64;
        for piece in pieces {
            for &byte in piece {
                counts[usize::from(byte)] += 1;
                if let Some(last) = last {
                    pairs[usize::from(last)][usize::from(byte)] += 1;
                }
                last = Some(byte);
            }
            duplicates.take(piece);
            bytes += piece.len() as u64;
        }
        Self {
            bytes,
            blake3,
            distinct: counts.iter().filter(|&&c| c > 0).count(),
            order0: code_length(&counts) / (bytes.max(1) as f64),
            order1: pairs.iter().map(code_length).sum::<f64>()
                / (bytes.saturating_sub(1).max(1) as f64),
            duplicate_share: duplicates.share(),
            duplicate_sampling: duplicates.sampling,
        }
    }
}

/// The bits that code symbols with these counts under their own frequencies.
fn code_length(counts: &[u64; 256]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    counts
        .iter()
        .filter(|&&c| c > 0)
        .map(|&c| c as f64 * (total / c as f64).log2())
        .sum()
}

/// Most distinct blocks that are remembered: some 200 MB.
const MOST_BLOCKS: usize = 1 << 22;

/// Counts blocks by their hashes. When there are too many, only those are kept whose
/// hash is a multiple of a power of two, so that all copies of a block are kept or none.
struct Duplicates {
    /// The start of a block that goes on in the next piece.
    open: Vec<u8>,
    seen: HashMap<u128, u64>,
    sampling: u64,
    most: usize,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            seen: HashMap::new(),
            sampling: 1,
            most: MOST_BLOCKS,
        }
    }
}

impl Duplicates {
    fn take(&mut self, mut piece: &[u8]) {
        if !self.open.is_empty() {
            let missing = (DUPLICATE_BLOCK - self.open.len()).min(piece.len());
            self.open.extend_from_slice(&piece[..missing]);
            piece = &piece[missing..];
            if self.open.len() < DUPLICATE_BLOCK {
                return;
            }
            let block = std::mem::take(&mut self.open);
            self.block(&block);
        }
        let blocks = piece.chunks_exact(DUPLICATE_BLOCK);
        self.open.extend_from_slice(blocks.remainder());
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &[u8]) {
        // 128 bits of BLAKE3 identify a block: collisions are negligible.
        let hash = blake3::hash(block);
        let hash = hash.as_bytes().first_chunk().expect("16 of 32 bytes");
        let hash = u128::from_le_bytes(*hash);
        if !self.sampled(hash) {
            return;
        }
        *self.seen.entry(hash).or_default() += 1;
        while self.seen.len() > self.most {
            self.sampling *= 2;
            let mut seen = std::mem::take(&mut self.seen);
            seen.retain(|hash, _| self.sampled(*hash));
            self.seen = seen;
        }
    }

    fn sampled(&self, hash: u128) -> bool {
        hash as u64 & (self.sampling - 1) == 0
    }

    fn share(&self) -> f64 {
        let all: u64 = self.seen.values().sum();
        (all - self.seen.len() as u64) as f64 / all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let none = Stats::of(b"");
        assert_eq!(
            (none.order0, none.order1, none.duplicate_share),
            (0.0, 0.0, 0.0)
        );
        let uniform: Vec<u8> = (0..=255).cycle().take(256 * 100).collect();
        let stats = Stats::of(&uniform);
        assert_eq!(
            (stats.order0, stats.order1, stats.distinct),
            (8.0, 0.0, 256)
        );
        // Counts 3 and 1: 2 - 0.75 log2 3.
        let skewed = Stats::of(b"aaab");
        assert!((skewed.order0 - (2.0 - 0.75 * 3f64.log2())).abs() < 1e-12);
    }

    #[test]
    fn blocks_repeat() {
        let mut bytes = vec![7u8; 300];
        bytes.extend(0..=99);
        bytes.extend([1; 50]); // a partial block counts for nothing
        assert_eq!(Stats::of(&bytes).duplicate_share, 0.5);
    }

    #[test]
    fn pieces_do_not_matter() {
        let bytes: Vec<u8> = (0..10_007u32).map(|i| (i * i % 253 / 40) as u8).collect();
        let whole = Stats::of(&bytes);
        for length in [1, 7, 99, 100, 101, 4096] {
            let pieces = Stats::of_pieces(bytes.chunks(length), whole.blake3.clone());
            assert_eq!(pieces, whole, "{length}");
        }
        assert_eq!(Stats::of_set(&ByteSet::new("x", bytes)), whole);
    }

    #[test]
    fn of_many_blocks_a_sample_is_kept() {
        let mut duplicates = Duplicates {
            most: 1000,
            ..Duplicates::default()
        };
        // 20,000 distinct blocks, a quarter of which come twice.
        for i in 0..25_000u32 {
            let block = (i % 20_000).to_le_bytes().repeat(DUPLICATE_BLOCK / 4);
            duplicates.take(&block);
        }
        assert!(duplicates.seen.len() <= 1000 && duplicates.sampling >= 20);
        assert!(
            (duplicates.share() - 0.2).abs() < 0.04,
            "{}",
            duplicates.share()
        );
    }
}
