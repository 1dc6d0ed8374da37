//! Attention over a batch of whole sequences.

use super::Attention;
use super::block::{self, Keys};
use super::rows::{scale, store_tile};
use super::sequence::{Part, Sequence};
use super::tile::QUERIES;
use super::{by_dim, known, padded, turns};
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::Shared;
use crate::{scratch, threads};

/// [`Attention::forward`], after its checks.
pub(super) fn forward(
    a: &Attention,
    time: usize,
    qkv: &[f32],
    gain: Option<&[f32]>,
    out: &mut [f32],
    stats: Option<&mut [f32]>,
) {
    let tasks = out.len() / (time * a.head_dim);
    let out = Shared::new(out);
    let stats = stats.map(Shared::new);
    let turns = a.rope.then(|| turns::table(a.head_dim, time));
    let turns = turns.as_deref().unwrap_or_default();
    threads::each(tasks, tasks * work(a, time), |task| {
        let sequence = Sequence::new(a, time, qkv, gain, turns, task);
        let (b, h) = (task / a.heads, task % a.heads);
        scratch::with(scratch_len(&sequence), |scratch| {
            dispatch(Head {
                sequence,
                out: out.offset(b * time * a.width() + h * a.head_dim),
                stats: stats.map(|s| s.offset(task * 2 * time)),
                scratch,
            });
        });
    });
}

/// Operations on one head of one sequence, roughly.
pub(super) fn work(a: &Attention, time: usize) -> usize {
    let seen = a.window.unwrap_or(time).min(time);
    time * seen * (a.head_dim + 8)
}

/// One head of one sequence.
struct Head<'a> {
    sequence: Sequence<'a>,
    /// Its first output; no other task writes to its columns.
    out: Shared,
    /// Its `2 time` statistics.
    stats: Option<Shared>,
    scratch: &'a mut [f32],
}

fn scratch_len(s: &Sequence) -> usize {
    let dim = s.preparation.dim;
    s.groups() * LANES * (dim + s.value_row())
        + 4 * dim * LANES
        + block::scratch_len(dim, s.groups())
}

impl Kernel for Head<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        by_dim!(S, self.sequence.preparation.dim, D => self.blocks::<S, D>());
    }
}

impl Head<'_> {
    /// All blocks of queries, one after the other.
    #[inline(always)]
    fn blocks<S: Simd, const D: usize>(self) {
        let s = &self.sequence;
        let dim = known::<D>(s.preparation.dim);
        let (groups, tile) = (s.groups(), dim * LANES);
        assert!(self.scratch.len() >= scratch_len(s));
        let keys = self.scratch.as_mut_ptr();
        // SAFETY: the scratch is cut as `scratch_len` counts; outputs and
        // statistics are those of the task, of rows below `time`.
        unsafe {
            let values = keys.add(groups * tile);
            let queries = values.add(groups * LANES * s.value_row());
            let result = queries.add(2 * tile);
            let rest = result.add(2 * tile);
            for g in 0..groups {
                s.load::<S>(Part::Key, g * LANES, keys.add(g * tile));
            }
            s.load_values::<S>(values);
            let keys = Keys {
                keys,
                values,
                row: padded(dim),
                groups,
            };
            for first in (0..s.time).step_by(QUERIES) {
                s.prefetch_next(first);
                for half in 0..2 {
                    let to = queries.add(half * tile);
                    s.load::<S>(Part::Query, first + half * LANES, to);
                    scale::<S>(to, S::splat(s.factor), dim, to);
                }
                let stats =
                    block::attend::<S>(&s.visible(first), dim, queries, &keys, rest, result);
                for half in 0..2 {
                    let from = first + half * LANES;
                    let rows = s.rows(from);
                    let dst = self.out.ptr().wrapping_add(from * s.width);
                    store_tile::<S>(result.add(half * tile), dst, s.width, rows, dim);
                    if let Some(to) = self.stats {
                        for r in 0..rows {
                            let at = to.ptr().add(from + r);
                            *at = S::to_array(stats.max[half])[r];
                            *at.add(s.time) = S::to_array(stats.inverse[half])[r];
                        }
                    }
                }
            }
        }
    }
}
