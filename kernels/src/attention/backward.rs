//! Attention backward, over a batch of whole sequences.

use super::backward_scratch::{Block, Scratch};
use super::exp2::exp2;
use super::forward::work;
use super::mask::{BlockMask, Span, Visibility};
use super::products::{Matrix, QUERIES, accumulate, accumulate_transposed, inner_products};
use super::query_block::HeadKv;
use super::sequence::{Part, Sequence};
use super::tile::{copy_row, inner, load_tile, scale, store_tile};
use super::{Attention, Saved, by_dim, known, naive, padded, rope_tables};
use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use crate::threads::Shared;
use crate::{scratch, threads};
use std::f32::consts::LN_2;
use std::ops::Range;

/// [`Attention::backward`] without its checks.
pub(super) fn backward(
    a: &Attention,
    seq_len: usize,
    saved: Saved,
    dout: &[f32],
    dqkv: &mut [f32],
    dgain: Option<&mut [f32]>,
) {
    let tasks = dout.len() / (seq_len * a.head_dim);
    let dqkv = Shared::new(dqkv);
    let rows = seq_len * a.width();
    let rotations = a.rope.then(|| rope_tables::table(a.head_dim, seq_len));
    let rotations = rotations.as_deref().unwrap_or_default();
    let dgain = dgain.map(Shared::new);
    threads::each(tasks, 3 * tasks * work(a, seq_len), |task| {
        let (b, h) = (task / a.heads, task % a.heads);
        let sequence = Sequence::new(a, seq_len, saved.qkv, saved.gain, rotations, task);
        let column = h * a.head_dim;
        scratch::with(Scratch::len(&sequence), |scratch| {
            let sum = dispatch(Head {
                sequence,
                out: &saved.out[b * rows..(b + 1) * rows][column..],
                stats: &saved.stats[task * 2 * seq_len..][..2 * seq_len],
                dout: &dout[b * rows..(b + 1) * rows][column..],
                scale: saved.gain.map_or(1.0, |g| g[h]) * a.inverse_root(),
                dqkv: dqkv.offset(b * 3 * rows + column),
                scratch,
            });
            if let Some(dgain) = dgain {
                // SAFETY: each task writes its own element.
                unsafe { *dgain.ptr().add(task) = sum * a.inverse_root() };
            }
        });
    });
}

/// The backward pass of one head of one sequence.
struct Head<'a> {
    sequence: Sequence<'a>,
    /// The output of the batch, from this head's first component on.
    out: &'a [f32],
    /// The softmax statistics, `[2, seq_len]`.
    stats: &'a [f32],
    /// The gradient of `out`, with the same layout.
    dout: &'a [f32],
    /// `gain / sqrt(head_dim)`.
    scale: f32,
    /// The gradient of the batch's `qkv`, from this head's first query on; no other
    /// task writes to these columns.
    dqkv: Shared,
    scratch: &'a mut [f32],
}

impl Kernel for Head<'_> {
    /// The gradient of the gain, without the factor `1 / sqrt(head_dim)`.
    type Out = f32;
    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        by_dim!(S, self.sequence.qk_norm_rope.dim, D => self.blocks::<S, D>())
    }
}

impl Head<'_> {
    /// All blocks of queries, in order.
    #[inline(always)]
    fn blocks<S: Simd, const D: usize>(self) -> f32 {
        let s = &self.sequence;
        let (groups, tile) = (s.groups(), known::<D>(s.qk_norm_rope.dim) * LANES);
        assert!(self.scratch.len() >= Scratch::len(s));
        self.scratch[..Scratch::len(s)].fill(0.0);
        // SAFETY: the scratch is long enough; groups and blocks are those of the
        // sequence.
        unsafe {
            let scratch = Scratch::split(self.scratch.as_mut_ptr(), s);
            for g in 0..groups {
                let inverse = s.load::<S>(Part::Key, g * LANES, scratch.keys.add(g * tile));
                S::store_ptr(inverse, scratch.inverse.add(g * LANES));
            }
            s.load_values::<S>(scratch.values);
            let mut dgain = S::splat(0.0);
            for first in (0..s.seq_len).step_by(QUERIES) {
                self.block::<S, D>(first, &scratch, &mut dgain);
            }
            self.finish_keys::<S, D>(&scratch);
            naive::tree(S::to_array(dgain))
        }
    }

    /// The contributions of the block of queries from `first` on.
    ///
    /// # Safety
    /// `scratch` was split for the sequence, keys and values are loaded, and the
    /// sequence has a block at `first`.
    #[inline(always)]
    unsafe fn block<S: Simd, const D: usize>(
        &self,
        first: usize,
        scratch: &Scratch,
        dgain: &mut S::F,
    ) {
        let s = &self.sequence;
        let dim = known::<D>(s.qk_norm_rope.dim);
        let (tile, row) = (dim * LANES, padded(dim));
        let (mask, block) = (s.block_mask(first), &scratch.block);
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
                    stats[1][..rows].copy_from_slice(&self.stats[s.seq_len + from..][..rows]);
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

            let kv = HeadKv {
                keys: scratch.keys,
                values: scratch.values,
                row,
                groups: s.groups(),
            };
            let (mut group, last) = mask.groups();
            while group <= last {
                let span = mask.span(group, kv.groups);
                self.span::<S, D>(&mask, &span, scratch, &kv, max, mean);
                group += span.len as u64;
            }

            for (half, inverse_rms) in inverse_rms.into_iter().enumerate() {
                let (from, at) = (first + half * LANES, half * tile);
                let rows = s.rows(from);
                if rows == 0 {
                    continue;
                }
                // The scaled queries are no longer needed: the gradient replaces them.
                let (unit, grad) = (block.unit.add(at), block.queries.add(at));
                for c in 0..dim {
                    let x = S::load_ptr(block.dqueries.add(c * QUERIES + half * LANES));
                    S::store_ptr(x, grad.add(c * LANES));
                }
                *dgain = S::add(*dgain, inner::<S>(unit, grad, dim));
                scale::<S>(grad, S::splat(self.scale), dim, grad);
                s.qk_norm_rope
                    .backward::<S>(grad, unit, inverse_rms, s.rotations(from));
                let dst = self.dqkv.ptr().add(s.offset(Part::Query, from));
                store_tile::<S>(grad, dst, s.row(), rows, dim);
            }
        }
    }

    /// The contributions of the keys of one span and a block of queries to each
    /// other's gradients.
    ///
    /// # Safety
    /// The conditions of [`block`](Self::block); the span belongs to the block's mask.
    #[inline(always)]
    unsafe fn span<S: Simd, const D: usize>(
        &self,
        mask: &BlockMask,
        span: &Span,
        scratch: &Scratch,
        kv: &HeadKv,
        max: [S::F; 2],
        mean: [S::F; 2],
    ) {
        let dim = known::<D>(self.sequence.qk_norm_rope.dim);
        let block = &scratch.block;
        let tile = dim * LANES;
        // SAFETY: a span has at most SPAN groups of eight keys; a half that sees
        // nothing is neither written nor read.
        unsafe {
            let k = kv.key_groups(span.slot, dim);
            let v = kv.value_groups(span.slot);
            if span.masked {
                let mut seen: Option<Range<usize>> = None;
                for half in 0..2 {
                    let visibility = mask.visibility(span.group, half);
                    if let Visibility::None = visibility {
                        continue;
                    }
                    let at = half * LANES;
                    seen = Some(seen.map_or(at, |s| s.start)..at + LANES);
                    let weights = block.weights.add(at);
                    let dscores = block.dscores.add(at);
                    let s = inner_products::<S::F, 8>(block.queries.add(half * tile), k, dim);
                    for (r, s) in s.into_iter().enumerate() {
                        let w = exp2(S::sub(s, max[half]));
                        S::store_ptr(masked::<S>(visibility, r, w), weights.add(r * QUERIES));
                    }
                    let dw = inner_products::<S::F, 8>(block.dout.add(half * tile), v, dim);
                    for (r, dw) in dw.into_iter().enumerate() {
                        let w = S::load_ptr(weights.add(r * QUERIES));
                        let ds = S::mul(w, S::sub(dw, mean[half]));
                        S::store_ptr(masked::<S>(visibility, r, ds), dscores.add(r * QUERIES));
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

    /// Adds the contributions of the `queries` of a block to the gradients of the
    /// keys and values of the group at `slot`. The weights are those of the `g`-th
    /// group in the scratch.
    ///
    /// # Safety
    /// The conditions of [`block`](Self::block).
    #[inline(always)]
    unsafe fn transposed<S: Simd, const D: usize>(
        &self,
        scratch: &Scratch,
        slot: usize,
        g: usize,
        queries: Range<usize>,
    ) {
        let row = padded(known::<D>(self.sequence.qk_norm_rope.dim));
        let (block, vectors) = (&scratch.block, row / LANES);
        // SAFETY: the group belongs to the sequence.
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

    /// Writes the gradients of keys and values.
    ///
    /// # Safety
    /// The conditions of [`block`](Self::block); all blocks are done.
    #[inline(always)]
    unsafe fn finish_keys<S: Simd, const D: usize>(&self, scratch: &Scratch) {
        let s = &self.sequence;
        let dim = known::<D>(s.qk_norm_rope.dim);
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
                s.qk_norm_rope
                    .backward::<S>(grad, unit, inverse, s.rotations(from));
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

/// Unnormalised probabilities and score gradients of the `g`-th group of an unmasked
/// span, `K` keys at a time.
///
/// # Safety
/// `g` is below [`SPAN`](super::mask::SPAN); `keys` and `values` are valid for eight rows.
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

/// Joins two vectors.
#[inline(always)]
fn both<S: Simd>(halves: [S::F; 2]) -> S::W {
    let mut values = [0.0; QUERIES];
    S::store(halves[0], &mut values);
    S::store(halves[1], &mut values[LANES..]);
    // SAFETY: an array of sixteen values.
    unsafe { S::W::load_ptr(values.as_ptr()) }
}

/// `x`, or zero in the lanes whose query does not see the `r`-th key.
#[inline(always)]
fn masked<S: Simd>(visibility: Visibility, r: usize, x: S::F) -> S::F {
    match visibility {
        Visibility::Partial(mask) => mask.choose::<S>(r, x, S::splat(0.0)),
        _ => x,
    }
}
