//! The scratch memory of attention backward.

use super::mask::SPAN;
use super::products::QUERIES;
use super::sequence::Sequence;
use crate::simd::LANES;

/// The scratch of one head of one sequence.
pub(super) struct Scratch {
    /// Keys after QK-norm and RoPE, `[groups][dim][8]`.
    pub keys: *mut f32,
    /// The inverse root mean squares of the raw keys.
    pub inverse: *mut f32,
    /// Values, the gradients of prepared keys, and the gradients of values:
    /// `[groups * 8][padded dim]` each.
    pub values: *mut f32,
    pub dkeys: *mut f32,
    pub dvalues: *mut f32,
    pub block: Block,
}

/// The scratch of one block of queries. A field is two tiles unless it gives another
/// layout.
pub(super) struct Block {
    /// Queries after QK-norm and RoPE.
    pub unit: *mut f32,
    /// `unit`, scaled.
    pub queries: *mut f32,
    /// The gradient of the output, times the inverse of the softmax sum.
    pub dout: *mut f32,
    /// The output.
    pub out: *mut f32,
    /// `queries` as rows, `[16][padded dim]`.
    pub query_rows: *mut f32,
    /// `dout` as rows, `[16][padded dim]`.
    pub dout_rows: *mut f32,
    /// The gradient of the unscaled queries, `[dim][16]`.
    pub dqueries: *mut f32,
    /// Unnormalised probabilities, `[SPAN * 8][16]`.
    pub weights: *mut f32,
    /// Gradients of the scores, `[SPAN * 8][16]`.
    pub dscores: *mut f32,
}

impl Scratch {
    /// Length of the scratch in values.
    pub fn len(s: &Sequence) -> usize {
        let dim = s.qk_norm_rope.dim;
        let keys = s.groups() * LANES;
        keys * (dim + 1 + 3 * s.value_row())
            + QUERIES * (5 * dim + 2 * s.value_row())
            + 2 * SPAN * LANES * QUERIES
    }

    /// Splits a buffer into the parts.
    ///
    /// # Safety
    /// `p` is valid for [`len`](Scratch::len) values.
    pub unsafe fn split(p: *mut f32, s: &Sequence) -> Scratch {
        let dim = s.qk_norm_rope.dim;
        let keys = s.groups() * LANES;
        let mut p = p;
        let mut take = |len: usize| {
            let start = p;
            // SAFETY: the lengths below add up to `len`.
            p = unsafe { p.add(len) };
            start
        };
        Scratch {
            keys: take(keys * dim),
            inverse: take(keys),
            values: take(keys * s.value_row()),
            dkeys: take(keys * s.value_row()),
            dvalues: take(keys * s.value_row()),
            block: Block {
                unit: take(QUERIES * dim),
                queries: take(QUERIES * dim),
                dout: take(QUERIES * dim),
                out: take(QUERIES * dim),
                query_rows: take(QUERIES * s.value_row()),
                dout_rows: take(QUERIES * s.value_row()),
                dqueries: take(QUERIES * dim),
                weights: take(SPAN * LANES * QUERIES),
                dscores: take(SPAN * LANES * QUERIES),
            },
        }
    }
}
