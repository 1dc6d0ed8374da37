//! The KV cache: keys and values of many lanes that advance in lock-step.
//!
//! A lane is one stream of the batch. Blocks of positions go through [`prefill`],
//! single positions through [`decode`].

mod call;
mod decode;
mod prefill;

use super::products::QUERIES;
use super::{Attention, padded};
use crate::rope;
use crate::scratch::Buffer;
use crate::simd::LANES;
use crate::threads::Shared;
use call::Call;

/// The fewest positions for which a block is used. A block costs the same with one query
/// as with sixteen; fewer positions are computed one by one.
const MIN_BLOCK: usize = 8;

/// The KV cache of one attention layer: the keys and values of each lane, and the
/// next position, which is the same in all lanes.
///
/// It holds `2 d` values for each lane and each of the last `reach` positions; with
/// a window, up to 29 positions more.
#[derive(Clone, Debug)]
pub struct KvCache {
    attention: Attention,
    lanes: usize,
    reach: usize,
    position: u64,
    /// Groups of eight positions in each ring.
    groups: usize,
    /// [`rope::steps`]; empty without RoPE.
    steps: Vec<u32>,
    /// Keys after QK-norm and RoPE, `[lanes][heads][groups][head_dim][8]`: a group is
    /// a tile.
    keys: Buffer,
    /// Values, `[lanes][groups * 8][heads][padded head_dim]`.
    values: Buffer,
}

impl KvCache {
    /// An empty cache at position 0 for `lanes` lanes (the batch size), in which a
    /// query sees the last `reach` positions, its own included. With a window,
    /// `reach` need not exceed it; without one, `reach` is the longest sequence
    /// between two calls of [`clear`](Self::clear).
    ///
    /// # Panics
    /// If the shape is invalid (see [`Attention`]) or `reach` is 0.
    pub fn new(attention: Attention, lanes: usize, reach: usize) -> KvCache {
        attention.check_shape();
        assert!(reach > 0, "attention: the reach is 0");
        let (reach, groups) = match attention.window {
            None => (reach, reach.div_ceil(LANES)),
            // A block must not overwrite what its first query sees.
            Some(w) => (w.min(reach), (w.min(reach) + QUERIES + 13) / LANES),
        };
        let positions = lanes * groups * LANES;
        KvCache {
            attention,
            lanes,
            reach,
            position: 0,
            groups,
            steps: if attention.rope {
                rope::steps(attention.head_dim)
            } else {
                Vec::new()
            },
            keys: Buffer::zeros(positions * attention.width()),
            values: Buffer::zeros(positions * attention.heads * padded(attention.head_dim)),
        }
    }

    /// The next position, counted from 0.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Empties the cache: the next position is 0.
    pub fn clear(&mut self) {
        self.position = 0;
    }

    /// Appends the keys and values of `n` further positions of every lane and
    /// computes the attention of their queries.
    ///
    /// - `qkv`: `[lanes, n, 3 d]`, queries, keys and values side by side;
    /// - `gain`: as in [`Attention::forward`], the same in every call;
    /// - `out`: `[lanes, n, d]`, overwritten.
    ///
    /// The output does not depend on how the positions are split into calls, nor
    /// on the other lanes.
    ///
    /// # Panics
    /// If `n` is 0, if a length does not match, or if there is no window and the
    /// position would exceed `reach`.
    pub fn attend(&mut self, n: usize, qkv: &[f32], gain: Option<&[f32]>, out: &mut [f32]) {
        let a = self.attention;
        let d = a.width();
        assert!(n > 0, "attention: n is 0");
        assert_eq!(
            qkv.len(),
            self.lanes * n * 3 * d,
            "attention: the length of qkv"
        );
        assert_eq!(
            out.len(),
            self.lanes * n * d,
            "attention: the length of the output"
        );
        if let Some(gain) = gain {
            assert_eq!(gain.len(), a.heads, "attention: the length of the gain");
        }
        assert!(
            a.window.is_some() || self.position + n as u64 <= self.reach as u64,
            "attention: position {} is beyond the reach of {}",
            self.position + n as u64,
            self.reach
        );
        let single = n % QUERIES;
        let single = if single < MIN_BLOCK { single } else { 0 };
        let call = Call {
            attention: a,
            gain,
            n,
            qkv,
            out: Shared::new(out),
            groups: self.groups,
            steps: &self.steps,
            keys: Shared::new(self.keys.as_mut_slice()),
            values: Shared::new(self.values.as_mut_slice()),
            reach: self.reach as u64,
        };
        call.prefill(self.lanes, n - single, self.position);
        for t in n - single..n {
            call.decode_step(self.lanes, t, self.position + t as u64);
        }
        self.position += n as u64;
    }
}
