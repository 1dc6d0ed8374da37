//! Attention of one block of up to sixteen queries of one head.

use super::exp2::exp2;
use super::mask::{BlockMask, Visibility};
use super::products::{Matrix, QUERIES, accumulate, inner_products};
use crate::simd::{LANES, Simd, Vector};

/// Keys and values of one head, in a ring of groups of eight positions. Positions
/// `8 g..8 g + 8` are the group at `g % groups`.
#[derive(Clone, Copy)]
pub(super) struct HeadKv {
    /// Keys after QK-norm and RoPE, as tiles: `[groups][dim][8]`.
    pub keys: *const f32,
    /// Values, one row for each position.
    pub values: *const f32,
    /// Distance between two rows of values.
    pub row: usize,
    /// Number of groups.
    pub groups: usize,
}

impl HeadKv {
    /// The keys from slot `slot` on.
    ///
    /// # Safety
    /// `slot` is below `groups`.
    #[inline(always)]
    pub unsafe fn key_groups(&self, slot: usize, dim: usize) -> Matrix {
        let all = Matrix {
            ptr: self.keys,
            group: dim * LANES,
            row: 1,
            component: LANES,
        };
        // SAFETY: promised by the caller.
        unsafe { all.at(slot, 0) }
    }

    /// The values from slot `slot` on.
    ///
    /// # Safety
    /// `slot` is below `groups`.
    #[inline(always)]
    pub unsafe fn value_groups(&self, slot: usize) -> Matrix {
        let all = Matrix {
            ptr: self.values,
            group: self.row * LANES,
            row: self.row,
            component: 1,
        };
        // SAFETY: promised by the caller.
        unsafe { all.at(slot, 0) }
    }
}

/// The softmax statistics of a block, one lane for each query.
pub(super) struct Stats<S: Simd> {
    /// The largest score.
    pub max: [S::F; 2],
    /// The inverse of the sum of the unnormalised probabilities.
    pub inverse: [S::F; 2],
}

/// Length of the scratch for [`attend`], for queries that see `groups` groups of
/// keys.
pub(super) fn scratch_len(dim: usize, groups: usize) -> usize {
    (groups * LANES + LANES + dim) * QUERIES
}

/// Writes the output of a block to `out` as two tiles. `queries` are two tiles of
/// scaled queries after QK-norm and RoPE.
///
/// # Safety
/// The tiles are valid for `dim` vectors each, `kv` for the groups that the block
/// sees, `scratch` for [`scratch_len`] values.
#[inline(always)]
pub(super) unsafe fn attend<S: Simd>(
    mask: &BlockMask,
    dim: usize,
    queries: *const f32,
    kv: &HeadKv,
    scratch: *mut f32,
    out: *mut f32,
) -> Stats<S> {
    let sums = scratch;
    let (first, last) = mask.groups();
    // SAFETY: the parts of the scratch add up to `scratch_len`; groups come from
    // `mask`, slots from the ring.
    unsafe {
        let acc = sums.add(LANES * QUERIES);
        let scores = acc.add(dim * QUERIES);
        for i in 0..2 * (LANES + dim) {
            S::store_ptr(S::splat(0.0), sums.add(i * LANES));
        }

        // Maxima of the masked and of the unmasked groups.
        let mut max = [S::splat(f32::NEG_INFINITY); 2];
        let mut unmasked_max = S::W::splat(f32::NEG_INFINITY);
        let mut group = first;
        let mut to = scores;
        while group <= last {
            let span = mask.span(group, kv.groups);
            if span.masked {
                let k = kv.key_groups(span.slot, dim);
                for (half, max) in max.iter_mut().enumerate() {
                    let visibility = mask.visibility(group, half);
                    let queries = queries.add(half * dim * LANES);
                    masked_scores::<S>(visibility, queries, k, dim, max, to.add(half * LANES));
                }
            } else {
                let k = kv.key_groups(span.slot, dim);
                if S::WIDE {
                    unmasked_scores::<S::W, 8>(span.len, queries, k, dim, &mut unmasked_max, to);
                } else {
                    unmasked_scores::<S::W, 4>(span.len, queries, k, dim, &mut unmasked_max, to);
                }
            }
            to = to.add(span.len * LANES * QUERIES);
            group += span.len as u64;
        }
        let mut halves = [0.0; QUERIES];
        unmasked_max.store_ptr(halves.as_mut_ptr());
        for (half, max) in max.iter_mut().enumerate() {
            *max = S::max(S::load(&halves[half * LANES..]), *max);
            S::store(*max, &mut halves[half * LANES..]);
        }
        let joined_max = S::W::load_ptr(halves.as_ptr());

        let mut group = first;
        let mut from = scores;
        while group <= last {
            let span = mask.span(group, kv.groups);
            let values = kv.value_groups(span.slot);
            if span.masked {
                for (half, max) in max.into_iter().enumerate() {
                    let visibility = mask.visibility(group, half);
                    let at = half * LANES;
                    masked_probabilities::<S>(visibility, max, from.add(at), sums.add(at));
                    match visibility {
                        Visibility::None => {}
                        Visibility::Partial(_) => {
                            accumulate::<S::F, true>(from.add(at), values, 1, dim, acc.add(at));
                        }
                        Visibility::All => {
                            accumulate::<S::F, false>(from.add(at), values, 1, dim, acc.add(at));
                        }
                    }
                }
            } else {
                probabilities(span.len, joined_max, from, sums);
                accumulate::<S::W, false>(from, values, span.len, dim, acc);
            }
            from = from.add(span.len * LANES * QUERIES);
            group += span.len as u64;
        }

        let one = S::splat(1.0);
        let inverse = [
            S::div(one, tree::<S>(sums)),
            S::div(one, tree::<S>(sums.add(LANES))),
        ];
        for c in 0..dim {
            for (half, inverse) in inverse.into_iter().enumerate() {
                let x = S::load_ptr(acc.add(c * QUERIES + half * LANES));
                S::store_ptr(S::mul(x, inverse), out.add((half * dim + c) * LANES));
            }
        }
        Stats { max, inverse }
    }
}

/// Scores of eight queries and eight keys. A masked score is minus infinity; nothing
/// is written if no query sees any key.
///
/// # Safety
/// `queries` is a tile; `keys` is valid for eight rows, `scores` for eight rows of
/// sixteen.
#[inline(always)]
unsafe fn masked_scores<S: Simd>(
    visibility: Visibility,
    queries: *const f32,
    keys: Matrix,
    dim: usize,
    max: &mut S::F,
    scores: *mut f32,
) {
    if let Visibility::None = visibility {
        return;
    }
    // SAFETY: promised by the caller.
    unsafe {
        let s = inner_products::<S::F, 8>(queries, keys, dim);
        for (r, mut s) in s.into_iter().enumerate() {
            if let Visibility::Partial(mask) = visibility {
                s = mask.choose::<S>(r, s, S::splat(f32::NEG_INFINITY));
            }
            *max = S::max(*max, s);
            S::store_ptr(s, scores.add(r * QUERIES));
        }
    }
}

/// Replaces the scores of eight queries and eight keys by unnormalised probabilities
/// and adds these to the partial sums. A masked one becomes negative.
///
/// # Safety
/// `scores` and `sums` are valid for eight rows of sixteen.
#[inline(always)]
unsafe fn masked_probabilities<S: Simd>(
    visibility: Visibility,
    max: S::F,
    scores: *mut f32,
    sums: *mut f32,
) {
    if let Visibility::None = visibility {
        return;
    }
    // SAFETY: promised by the caller.
    unsafe {
        for r in 0..LANES {
            let (score, sum) = (scores.add(r * QUERIES), sums.add(r * QUERIES));
            let mut p = exp2(S::sub(S::load_ptr(score), max));
            S::store_ptr(S::add(S::load_ptr(sum), p), sum);
            if let Visibility::Partial(mask) = visibility {
                p = mask.choose::<S>(r, p, S::splat(-1.0));
            }
            S::store_ptr(p, score);
        }
    }
}

/// Scores of sixteen queries and the keys of `groups` unmasked groups, `K` keys at a
/// time.
///
/// # Safety
/// `queries` are two tiles; `keys` is valid for `groups` groups, `scores` for a row
/// of sixteen for each key.
#[inline(always)]
unsafe fn unmasked_scores<W: Vector, const K: usize>(
    groups: usize,
    queries: *const f32,
    keys: Matrix,
    dim: usize,
    max: &mut W,
    scores: *mut f32,
) {
    // SAFETY: promised by the caller; `K` divides eight.
    unsafe {
        for first in (0..groups * LANES).step_by(K) {
            let keys = keys.at(first / LANES, first % LANES);
            let s = inner_products::<W, K>(queries, keys, dim);
            for (r, s) in s.into_iter().enumerate() {
                *max = max.max(s);
                s.store_ptr(scores.add((first + r) * QUERIES));
            }
        }
    }
}

/// Replaces unmasked scores by unnormalised probabilities and adds these to the
/// partial sums.
///
/// # Safety
/// `scores` is valid for `groups * 8` rows of sixteen, `sums` for 8.
#[inline(always)]
unsafe fn probabilities<W: Vector>(groups: usize, max: W, scores: *mut f32, sums: *mut f32) {
    // SAFETY: promised by the caller.
    unsafe {
        for r in 0..LANES {
            let to = sums.add(r * QUERIES);
            let mut sum = W::load_ptr(to);
            for g in 0..groups {
                let score = scores.add((g * LANES + r) * QUERIES);
                let p = exp2(W::load_ptr(score).sub(max));
                sum = sum.add(p);
                p.store_ptr(score);
            }
            sum.store_ptr(to);
        }
    }
}

/// The sum of eight partial sums, which are sixteen values apart.
///
/// # Safety
/// `sums` is valid for eight rows of sixteen.
#[inline(always)]
unsafe fn tree<S: Simd>(sums: *const f32) -> S::F {
    // SAFETY: promised by the caller.
    unsafe {
        let mut l = [S::splat(0.0); LANES];
        for (r, l) in l.iter_mut().enumerate() {
            *l = S::load_ptr(sums.add(r * QUERIES));
        }
        let low = S::add(S::add(l[0], l[1]), S::add(l[2], l[3]));
        let high = S::add(S::add(l[4], l[5]), S::add(l[6], l[7]));
        S::add(low, high)
    }
}
