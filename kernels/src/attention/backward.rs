//! Gradients of attention over a batch of whole sequences.

use super::block::Keys;
use super::exp2::exp2;
use super::forward::work;
use super::rows::{inner, load_tile, scale, store_tile};
use super::sequence::{Part, Sequence, copy_row};
use super::tile::{Matrix, QUERIES, accumulate, accumulate_transposed, inner_products};
use super::visible::{SPAN, Sees, Span, Visible};
use super::{Attention, Saved, by_dim, known, naive, padded, turns};
use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use crate::threads::Shared;
use crate::{scratch, threads};
use std::f32::consts::LN_2;
use std::ops::Range;

/// [`Attention::backward`], after its checks.
pub(super) fn backward(
    a: &Attention,
    time: usize,
    saved: Saved,
    dout: &[f32],
    dqkv: &mut [f32],
    dgain: Option<&mut [f32]>,
) {
    let tasks = dout.len() / (time * a.head_dim);
    let dqkv = Shared::new(dqkv);
    let rows = time * a.width();
    let turns = a.rope.then(|| turns::table(a.head_dim, time));
    let turns = turns.as_deref().unwrap_or_default();
    let dgain = dgain.map(Shared::new);
    threads::each(tasks, 3 * tasks * work(a, time), |task| {
        let (b, h) = (task / a.heads, task % a.heads);
        let sequence = Sequence::new(a, time, saved.qkv, saved.gain, turns, task);
        let column = h * a.head_dim;
        scratch::with(scratch_len(&sequence), |scratch| {
            let sum = dispatch(Head {
                sequence,
                out: &saved.out[b * rows..(b + 1) * rows][column..],
                stats: &saved.stats[task * 2 * time..][..2 * time],
                dout: &dout[b * rows..(b + 1) * rows][column..],
                scale: saved.gain.map_or(1.0, |g| g[h]) * a.inverse_root(),
                dqkv: dqkv.offset(b * 3 * rows + column),
                scratch,
            });
            if let Some(dgain) = dgain {
                // SAFETY: each task has a place of its own.
                unsafe { *dgain.ptr().add(task) = sum * a.inverse_root() };
            }
        });
    });
}

/// One head of one sequence.
struct Head<'a> {
    sequence: Sequence<'a>,
    /// Its output from its first row on, as it is laid out in the whole.
    out: &'a [f32],
    /// Its `2 time` statistics.
    stats: &'a [f32],
    /// The gradient at `out`.
    dout: &'a [f32],
    /// Factor of the scores, without that of the base 2.
    scale: f32,
    /// Its first gradient; no other task writes to its columns.
    dqkv: Shared,
    scratch: &'a mut [f32],
}

/// How the scratch is cut.
struct Scratch {
    /// Prepared keys, `[groups][dim][8]`.
    keys: *mut f32,
    /// The inverse root mean squares of the keys.
    inverse: *mut f32,
    /// Values, and the gradients at prepared keys and at values:
    /// `[groups * 8][padded dim]` each.
    values: *mut f32,
    dkeys: *mut f32,
    dvalues: *mut f32,
    block: Block,
}

/// What one block of queries needs; two tiles where nothing else is said.
struct Block {
    /// Prepared queries.
    unit: *mut f32,
    /// The same, scaled.
    queries: *mut f32,
    /// The gradient at the output, times the inverse sum.
    dout: *mut f32,
    /// The output.
    out: *mut f32,
    /// `queries` as rows, `[16][padded dim]`.
    query_rows: *mut f32,
    /// `dout` as rows.
    dout_rows: *mut f32,
    /// The gradient at the unscaled queries, `[dim][16]`.
    dqueries: *mut f32,
    /// Probabilities without the inverse sum, `[SPAN * 8][16]`.
    weights: *mut f32,
    /// Gradients at the scores.
    dscores: *mut f32,
}

fn scratch_len(s: &Sequence) -> usize {
    let dim = s.preparation.dim;
    let keys = s.groups() * LANES;
    keys * (dim + 1 + 3 * s.value_row())
        + QUERIES * (5 * dim + 2 * s.value_row())
        + 2 * SPAN * LANES * QUERIES
}

impl Scratch {
    /// # Safety
    /// `p` is good for [`scratch_len`] values.
    unsafe fn cut(p: *mut f32, s: &Sequence) -> Scratch {
        let dim = s.preparation.dim;
        let keys = s.groups() * LANES;
        let mut p = p;
        let mut take = |len: usize| {
            let start = p;
            // SAFETY: the lengths below add up to `scratch_len`.
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

impl Kernel for Head<'_> {
    /// The gradient at the gain, without the scale of the scores.
    type Out = f32;
    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        by_dim!(S, self.sequence.preparation.dim, D => self.blocks::<S, D>())
    }
}

impl Head<'_> {
    /// All blocks of queries, one after the other.
    #[inline(always)]
    fn blocks<S: Simd, const D: usize>(self) -> f32 {
        let s = &self.sequence;
        let (groups, tile) = (s.groups(), known::<D>(s.preparation.dim) * LANES);
        assert!(self.scratch.len() >= scratch_len(s));
        self.scratch[..scratch_len(s)].fill(0.0);
        // SAFETY: the scratch is long enough; groups and blocks are those of
        // the sequence.
        unsafe {
            let scratch = Scratch::cut(self.scratch.as_mut_ptr(), s);
            for g in 0..groups {
                let inverse = s.load::<S>(Part::Key, g * LANES, scratch.keys.add(g * tile));
                S::store_ptr(inverse, scratch.inverse.add(g * LANES));
            }
            s.load_values::<S>(scratch.values);
            let mut dgain = S::splat(0.0);
            for first in (0..s.time).step_by(QUERIES) {
                self.block::<S, D>(first, &scratch, &mut dgain);
            }
            self.finish_keys::<S, D>(&scratch);
            naive::tree(S::to_array(dgain))
        }
    }

    /// All that one block of queries contributes.
    ///
    /// # Safety
    /// `scratch` is cut for the sequence, keys and values are loaded, `first`
    /// is a block of the sequence.
    #[inline(always)]
    unsafe fn block<S: Simd, const D: usize>(
        &self,
        first: usize,
        scratch: &Scratch,
        dgain: &mut S::F,
    ) {
        let s = &self.sequence;
        let dim = known::<D>(s.preparation.dim);
        let (tile, row) = (dim * LANES, padded(dim));
        let (visible, block) = (s.visible(first), &scratch.block);
        // SAFETY: tiles and rows of the block, groups of the sequence.
        unsafe {
            s.prefetch_next(first);
            for row in [self.out, self.dout] {
                s.prefetch_next_rows(row.as_ptr(), s.width, first);
            }
            let mut inverse_rms = [S::splat(1.0); 2];
            let mut max = [S::splat(0.0); 2];
            let mut mean = [S::splat(0.0); 2];
            for half in 0..2 {
                let (from, at) = (first + half * LANES, half * tile);
                let rows = s.rows(from);
                inverse_rms[half] = s.load::<S>(Part::Query, from, block.unit.add(at));
                let queries = block.queries.add(at);
                scale::<S>(block.unit.add(at), S::splat(s.factor), dim, queries);
                store_tile::<S>(
                    queries,
                    block.query_rows.add(half * LANES * row),
                    row,
                    LANES,
                    dim,
                );

                let mut stats = [[0.0; LANES]; 2];
                if rows > 0 {
                    stats[0][..rows].copy_from_slice(&self.stats[from..][..rows]);
                    stats[1][..rows].copy_from_slice(&self.stats[s.time + from..][..rows]);
                }
                max[half] = S::load(&stats[0]);
                let skip = from * s.width;
                let dout = block.dout.add(at);
                load_tile::<S>(
                    self.dout.as_ptr().wrapping_add(skip),
                    s.width,
                    rows,
                    dim,
                    dout,
                );
                scale::<S>(dout, S::load(&stats[1]), dim, dout);
                store_tile::<S>(
                    dout,
                    block.dout_rows.add(half * LANES * row),
                    row,
                    LANES,
                    dim,
                );
                let out = block.out.add(at);
                load_tile::<S>(
                    self.out.as_ptr().wrapping_add(skip),
                    s.width,
                    rows,
                    dim,
                    out,
                );
                mean[half] = inner::<S>(dout, out, dim);
            }
            for i in 0..2 * dim {
                S::store_ptr(S::splat(0.0), block.dqueries.add(i * LANES));
            }

            let keys = Keys {
                keys: scratch.keys,
                values: scratch.values,
                row,
                groups: s.groups(),
            };
            let (mut group, last) = visible.groups();
            while group <= last {
                let span = visible.span(group, keys.groups);
                self.span::<S, D>(&visible, &span, scratch, &keys, max, mean);
                group += span.len as u64;
            }

            for (half, inverse_rms) in inverse_rms.into_iter().enumerate() {
                let (from, at) = (first + half * LANES, half * tile);
                let rows = s.rows(from);
                if rows == 0 {
                    continue;
                }
                // The scaled queries are done with: their place takes the gradient.
                let (unit, grad) = (block.unit.add(at), block.queries.add(at));
                for c in 0..dim {
                    let x = S::load_ptr(block.dqueries.add(c * QUERIES + half * LANES));
                    S::store_ptr(x, grad.add(c * LANES));
                }
                *dgain = S::add(*dgain, inner::<S>(unit, grad, dim));
                scale::<S>(grad, S::splat(self.scale), dim, grad);
                s.preparation
                    .backward::<S>(grad, unit, inverse_rms, s.turns(from));
                let dst = self.dqkv.ptr().add(s.offset(Part::Query, from));
                store_tile::<S>(grad, dst, s.row(), rows, dim);
            }
        }
    }

    /// What the keys of one span and a block of queries contribute to each other.
    ///
    /// # Safety
    /// As for [`block`](Self::block); the span is one of the block.
    #[inline(always)]
    unsafe fn span<S: Simd, const D: usize>(
        &self,
        visible: &Visible,
        span: &Span,
        scratch: &Scratch,
        keys: &Keys,
        max: [S::F; 2],
        mean: [S::F; 2],
    ) {
        let dim = known::<D>(self.sequence.preparation.dim);
        let block = &scratch.block;
        let tile = dim * LANES;
        // SAFETY: spans have at most SPAN groups, groups eight keys; a half
        // that sees nothing is neither written nor read.
        unsafe {
            let k = keys.key_groups(span.slot, dim);
            let v = keys.value_groups(span.slot);
            if span.masked {
                let mut seen: Option<Range<usize>> = None;
                for half in 0..2 {
                    let sees = visible.sees(span.group, half);
                    if let Sees::None = sees {
                        continue;
                    }
                    let at = half * LANES;
                    seen = Some(seen.map_or(at, |s| s.start)..at + LANES);
                    let weights = block.weights.add(at);
                    let dscores = block.dscores.add(at);
                    let s = inner_products::<S::F, 8>(block.queries.add(half * tile), k, dim);
                    for (r, s) in s.into_iter().enumerate() {
                        let w = exp2(S::sub(s, max[half]));
                        S::store_ptr(mask::<S>(sees, r, w), weights.add(r * QUERIES));
                    }
                    let dw = inner_products::<S::F, 8>(block.dout.add(half * tile), v, dim);
                    for (r, dw) in dw.into_iter().enumerate() {
                        let w = S::load_ptr(weights.add(r * QUERIES));
                        let ds = S::mul(w, S::sub(dw, mean[half]));
                        S::store_ptr(mask::<S>(sees, r, ds), dscores.add(r * QUERIES));
                    }
                    let dqueries = block.dqueries.add(at);
                    accumulate::<S::F, false>(dscores, k, 1, dim, dqueries);
                }
                if let Some(seen) = seen {
                    self.transposed::<S, D>(scratch, span.slot, 0, seen);
                }
                return;
            }
            let max = both::<S>(max);
            let mean = both::<S>(mean);
            for g in 0..span.len {
                let (k, v) = (k.at(g, 0), v.at(g, 0));
                if S::WIDE {
                    score_gradients::<S::W, 8>(block, g, k, v, dim, max, mean);
                } else {
                    score_gradients::<S::W, 4>(block, g, k, v, dim, max, mean);
                }
                self.transposed::<S, D>(scratch, span.slot + g, g, 0..QUERIES);
            }
            accumulate::<S::W, false>(block.dscores, k, span.len, dim, block.dqueries);
        }
    }

    /// What `queries` of a block, whose weights are the `g`-th group in the
    /// scratch, contribute to the keys and values of the group at `slot`.
    ///
    /// # Safety
    /// As for [`block`](Self::block).
    #[inline(always)]
    unsafe fn transposed<S: Simd, const D: usize>(
        &self,
        scratch: &Scratch,
        slot: usize,
        g: usize,
        queries: Range<usize>,
    ) {
        let row = padded(known::<D>(self.sequence.preparation.dim));
        let (block, vectors) = (&scratch.block, row / LANES);
        // SAFETY: the group is one of the sequence.
        unsafe {
            let weights = block.weights.add(g * LANES * QUERIES);
            let dscores = block.dscores.add(g * LANES * QUERIES);
            let dvalues = scratch.dvalues.add(slot * LANES * row);
            let dkeys = scratch.dkeys.add(slot * LANES * row);
            let rows = block.dout_rows;
            accumulate_transposed::<S>(weights, rows, vectors, queries.clone(), dvalues);
            let rows = block.query_rows;
            accumulate_transposed::<S>(dscores, rows, vectors, queries, dkeys);
        }
    }

    /// Writes the gradients at keys and values.
    ///
    /// # Safety
    /// As for [`block`](Self::block); all blocks are done.
    #[inline(always)]
    unsafe fn finish_keys<S: Simd, const D: usize>(&self, scratch: &Scratch) {
        let s = &self.sequence;
        let dim = known::<D>(s.preparation.dim);
        let (tile, row) = (dim * LANES, padded(dim));
        // SAFETY: groups and rows of the sequence.
        unsafe {
            for g in 0..s.groups() {
                let from = g * LANES;
                let rows = s.rows(from);
                let grad = scratch.block.queries;
                load_tile::<S>(scratch.dkeys.add(from * row), row, LANES, dim, grad);
                scale::<S>(grad, S::splat(LN_2), dim, grad);
                let unit = scratch.keys.add(g * tile);
                let inverse = S::load_ptr(scratch.inverse.add(from));
                s.preparation
                    .backward::<S>(grad, unit, inverse, s.turns(from));
                let dst = self.dqkv.ptr().add(s.offset(Part::Key, from));
                store_tile::<S>(grad, dst, s.row(), rows, dim);
                for r in 0..rows {
                    let to = self.dqkv.ptr().add(s.offset(Part::Value, from + r));
                    copy_row::<S>(scratch.dvalues.add((from + r) * row), dim, to);
                }
            }
        }
    }
}

/// Probabilities of the `g`-th group of a span that all queries see, and the
/// gradients at its scores, `K` keys at a time.
///
/// # Safety
/// `g` is below [`SPAN`], `keys` and `values` are good for eight rows.
#[inline(always)]
unsafe fn score_gradients<W: Vector, const K: usize>(
    block: &Block,
    g: usize,
    keys: Matrix,
    values: Matrix,
    dim: usize,
    max: W,
    mean: W,
) {
    // SAFETY: promised by the caller; `K` divides eight.
    unsafe {
        for at in (0..LANES).step_by(K) {
            let from = (g * LANES + at) * QUERIES;
            let (weights, dscores) = (block.weights.add(from), block.dscores.add(from));
            let s = inner_products::<W, K>(block.queries, keys.at(0, at), dim);
            for (r, s) in s.into_iter().enumerate() {
                exp2(s.sub(max)).store_ptr(weights.add(r * QUERIES));
            }
            let dw = inner_products::<W, K>(block.dout, values.at(0, at), dim);
            for (r, dw) in dw.into_iter().enumerate() {
                let w = W::load_ptr(weights.add(r * QUERIES));
                w.mul(dw.sub(mean)).store_ptr(dscores.add(r * QUERIES));
            }
        }
    }
}

/// Two vectors side by side.
#[inline(always)]
fn both<S: Simd>(halves: [S::F; 2]) -> S::W {
    let mut values = [0.0; QUERIES];
    S::store(halves[0], &mut values);
    S::store(halves[1], &mut values[LANES..]);
    // SAFETY: an array of sixteen values.
    unsafe { S::W::load_ptr(values.as_ptr()) }
}

/// `x`, or zero where the query does not see the `r`-th key.
#[inline(always)]
fn mask<S: Simd>(sees: Sees, r: usize, x: S::F) -> S::F {
    match sees {
        Sees::Some(mask) => mask.choose::<S>(r, x, S::splat(0.0)),
        _ => x,
    }
}
