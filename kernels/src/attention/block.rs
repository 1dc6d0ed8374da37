//! A block of up to sixteen queries of one head attends to its keys.

use super::exp2::exp2;
use super::tile::{Matrix, QUERIES, accumulate, inner_products};
use super::visible::{Sees, Visible};
use crate::simd::{LANES, Simd, Vector};

/// Keys and values of one head, a ring of groups of eight positions. The group
/// of positions `8 g..8 g + 8` is at `g % groups`.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Prepared keys as tiles, `[groups][dim][8]`.
    pub keys: *const f32,
    /// Values, a row a position.
    pub values: *const f32,
    /// Distance of these rows.
    pub row: usize,
    /// Groups of the ring.
    pub groups: usize,
}

impl Keys {
    /// The keys from the group at `slot` on.
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

    /// The values from the group at `slot` on.
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

/// What a block leaves for the backward pass, a lane a query.
pub(super) struct Stats<S: Simd> {
    /// The largest score.
    pub max: [S::F; 2],
    /// The inverse of the sum of the probabilities.
    pub inverse: [S::F; 2],
}

/// Values of scratch that [`attend`] needs for queries that see `groups`
/// groups of keys.
pub(super) fn scratch_len(dim: usize, groups: usize) -> usize {
    (groups * LANES + LANES + dim) * QUERIES
}

/// Leaves the output of a block as two tiles in `out`. `queries` are two tiles
/// of prepared and scaled queries.
///
/// # Safety
/// The tiles are good for `dim` vectors each, `keys` for the groups that the
/// block sees, `scratch` for [`scratch_len`] values.
#[inline(always)]
pub(super) unsafe fn attend<S: Simd>(
    visible: &Visible,
    dim: usize,
    queries: *const f32,
    keys: &Keys,
    scratch: *mut f32,
    out: *mut f32,
) -> Stats<S> {
    let sums = scratch;
    let (first, last) = visible.groups();
    // SAFETY: the scratch is cut as `scratch_len` counts; groups come from
    // `visible`, slots from the ring.
    unsafe {
        let acc = sums.add(LANES * QUERIES);
        let scores = acc.add(dim * QUERIES);
        for i in 0..2 * (LANES + dim) {
            S::store_ptr(S::splat(0.0), sums.add(i * LANES));
        }

        // Of masked groups and of the others.
        let mut max = [S::splat(f32::NEG_INFINITY); 2];
        let mut clear_max = S::W::splat(f32::NEG_INFINITY);
        let mut group = first;
        let mut to = scores;
        while group <= last {
            let span = visible.span(group, keys.groups);
            if span.masked {
                let k = keys.key_groups(span.slot, dim);
                for (half, max) in max.iter_mut().enumerate() {
                    let sees = visible.sees(group, half);
                    let queries = queries.add(half * dim * LANES);
                    masked_scores::<S>(sees, queries, k, dim, max, to.add(half * LANES));
                }
            } else {
                let k = keys.key_groups(span.slot, dim);
                if S::WIDE {
                    clear_scores::<S::W, 8>(span.len, queries, k, dim, &mut clear_max, to);
                } else {
                    clear_scores::<S::W, 4>(span.len, queries, k, dim, &mut clear_max, to);
                }
            }
            to = to.add(span.len * LANES * QUERIES);
            group += span.len as u64;
        }
        let mut both = [0.0; QUERIES];
        clear_max.store_ptr(both.as_mut_ptr());
        for (half, max) in max.iter_mut().enumerate() {
            *max = S::max(S::load(&both[half * LANES..]), *max);
            S::store(*max, &mut both[half * LANES..]);
        }
        let max_of_both = S::W::load_ptr(both.as_ptr());

        let mut group = first;
        let mut from = scores;
        while group <= last {
            let span = visible.span(group, keys.groups);
            let values = keys.value_groups(span.slot);
            if span.masked {
                for (half, max) in max.into_iter().enumerate() {
                    let sees = visible.sees(group, half);
                    let at = half * LANES;
                    masked_probabilities::<S>(sees, max, from.add(at), sums.add(at));
                    match sees {
                        Sees::None => {}
                        Sees::Some(_) => {
                            accumulate::<S::F, true>(from.add(at), values, 1, dim, acc.add(at));
                        }
                        Sees::All => {
                            accumulate::<S::F, false>(from.add(at), values, 1, dim, acc.add(at));
                        }
                    }
                }
            } else {
                probabilities(span.len, max_of_both, from, sums);
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

/// Scores of eight queries and eight keys; hidden ones become minus infinity,
/// those of queries that see nothing are not written.
///
/// # Safety
/// `queries` is a tile, `keys` good for eight rows, `scores` for eight rows of
/// sixteen.
#[inline(always)]
unsafe fn masked_scores<S: Simd>(
    sees: Sees,
    queries: *const f32,
    keys: Matrix,
    dim: usize,
    max: &mut S::F,
    scores: *mut f32,
) {
    if let Sees::None = sees {
        return;
    }
    // SAFETY: promised by the caller.
    unsafe {
        let s = inner_products::<S::F, 8>(queries, keys, dim);
        for (r, mut s) in s.into_iter().enumerate() {
            if let Sees::Some(mask) = sees {
                s = mask.choose::<S>(r, s, S::splat(f32::NEG_INFINITY));
            }
            *max = S::max(*max, s);
            S::store_ptr(s, scores.add(r * QUERIES));
        }
    }
}

/// Turns the scores of eight queries and eight keys into probabilities and adds
/// them to the partial sums. What is hidden becomes negative.
///
/// # Safety
/// `scores` and `sums` are good for eight rows of sixteen.
#[inline(always)]
unsafe fn masked_probabilities<S: Simd>(sees: Sees, max: S::F, scores: *mut f32, sums: *mut f32) {
    if let Sees::None = sees {
        return;
    }
    // SAFETY: promised by the caller.
    unsafe {
        for r in 0..LANES {
            let (score, sum) = (scores.add(r * QUERIES), sums.add(r * QUERIES));
            let mut p = exp2(S::sub(S::load_ptr(score), max));
            S::store_ptr(S::add(S::load_ptr(sum), p), sum);
            if let Sees::Some(mask) = sees {
                p = mask.choose::<S>(r, p, S::splat(-1.0));
            }
            S::store_ptr(p, score);
        }
    }
}

/// Scores of sixteen queries and the keys of `groups` groups, all visible, `K`
/// keys at a time.
///
/// # Safety
/// `queries` are two tiles, `keys` good for so many groups, `scores` for a row
/// of sixteen for each key.
#[inline(always)]
unsafe fn clear_scores<W: Vector, const K: usize>(
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

/// Turns scores that are all visible into probabilities and adds them to the
/// partial sums.
///
/// # Safety
/// `scores` is good for `groups * 8` rows of sixteen, `sums` for 8.
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

/// The sum of eight partial sums, sixteen values apart.
///
/// # Safety
/// `sums` is good for that.
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
