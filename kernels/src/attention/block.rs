//! A block of up to sixteen queries of one head attends to its keys.

use super::exp2::exp2;
use super::tile::{Matrix, QUERIES, accumulate, inner_products};
use super::visible::Visible;
use crate::simd::{LANES, Simd};

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
    /// The eight keys of a group.
    ///
    /// # Safety
    /// `slot` is below `groups`.
    #[inline(always)]
    pub unsafe fn key_group(&self, slot: usize, dim: usize) -> Matrix {
        Matrix {
            // SAFETY: promised by the caller.
            ptr: unsafe { self.keys.add(slot * dim * LANES) },
            row: 1,
            component: LANES,
        }
    }

    /// The values from the group at `slot` on.
    ///
    /// # Safety
    /// `slot` is below `groups`.
    #[inline(always)]
    pub unsafe fn value_group(&self, slot: usize) -> Matrix {
        let all = Matrix {
            ptr: self.values,
            row: self.row,
            component: 1,
        };
        // SAFETY: promised by the caller.
        unsafe { all.from_row(slot * LANES) }
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

        let mut max = [S::splat(f32::NEG_INFINITY); 2];
        let mut group = first;
        let mut to = scores;
        while group <= last {
            let span = visible.span(group, keys.groups);
            for g in 0..span.len {
                let k = keys.key_group(span.slot + g, dim);
                let position = (group + g as u64) * LANES as u64;
                for half in 0..2 {
                    let at = half * 4;
                    let mut s = inner_products::<S, 4>(queries, k.from_row(at), dim);
                    for (r, s) in s.iter_mut().enumerate() {
                        if span.masked {
                            let hidden = S::splat(f32::NEG_INFINITY);
                            *s = visible.choose::<S>(position + (at + r) as u64, *s, hidden);
                        }
                        max = [S::max(max[0], s[0]), S::max(max[1], s[1])];
                        S::store_ptr(s[0], to);
                        S::store_ptr(s[1], to.add(LANES));
                        to = to.add(QUERIES);
                    }
                }
            }
            group += span.len as u64;
        }

        let mut group = first;
        let mut from = scores;
        while group <= last {
            let span = visible.span(group, keys.groups);
            probabilities::<S>(visible, group, span.len, span.masked, max, from, sums);
            let values = keys.value_group(span.slot);
            let count = span.len * LANES;
            if span.masked {
                accumulate::<S, true>(from, values, count, dim, acc);
            } else {
                accumulate::<S, false>(from, values, count, dim, acc);
            }
            from = from.add(count * QUERIES);
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

/// Turns scores into probabilities and adds them to the partial sums. What is
/// hidden becomes negative.
///
/// # Safety
/// `scores` is good for `groups * 8` rows of sixteen, `sums` for 8.
#[inline(always)]
unsafe fn probabilities<S: Simd>(
    visible: &Visible,
    first_group: u64,
    groups: usize,
    masked: bool,
    max: [S::F; 2],
    scores: *mut f32,
    sums: *mut f32,
) {
    // SAFETY: promised by the caller.
    unsafe {
        for r in 0..LANES {
            let to = sums.add(r * QUERIES);
            let mut sum = [S::load_ptr(to), S::load_ptr(to.add(LANES))];
            for g in 0..groups {
                let score = scores.add((g * LANES + r) * QUERIES);
                let mut p = sum;
                for (half, p) in p.iter_mut().enumerate() {
                    let x = S::load_ptr(score.add(half * LANES));
                    *p = exp2::<S>(S::sub(x, max[half]));
                    sum[half] = S::add(sum[half], *p);
                }
                if masked {
                    let position = (first_group + g as u64) * LANES as u64 + r as u64;
                    p = visible.choose::<S>(position, p, S::splat(-1.0));
                }
                S::store_ptr(p[0], score);
                S::store_ptr(p[1], score.add(LANES));
            }
            S::store_ptr(sum[0], to);
            S::store_ptr(sum[1], to.add(LANES));
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
