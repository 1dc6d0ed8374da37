//! Attention forward, over a batch of whole sequences.

use super::Attention;
use super::products::QUERIES;
use super::query_block::{self, HeadKv};
use super::sequence::{Part, Sequence};
use super::tile::{scale, store_tile};
use super::{by_dim, known, padded, rope_tables};
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::Shared;
use crate::{scratch, threads};

/// [`Attention::forward`] without its checks.
pub(super) fn forward(
    a: &Attention,
    seq_len: usize,
    qkv: &[f32],
    gain: Option<&[f32]>,
    out: &mut [f32],
    stats: Option<&mut [f32]>,
) {
    let tasks = out.len() / (seq_len * a.head_dim);
    let out = Shared::new(out);
    let stats = stats.map(Shared::new);
    let rotations = a.rope.then(|| rope_tables::table(a.head_dim, seq_len));
    let rotations = rotations.as_deref().unwrap_or_default();
    threads::each(tasks, tasks * work(a, seq_len), |task| {
        let sequence = Sequence::new(a, seq_len, qkv, gain, rotations, task);
        let (b, h) = (task / a.heads, task % a.heads);
        scratch::with(scratch_len(&sequence), |scratch| {
            dispatch(Head {
                sequence,
                out: out.offset(b * seq_len * a.width() + h * a.head_dim),
                stats: stats.map(|s| s.offset(task * 2 * seq_len)),
                scratch,
            });
        });
    });
}

/// Roughly the operations for one head of one sequence.
pub(super) fn work(a: &Attention, seq_len: usize) -> usize {
    let seen = a.window.unwrap_or(seq_len).min(seq_len);
    seq_len * seen * (a.head_dim + 8)
}

/// The forward pass of one head of one sequence.
struct Head<'a> {
    sequence: Sequence<'a>,
    /// The output of the batch, from this head's first component on; no other task
    /// writes to these columns.
    out: Shared,
    /// The softmax statistics, `[2, seq_len]`.
    stats: Option<Shared>,
    scratch: &'a mut [f32],
}

fn scratch_len(s: &Sequence) -> usize {
    let dim = s.qk_norm_rope.dim;
    s.groups() * LANES * (dim + s.value_row())
        + 4 * dim * LANES
        + query_block::scratch_len(dim, s.groups())
}

impl Kernel for Head<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        by_dim!(S, self.sequence.qk_norm_rope.dim, D => self.blocks::<S, D>());
    }
}

impl Head<'_> {
    /// All blocks of queries, in order.
    #[inline(always)]
    fn blocks<S: Simd, const D: usize>(self) {
        let s = &self.sequence;
        let dim = known::<D>(s.qk_norm_rope.dim);
        let (groups, tile) = (s.groups(), dim * LANES);
        assert!(self.scratch.len() >= scratch_len(s));
        let keys = self.scratch.as_mut_ptr();
        // SAFETY: the parts of the scratch add up to `scratch_len`; outputs and
        // statistics belong to this task, rows are below `seq_len`.
        unsafe {
            let values = keys.add(groups * tile);
            let queries = values.add(groups * LANES * s.value_row());
            let result = queries.add(2 * tile);
            let rest = result.add(2 * tile);
            for g in 0..groups {
                s.load::<S>(Part::Key, g * LANES, keys.add(g * tile));
            }
            s.load_values::<S>(values);
            let kv = HeadKv {
                keys,
                values,
                row: padded(dim),
                groups,
            };
            for first in (0..s.seq_len).step_by(QUERIES) {
                s.prefetch_next(first);
                for half in 0..2 {
                    let to = queries.add(half * tile);
                    s.load::<S>(Part::Query, first + half * LANES, to);
                    scale::<S>(to, S::splat(s.factor), dim, to);
                }
                let stats =
                    query_block::attend::<S>(&s.block_mask(first), dim, queries, &kv, rest, result);
                for half in 0..2 {
                    let from = first + half * LANES;
                    let rows = s.rows(from);
                    let dst = self.out.ptr().wrapping_add(from * s.width);
                    store_tile::<S>(result.add(half * tile), dst, s.width, rows, dim);
                    if let Some(to) = self.stats {
                        for r in 0..rows {
                            let at = to.ptr().add(from + r);
                            *at = S::to_array(stats.max[half])[r];
                            *at.add(s.seq_len) = S::to_array(stats.inverse[half])[r];
                        }
                    }
                }
            }
        }
    }
}
