//! Causal multi-head attention, forward and backward, without a T x T score matrix.
//!
//! Queries, keys and values lie side by side in `qkv`, `[.., 3 d]`, as one
//! projection computes them; inside each, the heads are contiguous. The mask is
//! causal: a query sees its own and all earlier positions, or, with a sliding
//! window, the last `window` of them. Optional are QK-norm (each head of queries
//! and keys is RMS-normalised, and a learned gain for each head scales the scores)
//! and RoPE ([`rope`](crate::rope)).
//!
//! - [`Attention`]: the shape; [`Attention::forward`] and [`Attention::backward`]
//!   work on a batch of whole sequences, for training;
//! - [`KvCache`]: keys and values of many streams that advance in lock-step, one
//!   or more positions at a time, for scoring and coding;
//! - [`naive`]: the definition of both, in plain loops.
//!
//! # Order of operations
//!
//! All three give the same output to the last bit: on every instruction set, with any
//! number of threads, for every division of a stream into blocks, and independently of
//! the rest of the batch. For each query:
//! 1. the row is normalised (the sum of squares is one chain over the
//!    components), rotated, and multiplied by `gain log2(e) / sqrt(head_dim)`;
//! 2. each score is one chain over the components that starts with a product;
//! 3. the maximum over the visible keys is exact, so its order does not matter;
//! 4. `p = 2^(score - maximum)` is a fixed polynomial;
//! 5. the `p` go to eight partial sums by absolute position modulo 8, each in
//!    increasing position; these are added as
//!    `((0+1)+(2+3)) + ((4+5)+(6+7))`;
//! 6. each output component is one chain over the keys in increasing position
//!    that starts at 0; the result is multiplied by the inverse of the sum.
//!
//! A chain is a sequence of fused multiply-adds. Masked keys are skipped: their values,
//! including infinity and NaN, have no effect on the query.
//!
//! ```
//! use brevity_kernels::attention::{Attention, KvCache};
//!
//! let attention = Attention { heads: 2, head_dim: 4, rope: true, window: None };
//! let (seq_len, d) = (5, attention.width());
//! let qkv: Vec<f32> = (0..seq_len * 3 * d).map(|i| (i as f32).sin()).collect();
//!
//! let mut whole = vec![0.0; seq_len * d];
//! attention.forward(seq_len, &qkv, None, &mut whole, None);
//!
//! // The same output, position by position.
//! let mut cache = KvCache::new(attention, 1, seq_len);
//! for (x, y) in qkv.chunks(3 * d).zip(whole.chunks(d)) {
//!     let mut step = vec![0.0; d];
//!     cache.attend(1, x, None, &mut step);
//!     assert_eq!(step, y);
//! }
//! ```

mod backward;
mod backward_scratch;
pub(crate) mod exp2;
mod forward;
mod kv_cache;
mod mask;
pub mod naive;
mod products;
mod qk_norm_rope;
mod query_block;
mod rope_tables;
mod sequence;
mod tile;

pub use kv_cache::KvCache;

use crate::simd::LANES;
use qk_norm_rope::QkNormRope;

/// Epsilon of QK-norm: added to the mean square of a query or key under the root.
pub const NORM_EPS: f32 = 1e-6;

/// The shape of an attention layer. `d`, its width, is `heads * head_dim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Number of heads, at least 1.
    pub heads: usize,
    /// Components of a head, 1 to [`MAX_HEAD_DIM`]; even with `rope`.
    pub head_dim: usize,
    /// Rotary position embedding (RoPE) of queries and keys.
    pub rope: bool,
    /// Sliding window: a query sees this many positions, its own included. At
    /// least 1; `None` is full causal attention.
    pub window: Option<usize>,
}

/// The largest head dimension.
pub const MAX_HEAD_DIM: usize = 256;

/// What the backward pass needs from the forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// The input, `[batch, seq_len, 3 d]`.
    pub qkv: &'a [f32],
    /// The gains of QK-norm, `[heads]`, if it was used.
    pub gain: Option<&'a [f32]>,
    /// The output, `[batch, seq_len, d]`.
    pub out: &'a [f32],
    /// The softmax statistics, [`Attention::stats_len`] values.
    pub stats: &'a [f32],
}

impl Attention {
    /// The width `d = heads * head_dim`.
    pub fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Number of softmax statistics that the forward pass keeps for the backward
    /// pass: for every query and head the maximum score and the inverse of the sum.
    /// The layout is `[batch, heads, 2, seq_len]`.
    pub fn stats_len(&self, batch: usize, seq_len: usize) -> usize {
        2 * batch * self.heads * seq_len
    }

    /// Attention over whole sequences of `seq_len` positions that start at 0.
    ///
    /// - `qkv`: `[batch, seq_len, 3 d]`, queries, keys and values side by side;
    ///   the batch size follows from its length;
    /// - `gain`: `[heads]`; if given, queries and keys are normalised (QK-norm), and
    ///   the scores are scaled by `gain / sqrt(head_dim)` instead of
    ///   `1 / sqrt(head_dim)`;
    /// - `out`: `[batch, seq_len, d]`, overwritten;
    /// - `stats`: [`stats_len`](Self::stats_len) values, overwritten.
    ///
    /// # Panics
    /// If `seq_len` is 0, a length does not match, or the shape is invalid.
    pub fn forward(
        &self,
        seq_len: usize,
        qkv: &[f32],
        gain: Option<&[f32]>,
        out: &mut [f32],
        stats: Option<&mut [f32]>,
    ) {
        self.check(
            seq_len,
            qkv,
            gain,
            out.len(),
            stats.as_deref().map(<[f32]>::len),
        );
        forward::forward(self, seq_len, qkv, gain, out, stats);
    }

    /// The backward pass of [`forward`](Self::forward).
    ///
    /// - `dout`: `[batch, seq_len, d]`, the gradient of the output;
    /// - `dqkv`: `[batch, seq_len, 3 d]`, the gradient of `qkv`, overwritten;
    /// - `dgain`: `[batch, heads]`, the gradient of the gains for each sequence,
    ///   overwritten; positions are summed in eight partial sums.
    ///
    /// Each gradient of a query is a chain over the keys in increasing
    /// position; each gradient of a key or value is a chain over the queries.
    ///
    /// # Panics
    /// If a length does not match, the shape is invalid, or `dgain` is given
    /// without a gain.
    pub fn backward(
        &self,
        seq_len: usize,
        saved: Saved,
        dout: &[f32],
        dqkv: &mut [f32],
        dgain: Option<&mut [f32]>,
    ) {
        self.check(
            seq_len,
            saved.qkv,
            saved.gain,
            saved.out.len(),
            Some(saved.stats.len()),
        );
        assert_eq!(dout.len(), saved.out.len(), "attention: the length of dout");
        assert_eq!(dqkv.len(), saved.qkv.len(), "attention: the length of dqkv");
        if let Some(dgain) = &dgain {
            assert!(saved.gain.is_some(), "attention: dgain without gain");
            let sequences = dout.len() / (seq_len * self.width());
            assert_eq!(
                dgain.len(),
                sequences * self.heads,
                "attention: the length of dgain"
            );
        }
        backward::backward(self, seq_len, saved, dout, dqkv, dgain);
    }

    fn check(
        &self,
        seq_len: usize,
        qkv: &[f32],
        gain: Option<&[f32]>,
        out: usize,
        stats: Option<usize>,
    ) {
        self.check_shape();
        let row = 3 * self.width();
        assert!(seq_len > 0, "attention: the sequence length is 0");
        assert!(
            qkv.len().is_multiple_of(seq_len * row),
            "attention: {} values of qkv are not whole sequences of {seq_len} rows of {row}",
            qkv.len()
        );
        let batch = qkv.len() / (seq_len * row);
        assert_eq!(
            out,
            batch * seq_len * self.width(),
            "attention: the length of the output"
        );
        if let Some(gain) = gain {
            assert_eq!(gain.len(), self.heads, "attention: the length of the gain");
        }
        if let Some(stats) = stats {
            assert_eq!(
                stats,
                self.stats_len(batch, seq_len),
                "attention: the length of the statistics"
            );
        }
    }

    fn check_shape(&self) {
        assert!(self.heads > 0, "attention: the number of heads is 0");
        assert!(
            (1..=MAX_HEAD_DIM).contains(&self.head_dim),
            "attention: a head dimension of {} is not in 1..={MAX_HEAD_DIM}",
            self.head_dim
        );
        assert!(
            !self.rope || self.head_dim.is_multiple_of(2),
            "attention: RoPE needs an even head dimension, not {}",
            self.head_dim
        );
        assert!(self.window != Some(0), "attention: the window is 0");
    }

    fn qk_norm_rope(&self, gain: Option<&[f32]>) -> QkNormRope {
        QkNormRope {
            dim: self.head_dim,
            norm: gain.is_some(),
            rope: self.rope,
        }
    }

    /// Number of positions that a query sees, its own included.
    fn reach(&self) -> u64 {
        self.window.map_or(u64::MAX, |w| w as u64)
    }

    fn inverse_root(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    /// The factor of a query that turns its scores into exponents of 2.
    fn factor(&self, gain: Option<f32>) -> f32 {
        gain.unwrap_or(1.0) * (std::f32::consts::LOG2_E * self.inverse_root())
    }
}

/// Evaluates `$body` with the constant `$D`: the head dimension if the code is
/// specialised for it, else 0. Specialised code unrolls the short loops over
/// components and gives the same bits. Heads wider than 8 would gain 0 to 3%, which
/// is not worth the compile time.
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

/// The head dimension in code that [`by_dim`] may have specialised.
#[inline(always)]
fn known<const D: usize>(dim: usize) -> usize {
    if D == 0 { dim } else { D }
}

/// `n` rounded up to a multiple of [`LANES`].
fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}
