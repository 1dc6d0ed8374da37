//! A decoding step: one position of every lane.
//!
//! The lanes of a vector hold keys where scores are computed, and components where
//! values are summed.

use super::call::Call;
use crate::attention::exp2::exp2;
use crate::attention::rope_tables::{self, rotations_len};
use crate::attention::sequence::Part;
use crate::attention::tile::{copy_row, load_tile, scale};
use crate::attention::{naive, padded};
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads;

impl Call<'_> {
    /// Appends and attends from row `t` of every lane, which is at `position`.
    pub fn decode_step(&self, lanes: usize, t: usize, position: u64) {
        let a = &self.attention;
        let rotations = if a.rope { rotations_len(a.head_dim) } else { 0 };
        scratch::with(rotations, |rotations| {
            if a.rope {
                rope_tables::fill_one(self.steps, position, rotations);
            }
            let rotations = &*rotations;
            // QK-norm and RoPE take eight heads of a lane at once.
            let chunks = a.heads.div_ceil(LANES);
            let work = self.work(lanes, 1, position);
            threads::each(lanes * chunks, work, |task| {
                let first = task % chunks * LANES;
                let step = Step {
                    call: self,
                    lane: task / chunks,
                    first,
                    heads: LANES.min(a.heads - first),
                    t,
                    position,
                    rotations,
                };
                scratch::with(step.scratch_len(), |scratch| step.run(scratch));
            });
        });
    }
}

/// Up to eight heads of one lane at one position.
struct Step<'a> {
    call: &'a Call<'a>,
    lane: usize,
    /// The first head.
    first: usize,
    /// Number of heads.
    heads: usize,
    /// The row in the call.
    t: usize,
    /// The position of that row.
    position: u64,
    /// A tile of RoPE rotations, with this position in every row.
    rotations: &'a [f32],
}

/// The part of the ring that the query sees.
struct Seen {
    /// The first visible position.
    lowest: u64,
    /// The slot of its group in the ring.
    slot: usize,
    /// Number of groups with a visible position.
    groups: usize,
}

impl Step<'_> {
    /// Length of the scratch for [`run`](Self::run).
    fn scratch_len(&self) -> usize {
        2 * LANES * self.call.attention.head_dim + LANES * self.call.groups * LANES
    }

    /// Appends keys and values to the cache and writes the output.
    fn run(&self, scratch: &mut [f32]) {
        assert!(scratch.len() >= self.scratch_len());
        dispatch(Run(self, scratch));
    }

    fn seen(&self) -> Seen {
        let lanes = LANES as u64;
        let lowest = (self.position + 1).saturating_sub(self.call.reach);
        Seen {
            lowest,
            slot: self.call.slot(lowest).0,
            groups: (self.position / lanes - lowest / lanes + 1) as usize,
        }
    }
}

struct Run<'a>(&'a Step<'a>, &'a mut [f32]);

impl Kernel for Run<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Run(step, scratch) = self;
        let dim = step.call.attention.head_dim;
        let seen = step.seen();
        let queries = scratch.as_mut_ptr();
        // SAFETY: the scratch holds two tiles and the scores of eight heads;
        // no other task touches these heads of the lane.
        unsafe {
            let keys = queries.add(dim * LANES);
            let weights = keys.add(dim * LANES);
            let stride = seen.groups * LANES;
            step.prepare::<S>(queries, keys);
            let mut inverse = [0.0; LANES];
            for (r, inverse) in inverse.iter_mut().enumerate().take(step.heads) {
                let weights = weights.add(r * stride);
                step.scores::<S>(r, &seen, queries.add(r), weights);
                *inverse = step.probabilities::<S>(&seen, weights);
            }
            step.output::<S>(&seen, weights, &inverse);
        }
    }
}

impl Step<'_> {
    /// Applies QK-norm and RoPE, writes the scaled queries to a tile with one row
    /// for each head, and appends keys and values to the ring.
    ///
    /// # Safety
    /// Both tiles are valid for writing; no other task touches the heads.
    #[inline(always)]
    unsafe fn prepare<S: Simd>(&self, queries: *mut f32, keys: *mut f32) {
        let call = self.call;
        let a = &call.attention;
        let dim = a.head_dim;
        let qk_norm_rope = a.qk_norm_rope(call.gain);
        let mut factors = [0.0; LANES];
        for (r, factor) in factors.iter_mut().enumerate().take(self.heads) {
            *factor = a.factor(call.gain.map(|g| g[self.first + r]));
        }
        let (group, lane) = call.slot(self.position);
        // SAFETY: the row and its heads exist; slots lie inside the ring.
        unsafe {
            let at = call.row(self.lane, self.t) + self.first * dim;
            let row = call.qkv.as_ptr().add(at);
            let part = |part: Part| row.add(part as usize * a.width());
            load_tile::<S>(part(Part::Query), dim, self.heads, dim, queries);
            qk_norm_rope.forward::<S>(queries, self.rotations.as_ptr());
            scale::<S>(queries, S::load(&factors), dim, queries);
            load_tile::<S>(part(Part::Key), dim, self.heads, dim, keys);
            qk_norm_rope.forward::<S>(keys, self.rotations.as_ptr());
            for r in 0..self.heads {
                let head = self.first + r;
                let key = call.head_keys(self.lane, head).ptr();
                let key = key.add(group * dim * LANES + lane);
                for c in 0..dim {
                    *key.add(c * LANES) = *keys.add(c * LANES + r);
                }
                let value = call.head_values(self.lane, head).ptr();
                let value = value.add((group * LANES + lane) * call.value_row());
                copy_row::<S>(part(Part::Value).add(r * dim), dim, value);
            }
        }
    }

    /// The scores of the `r`-th head for all positions of the visible groups;
    /// minus infinity for masked positions. The components of `query` are eight
    /// values apart.
    ///
    /// # Safety
    /// `query` is a row of a tile; `scores` has room for the visible groups.
    #[inline(always)]
    unsafe fn scores<S: Simd>(&self, r: usize, seen: &Seen, query: *const f32, scores: *mut f32) {
        let dim = self.call.attention.head_dim;
        let keys = self
            .call
            .head_keys(self.lane, self.first + r)
            .ptr()
            .cast_const();
        // SAFETY: groups of the ring only.
        unsafe {
            let mut done = 0;
            while done < seen.groups {
                let slot = (seen.slot + done) % self.call.groups;
                let run = (seen.groups - done).min(self.call.groups - slot);
                let k = keys.add(slot * dim * LANES);
                let to = scores.add(done * LANES);
                let mut g = 0;
                while g + 4 <= run {
                    group_scores::<S, 4>(query, k.add(g * dim * LANES), dim, to.add(g * LANES));
                    g += 4;
                }
                while g < run {
                    group_scores::<S, 1>(query, k.add(g * dim * LANES), dim, to.add(g * LANES));
                    g += 1;
                }
                done += run;
            }
            let before = (seen.lowest % LANES as u64) as usize;
            let after = LANES - 1 - (self.position % LANES as u64) as usize;
            let end = seen.groups * LANES;
            for hidden in (0..before).chain(end - after..end) {
                *scores.add(hidden) = f32::NEG_INFINITY;
            }
        }
    }

    /// Softmax without its division: replaces each score by `2^(score - max)` and
    /// returns the inverse of the sum.
    ///
    /// # Safety
    /// `scores` holds the visible groups.
    #[inline(always)]
    unsafe fn probabilities<S: Simd>(&self, seen: &Seen, scores: *mut f32) -> f32 {
        // SAFETY: promised by the caller.
        unsafe {
            let mut max = S::splat(f32::NEG_INFINITY);
            for g in 0..seen.groups {
                max = S::max(max, S::load_ptr(scores.add(g * LANES)));
            }
            let mut highest = f32::NEG_INFINITY;
            for m in S::to_array(max) {
                highest = if highest > m { highest } else { m };
            }
            let max = S::splat(highest);
            let mut sum = S::splat(0.0);
            for g in 0..seen.groups {
                let p = scores.add(g * LANES);
                let w = exp2(S::sub(S::load_ptr(p), max));
                S::store_ptr(w, p);
                sum = S::add(sum, w);
            }
            1.0 / naive::tree(S::to_array(sum))
        }
    }

    /// Writes the output: the values weighted by `weights`, which holds the
    /// unnormalised probabilities, head after head.
    ///
    /// # Safety
    /// `weights` holds the visible groups of each head.
    #[inline(always)]
    unsafe fn output<S: Simd>(&self, seen: &Seen, weights: *const f32, inverse: &[f32; LANES]) {
        let vectors = self.heads * padded(self.call.attention.head_dim) / LANES;
        // SAFETY: vectors of the heads only.
        unsafe {
            let mut v = 0;
            while v + 8 <= vectors {
                self.output_vectors::<S, 8>(seen, weights, inverse, v);
                v += 8;
            }
            if v + 4 <= vectors {
                self.output_vectors::<S, 4>(seen, weights, inverse, v);
                v += 4;
            }
            while v < vectors {
                self.output_vectors::<S, 1>(seen, weights, inverse, v);
                v += 1;
            }
        }
    }

    /// `N` vectors of the output from vector `vector` on; each component is one
    /// chain over the positions.
    ///
    /// # Safety
    /// The conditions of [`output`](Self::output); vectors `vector..vector + N` exist.
    #[inline(always)]
    unsafe fn output_vectors<S: Simd, const N: usize>(
        &self,
        seen: &Seen,
        weights: *const f32,
        inverse: &[f32; LANES],
        vector: usize,
    ) {
        let call = self.call;
        let dim = call.attention.head_dim;
        let per_head = padded(dim) / LANES;
        let stride = seen.groups * LANES;
        let row = call.value_row();
        let ring = call.groups * LANES;
        // SAFETY: positions from the lowest visible one to the query's own.
        unsafe {
            let values = call.head_values(self.lane, self.first).ptr();
            let values = values.add(vector * LANES).cast_const();
            let mut from = [weights; N];
            for (i, from) in from.iter_mut().enumerate() {
                *from = weights.add((vector + i) / per_head * stride);
            }
            let mut sum = [S::splat(0.0); N];
            let mut at = (seen.lowest % LANES as u64) as usize;
            let end = at + (self.position - seen.lowest) as usize + 1;
            while at < end {
                let place = (seen.slot * LANES + at) % ring;
                let run = (end - at).min(ring - place);
                let mut v = values.add(place * row);
                for j in at..at + run {
                    for (i, sum) in sum.iter_mut().enumerate() {
                        let w = S::splat(*from[i].add(j));
                        *sum = S::mul_add(w, S::load_ptr(v.add(i * LANES)), *sum);
                    }
                    v = v.add(row);
                }
                at += run;
            }
            let d = call.attention.width();
            let out = call.out.ptr().add((self.lane * call.n + self.t) * d);
            for (i, sum) in sum.into_iter().enumerate() {
                let head = (vector + i) / per_head;
                let component = (vector + i) % per_head * LANES;
                let sum = S::mul(sum, S::splat(inverse[head]));
                let to = out.add((self.first + head) * dim + component);
                if component + LANES <= dim {
                    S::store_ptr(sum, to);
                } else {
                    let sum = S::to_array(sum);
                    for (c, x) in sum.iter().enumerate().take(dim - component) {
                        *to.add(c) = *x;
                    }
                }
            }
        }
    }
}

/// Scores of `8 G` keys, each one chain over the components.
///
/// # Safety
/// `query` is a row of a tile; `keys` holds `G` tiles, `scores` has room for `G`
/// vectors.
#[inline(always)]
unsafe fn group_scores<S: Simd, const G: usize>(
    query: *const f32,
    keys: *const f32,
    dim: usize,
    scores: *mut f32,
) {
    // SAFETY: components below `dim` only.
    unsafe {
        let mut sum = [S::splat(0.0); G];
        let q = S::splat(*query);
        for (g, sum) in sum.iter_mut().enumerate() {
            *sum = S::mul(q, S::load_ptr(keys.add(g * dim * LANES)));
        }
        for c in 1..dim {
            let q = S::splat(*query.add(c * LANES));
            for (g, sum) in sum.iter_mut().enumerate() {
                let k = S::load_ptr(keys.add((g * dim + c) * LANES));
                *sum = S::mul_add(q, k, *sum);
            }
        }
        for (g, sum) in sum.into_iter().enumerate() {
            S::store_ptr(sum, scores.add(g * LANES));
        }
    }
}
