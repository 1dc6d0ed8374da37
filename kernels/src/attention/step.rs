//! One position of one stream: the keys lie across the lanes of a vector when
//! scores are computed, the components when values are summed.

use super::exp2::exp2;
use super::rows::{load_tile, scale};
use super::sequence::{Part, copy_row};
use super::streams::Streams;
use super::{naive, padded};
use crate::simd::{Kernel, LANES, Simd, dispatch};

/// Up to eight heads of one lane at one position.
pub(super) struct Step<'a> {
    pub streams: &'a Streams<'a>,
    pub lane: usize,
    /// The first of the heads.
    pub first: usize,
    pub heads: usize,
    /// The lane's row in the call.
    pub t: usize,
    /// Its position.
    pub position: u64,
    /// A tile of rotations with this position in every row.
    pub turns: &'a [f32],
}

/// The part of the ring that is visible.
struct Seen {
    /// The first visible position.
    lowest: u64,
    /// Its group, as a place in the ring.
    slot: usize,
    /// Groups with a visible position.
    groups: usize,
}

impl Step<'_> {
    /// Values of scratch that [`run`](Self::run) needs.
    pub fn scratch_len(&self) -> usize {
        2 * LANES * self.streams.attention.head_dim + LANES * self.streams.groups * LANES
    }

    /// Keeps the position's keys and values, attends, writes the output.
    pub fn run(&self, scratch: &mut [f32]) {
        assert!(scratch.len() >= self.scratch_len());
        dispatch(Run(self, scratch));
    }

    fn seen(&self) -> Seen {
        let lanes = LANES as u64;
        let lowest = (self.position + 1).saturating_sub(self.streams.reach);
        Seen {
            lowest,
            slot: self.streams.slot(lowest).0,
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
        let dim = step.streams.attention.head_dim;
        let seen = step.seen();
        let queries = scratch.as_mut_ptr();
        // SAFETY: the scratch holds two tiles and the scores of eight heads;
        // the heads of this lane belong to this task.
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
    /// Leaves the scaled queries in a tile with a row a head; keys and values
    /// go into the ring.
    ///
    /// # Safety
    /// Both tiles are good for writing; the heads belong to this task.
    #[inline(always)]
    unsafe fn prepare<S: Simd>(&self, queries: *mut f32, keys: *mut f32) {
        let streams = self.streams;
        let a = &streams.attention;
        let dim = a.head_dim;
        let preparation = a.preparation(streams.gain);
        let mut factors = [0.0; LANES];
        for (r, factor) in factors.iter_mut().enumerate().take(self.heads) {
            *factor = a.factor(streams.gain.map(|g| g[self.first + r]));
        }
        let (group, lane) = streams.slot(self.position);
        // SAFETY: the row and its heads exist; slots are inside the ring.
        unsafe {
            let at = streams.row(self.lane, self.t) + self.first * dim;
            let row = streams.qkv.as_ptr().add(at);
            let part = |part: Part| row.add(part as usize * a.width());
            load_tile::<S>(part(Part::Query), dim, self.heads, dim, queries);
            preparation.forward::<S>(queries, self.turns.as_ptr());
            scale::<S>(queries, S::load(&factors), dim, queries);
            load_tile::<S>(part(Part::Key), dim, self.heads, dim, keys);
            preparation.forward::<S>(keys, self.turns.as_ptr());
            for r in 0..self.heads {
                let head = self.first + r;
                let key = streams.head_keys(self.lane, head).ptr();
                let key = key.add(group * dim * LANES + lane);
                for c in 0..dim {
                    *key.add(c * LANES) = *keys.add(c * LANES + r);
                }
                let value = streams.head_values(self.lane, head).ptr();
                let value = value.add((group * LANES + lane) * streams.value_row());
                copy_row::<S>(part(Part::Value).add(r * dim), dim, value);
            }
        }
    }

    /// The scores of the `r`-th head at all positions of the visible groups,
    /// minus infinity where a position is hidden. `query` has its components
    /// eight values apart.
    ///
    /// # Safety
    /// `query` is a row of a tile, `scores` good for the visible groups.
    #[inline(always)]
    unsafe fn scores<S: Simd>(&self, r: usize, seen: &Seen, query: *const f32, scores: *mut f32) {
        let dim = self.streams.attention.head_dim;
        let keys = self
            .streams
            .head_keys(self.lane, self.first + r)
            .ptr()
            .cast_const();
        // SAFETY: groups of the ring only.
        unsafe {
            let mut done = 0;
            while done < seen.groups {
                let slot = (seen.slot + done) % self.streams.groups;
                let run = (seen.groups - done).min(self.streams.groups - slot);
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

    /// Turns scores into probabilities and returns the inverse of their sum.
    ///
    /// # Safety
    /// `scores` is good for the visible groups.
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

    /// Sums the values. `weights` holds the probabilities of one head after
    /// the other.
    ///
    /// # Safety
    /// `weights` is good for the visible groups of each head.
    #[inline(always)]
    unsafe fn output<S: Simd>(&self, seen: &Seen, weights: *const f32, inverse: &[f32; LANES]) {
        let vectors = self.heads * padded(self.streams.attention.head_dim) / LANES;
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

    /// `N` vectors of the output, of as many chains as it has components.
    ///
    /// # Safety
    /// As for [`output`](Self::output); vectors `vector..vector + N` exist.
    #[inline(always)]
    unsafe fn output_vectors<S: Simd, const N: usize>(
        &self,
        seen: &Seen,
        weights: *const f32,
        inverse: &[f32; LANES],
        vector: usize,
    ) {
        let streams = self.streams;
        let dim = streams.attention.head_dim;
        let per_head = padded(dim) / LANES;
        let stride = seen.groups * LANES;
        let row = streams.value_row();
        let ring = streams.groups * LANES;
        // SAFETY: positions from the lowest visible one to the query's own.
        unsafe {
            let values = streams.head_values(self.lane, self.first).ptr();
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
            let d = streams.attention.width();
            let out = streams.out.ptr().add((self.lane * streams.n + self.t) * d);
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

/// Scores of `8 G` keys: chains over the components.
///
/// # Safety
/// `query` is a row of a tile, `keys` good for `G` tiles, `scores` for `G`
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
