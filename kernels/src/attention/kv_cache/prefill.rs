//! Prefill: blocks of sixteen positions of one head of one lane.

use super::call::Call;
use crate::attention::mask::BlockMask;
use crate::attention::products::QUERIES;
use crate::attention::qk_norm_rope::QkNormRope;
use crate::attention::query_block::{self, HeadKv};
use crate::attention::rope_tables::{self, rotations_len};
use crate::attention::sequence::Part;
use crate::attention::tile::{copy_row, load_tile, scale, store_tile};
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads;

impl Call<'_> {
    /// Appends and attends from the first `n` positions of every lane, in blocks.
    pub fn prefill(&self, lanes: usize, n: usize, position: u64) {
        if n == 0 {
            return;
        }
        let a = &self.attention;
        let tiles = n.div_ceil(LANES);
        let rotations = if a.rope {
            tiles * rotations_len(a.head_dim)
        } else {
            0
        };
        scratch::with(rotations, |rotations| {
            if a.rope {
                rope_tables::fill(self.steps, position, rotations);
            }
            let rotations = &*rotations;
            let work = self.work(lanes, n, position);
            threads::each(lanes * a.heads, work, |task| {
                let len =
                    6 * LANES * a.head_dim + query_block::scratch_len(a.head_dim, self.groups);
                scratch::with(len, |scratch| {
                    dispatch(Head {
                        call: self,
                        qk_norm_rope: a.qk_norm_rope(self.gain),
                        lane: task / a.heads,
                        head: task % a.heads,
                        n,
                        position,
                        rotations,
                        scratch,
                    });
                });
            });
        });
    }
}

/// All blocks of one head of one lane.
struct Head<'a> {
    call: &'a Call<'a>,
    qk_norm_rope: QkNormRope,
    lane: usize,
    head: usize,
    /// Number of positions.
    n: usize,
    /// The first one.
    position: u64,
    /// RoPE rotations of the tiles from there on.
    rotations: &'a [f32],
    scratch: &'a mut [f32],
}

impl Kernel for Head<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let call = self.call;
        let a = &call.attention;
        let (dim, d) = (a.head_dim, a.width());
        let tile = dim * LANES;
        let factor = S::splat(a.factor(call.gain.map(|g| g[self.head])));
        let kv = HeadKv {
            keys: call.head_keys(self.lane, self.head).ptr(),
            values: call.head_values(self.lane, self.head).ptr(),
            row: call.value_row(),
            groups: call.groups,
        };
        let key = self.scratch.as_mut_ptr();
        // SAFETY: the scratch holds six tiles and the scratch of a block. Rows
        // are below `n`; keys, values and output columns are those of this head,
        // which no other task touches.
        unsafe {
            let queries = key.add(2 * tile);
            let result = queries.add(2 * tile);
            let rest = result.add(2 * tile);
            for first in (0..self.n).step_by(QUERIES) {
                for half in 0..2 {
                    let from = first + half * LANES;
                    let rows = LANES.min(self.n.saturating_sub(from));
                    let query = queries.add(half * tile);
                    if rows == 0 {
                        for c in 0..dim {
                            S::store_ptr(S::splat(0.0), query.add(c * LANES));
                        }
                        continue;
                    }
                    let at = call.row(self.lane, from) + self.head * dim;
                    let row = call.qkv.as_ptr().add(at);
                    let rotations = self
                        .rotations
                        .as_ptr()
                        .wrapping_add(from / LANES * rotations_len(dim));
                    load_tile::<S>(row.add(Part::Query as usize * d), 3 * d, rows, dim, query);
                    self.qk_norm_rope.forward::<S>(query, rotations);
                    scale::<S>(query, factor, dim, query);
                    load_tile::<S>(row.add(Part::Key as usize * d), 3 * d, rows, dim, key);
                    self.qk_norm_rope.forward::<S>(key, rotations);
                    let value = row.add(Part::Value as usize * d);
                    self.append::<S>(key, value, rows, self.position + from as u64);
                }
                let mask = BlockMask {
                    first: self.position + first as u64,
                    queries: QUERIES.min(self.n - first),
                    reach: call.reach,
                };
                query_block::attend::<S>(&mask, dim, queries, &kv, rest, result);
                for half in 0..2 {
                    let from = first + half * LANES;
                    let rows = LANES.min(self.n.saturating_sub(from));
                    let at = (self.lane * call.n + from) * d + self.head * dim;
                    let dst = call.out.ptr().wrapping_add(at);
                    store_tile::<S>(result.add(half * tile), dst, d, rows, dim);
                }
            }
        }
    }
}

impl Head<'_> {
    /// Appends a tile of prepared keys and `rows` rows of values to the cache.
    ///
    /// # Safety
    /// `key` is valid for reading a tile, `value` for `rows` rows of `qkv`; no other
    /// task touches the head.
    #[inline(always)]
    unsafe fn append<S: Simd>(
        &self,
        key: *const f32,
        value: *const f32,
        rows: usize,
        position: u64,
    ) {
        let call = self.call;
        let a = &call.attention;
        let keys = call.head_keys(self.lane, self.head).ptr();
        let values = call.head_values(self.lane, self.head).ptr();
        // SAFETY: slots are inside the ring.
        unsafe {
            for r in 0..rows {
                let (group, lane) = call.slot(position + r as u64);
                let to = values.add((group * LANES + lane) * call.value_row());
                copy_row::<S>(value.add(r * 3 * a.width()), a.head_dim, to);
            }
            let (group, lane) = call.slot(position);
            if lane == 0 && rows == LANES {
                let to = keys.add(group * a.head_dim * LANES);
                copy_row::<S>(key, a.head_dim * LANES, to);
                return;
            }
            for r in 0..rows {
                let (group, lane) = call.slot(position + r as u64);
                let to = keys.add(group * a.head_dim * LANES + lane);
                for c in 0..a.head_dim {
                    *to.add(c * LANES) = *key.add(c * LANES + r);
                }
            }
        }
    }
}
