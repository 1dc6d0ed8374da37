//! Statistics of bytes without a model.

use std::collections::HashSet;

use serde::Serialize;

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
}

impl Stats {
    /// The statistics of `bytes`; all zero for none.
    pub fn of(bytes: &[u8]) -> Self {
        let mut counts = [0u64; 256];
        for &byte in bytes {
            counts[usize::from(byte)] += 1;
        }
        let mut pairs = vec![[0u64; 256]; 256];
        for pair in bytes.windows(2) {
            pairs[usize::from(pair[0])][usize::from(pair[1])] += 1;
        }
        Self {
            bytes: bytes.len() as u64,
            blake3: blake3::hash(bytes).to_hex().to_string(),
            distinct: counts.iter().filter(|&&c| c > 0).count(),
            order0: code_length(&counts) / (bytes.len().max(1) as f64),
            order1: pairs.iter().map(code_length).sum::<f64>()
                / (bytes.len().saturating_sub(1).max(1) as f64),
            duplicate_share: duplicate_share(bytes),
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

fn duplicate_share(bytes: &[u8]) -> f64 {
    let blocks = bytes.len() / DUPLICATE_BLOCK;
    // 128 bits of BLAKE3 identify a block: collisions are negligible.
    let distinct: HashSet<[u8; 16]> = bytes
        .chunks_exact(DUPLICATE_BLOCK)
        .map(|block| {
            *blake3::hash(block)
                .as_bytes()
                .first_chunk()
                .expect("16 of 32 bytes")
        })
        .collect();
    (blocks - distinct.len()) as f64 / blocks.max(1) as f64
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
}
