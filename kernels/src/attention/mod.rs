//! Causal multi-head attention, forward and backward, without the T x T matrix.
//!
//! Queries, keys and values come side by side, `[.., 3 d]`, as one projection
//! makes them; the heads are contiguous inside each. A query may see itself
//! and what is before it, or only the last `window` positions of that. Queries
//! and keys can be RMS-normalised a head, with a learned gain a head on the
//! scores, and turned by their position ([`rope`](crate::rope)).
//!
//! What lives here:
//! - [`Attention`]: the shape, [`Attention::forward`] and
//!   [`Attention::backward`] over a batch of whole sequences, for training;
//! - [`Cache`]: keys and values of many streams that advance in lock-step, one
//!   or more positions at a time, for scoring and coding;
//! - [`naive`]: the definition of all of it, as plain loops.
//!
//! # The numbers
//!
//! All of them give the same output to the last bit, however a stream is cut
//! into blocks and whatever else is in the batch, on any path and number of
//! threads. Per query:
//! 1. the row is normalised (the sum of squares is one chain over the
//!    components), rotated, and multiplied by `gain log2(e) / sqrt(head_dim)`;
//! 2. each score is one chain over the components, begun with a product;
//! 3. the maximum over the visible keys is exact, hence without an order;
//! 4. `p = 2^(score - maximum)` by a fixed polynomial;
//! 5. the `p` are summed into eight partial sums by absolute position modulo
//!    8, each in increasing position, then
//!    `((0+1)+(2+3)) + ((4+5)+(6+7))`;
//! 6. each output component is one chain over the keys in increasing position,
//!    begun at 0, and at last multiplied by the inverse of the sum.
//!
//! Keys that a query may not see are skipped: whatever they hold, infinity and
//! NaN included, has no effect on it.
//!
//! ```
//! use brevity_kernels::attention::{Attention, Cache};
//!
//! let attention = Attention { heads: 2, head_dim: 4, rope: true, window: None };
//! let (time, d) = (5, attention.width());
//! let qkv: Vec<f32> = (0..time * 3 * d).map(|i| (i as f32).sin()).collect();
//!
//! let mut whole = vec![0.0; time * d];
//! attention.forward(time, &qkv, None, &mut whole, None);
//!
//! // The same, position by position.
//! let mut cache = Cache::new(attention, 1, time);
//! for (x, y) in qkv.chunks(3 * d).zip(whole.chunks(d)) {
//!     let mut step = vec![0.0; d];
//!     cache.attend(1, x, None, &mut step);
//!     assert_eq!(step, y);
//! }
//! ```

mod backward;
mod block;
mod cache;
pub(crate) mod exp2;
mod forward;
pub mod naive;
mod rows;
mod sequence;
mod step;
mod streams;
mod tile;
mod turns;
mod visible;

pub use cache::Cache;

use crate::simd::LANES;
use rows::Preparation;

/// Added to the mean square of a query or key before its root is taken.
pub const NORM_EPS: f32 = 1e-6;

/// The shape of an attention layer. `d`, its width, is `heads * head_dim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Heads, at least one.
    pub heads: usize,
    /// Components of a head, 1 to [`MAX_HEAD_DIM`]; even with `rope`.
    pub head_dim: usize,
    /// Turn queries and keys by their position.
    pub rope: bool,
    /// See only so many last positions, own position included.
    pub window: Option<usize>,
}

/// The largest head dimension.
pub const MAX_HEAD_DIM: usize = 256;

/// What the backward pass needs of the forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// The input, `[batch, time, 3 d]`.
    pub qkv: &'a [f32],
    /// The gains, `[heads]`, if queries and keys were normalised.
    pub gain: Option<&'a [f32]>,
    /// The output, `[batch, time, d]`.
    pub out: &'a [f32],
    /// The statistics, [`Attention::stats_len`] values.
    pub stats: &'a [f32],
}

impl Attention {
    /// `heads * head_dim`.
    pub fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Values of statistics that the forward pass leaves for the backward
    /// pass: a maximum and the inverse of a sum for every query and head.
    pub fn stats_len(&self, batch: usize, time: usize) -> usize {
        2 * batch * self.heads * time
    }

    /// Attention over whole sequences that start at position 0.
    ///
    /// - `qkv`: `[batch, time, 3 d]`, queries, keys and values side by side;
    ///   the batch follows from its length;
    /// - `gain`: `[heads]` normalises queries and keys and scales the scores
    ///   by `gain / sqrt(head_dim)`, instead of `1 / sqrt(head_dim)`;
    /// - `out`: `[batch, time, d]`, overwritten;
    /// - `stats`: [`stats_len`](Self::stats_len) values, overwritten.
    ///
    /// # Panics
    /// If a length does not fit, or the shape makes no sense.
    pub fn forward(
        &self,
        time: usize,
        qkv: &[f32],
        gain: Option<&[f32]>,
        out: &mut [f32],
        stats: Option<&mut [f32]>,
    ) {
        self.check(
            time,
            qkv,
            gain,
            out.len(),
            stats.as_deref().map(<[f32]>::len),
        );
        forward::forward(self, time, qkv, gain, out, stats);
    }

    /// Gradients of [`forward`](Self::forward).
    ///
    /// - `dout`: `[batch, time, d]`, the gradient at the output;
    /// - `dqkv`: `[batch, time, 3 d]`, overwritten;
    /// - `dgain`: `[batch, heads]`, overwritten: the gradient at the gains from
    ///   each sequence apart, summed over time by eight partial sums.
    ///
    /// Each gradient of a query is a chain over the keys in increasing
    /// position; each gradient of a key or value is a chain over the queries.
    ///
    /// # Panics
    /// If a length does not fit, or the shape makes no sense, or there is a
    /// `dgain` without a gain.
    pub fn backward(
        &self,
        time: usize,
        saved: Saved,
        dout: &[f32],
        dqkv: &mut [f32],
        dgain: Option<&mut [f32]>,
    ) {
        self.check(
            time,
            saved.qkv,
            saved.gain,
            saved.out.len(),
            Some(saved.stats.len()),
        );
        assert_eq!(dout.len(), saved.out.len(), "attention: dout");
        assert_eq!(dqkv.len(), saved.qkv.len(), "attention: dqkv");
        if let Some(dgain) = &dgain {
            assert!(saved.gain.is_some(), "attention: dgain without gain");
            let sequences = dout.len() / (time * self.width());
            assert_eq!(dgain.len(), sequences * self.heads, "attention: dgain");
        }
        backward::backward(self, time, saved, dout, dqkv, dgain);
    }

    fn check(
        &self,
        time: usize,
        qkv: &[f32],
        gain: Option<&[f32]>,
        out: usize,
        stats: Option<usize>,
    ) {
        self.check_shape();
        let row = 3 * self.width();
        assert!(time > 0, "attention: no time");
        assert!(
            qkv.len().is_multiple_of(time * row),
            "attention: {} values of qkv are not rows of {row} times {time}",
            qkv.len()
        );
        let batch = qkv.len() / (time * row);
        assert_eq!(out, batch * time * self.width(), "attention: output");
        if let Some(gain) = gain {
            assert_eq!(gain.len(), self.heads, "attention: gain");
        }
        if let Some(stats) = stats {
            assert_eq!(stats, self.stats_len(batch, time), "attention: statistics");
        }
    }

    fn check_shape(&self) {
        assert!(self.heads > 0, "attention: no heads");
        assert!(
            (1..=MAX_HEAD_DIM).contains(&self.head_dim),
            "attention: a head dimension of {} is not in 1..={MAX_HEAD_DIM}",
            self.head_dim
        );
        assert!(
            !self.rope || self.head_dim.is_multiple_of(2),
            "attention: rotary positions need an even head dimension, not {}",
            self.head_dim
        );
        assert!(self.window != Some(0), "attention: an empty window");
    }

    fn preparation(&self, gain: Option<&[f32]>) -> Preparation {
        Preparation {
            dim: self.head_dim,
            norm: gain.is_some(),
            rope: self.rope,
        }
    }

    /// Positions that a query sees, own position included.
    fn reach(&self) -> u64 {
        self.window.map_or(u64::MAX, |w| w as u64)
    }

    fn inverse_root(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    /// What a query is multiplied by, so that its scores are exponents of 2.
    fn factor(&self, gain: Option<f32>) -> f32 {
        gain.unwrap_or(1.0) * (std::f32::consts::LOG2_E * self.inverse_root())
    }
}

/// Evaluates `$body` with the constant `$D`: the head dimension, if a copy of the
/// code was made for it, otherwise 0. In a copy the loops over components, short
/// as they are, unroll. The bits are the same. Wider heads gain 0 to 3%, which is
/// not worth the time that their copies take to compile.
macro_rules! by_dim {
    ($S:ty, $dim:expr, $D:ident => $body:expr) => {
        match $dim {
            8 if <$S as Simd>::TUNED => by_dim!(@copy 8, $D => $body),
            _ => by_dim!(@copy 0, $D => $body),
        }
    };
    (@copy $dim:literal, $D:ident => $body:expr) => {{
        const $D: usize = $dim;
        $body
    }};
}
use by_dim;

/// The head dimension in a copy of the code that [`by_dim`] made.
#[inline(always)]
fn known<const D: usize>(dim: usize) -> usize {
    if D == 0 { dim } else { D }
}

/// `n` rounded up to whole vectors.
fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}
