//! The gap by place in a chunk.

use crate::{Pair, Side};
use serde::Serialize;

/// Bytes at some places of every chunk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OfPlace {
    /// First place, from 0.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// The bytes there.
    #[serde(flatten)]
    pub pair: Pair,
}

/// Places in steps that double every second time: 0, 1, 2, 3, 4, 6, 8, 12, ...
pub(crate) fn by_place(a: &Side, b: &Side, chunk: usize) -> Vec<OfPlace> {
    // Longer chunks have no more places.
    let chunk = chunk.min(a.bits.len());
    if chunk < 2 {
        return Vec::new();
    }
    let mut edges = vec![0, 1];
    while let Some(&last) = edges.last()
        && last < chunk
    {
        let power = 1_usize << last.ilog2();
        edges.push((last + power.div_ceil(2)).min(chunk));
    }
    let bins = edges.windows(2).map(|edge| {
        let mut pair = Pair::default();
        for start in (0..a.bits.len()).step_by(chunk) {
            let end = (start + edge[1]).min(a.bits.len());
            for i in start + edge[0]..end {
                pair.add(a.bits[i], b.bits[i]);
            }
        }
        OfPlace {
            from: edge[0],
            to: edge[1],
            pair,
        }
    });
    bins.filter(|bin| bin.pair.bytes > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_in_one_bin() {
        let bits: Vec<f32> = (0..1000).map(|i| (i % 64) as f32).collect();
        let b = Side::new("b", bits.iter().map(|b| b + 1.0).collect());
        let bins = by_place(&Side::new("a", bits), &b, 64);
        assert_eq!(bins.iter().map(|bin| bin.pair.bytes).sum::<u64>(), 1000);
        assert!(bins.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!((bins[0].from, bins[0].pair.a_bits), (0, 0.0));
        assert_eq!(bins.last().unwrap().to, 64);
        assert!(
            bins.iter()
                .all(|bin| (bin.pair.per_byte() - 1.0).abs() < 1e-9)
        );
    }
}
