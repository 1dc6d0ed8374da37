//! Keys and values of many streams that advance in lock-step.

use super::block::{self, Keys};
use super::rows::{Preparation, load_tile, scale, store_tile};
use super::sequence::{Part, copy_row};
use super::step::Step;
use super::streams::Streams;
use super::tile::QUERIES;
use super::turns::{self, turns_len};
use super::visible::Visible;
use super::{Attention, padded};
use crate::rope;
use crate::scratch::{self, Buffer};
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// With fewer positions left than this, they are taken one by one: a block
/// costs as much with one query as with sixteen.
const WORTH_A_BLOCK: usize = 8;

/// Keys and values that one attention layer remembers of each of its streams
/// (lanes), and the position where all of them stand.
///
/// It holds `2 d` values a lane for each of the last `reach` positions; with a
/// window, up to 29 positions more.
#[derive(Clone, Debug)]
pub struct Cache {
    attention: Attention,
    lanes: usize,
    reach: usize,
    position: u64,
    /// Groups of eight positions in each ring.
    groups: usize,
    /// What [`rope::steps`] says, empty without rotation.
    steps: Vec<u32>,
    /// Prepared keys, `[lanes]`[heads]`[groups][head_dim][8]`: a group is a tile.
    keys: Buffer,
    /// Values, `[lanes][groups * 8]`[heads]`[padded head_dim]`.
    values: Buffer,
}

impl Cache {
    /// An empty cache at position 0 for `lanes` streams that see back over
    /// `reach` positions, own position included: at most the window where
    /// there is one, and else the longest stretch between two
    /// [`clear`](Self::clear)s.
    ///
    /// # Panics
    /// If the shape makes no sense or `reach` is 0.
    pub fn new(attention: Attention, lanes: usize, reach: usize) -> Cache {
        attention.check_shape();
        assert!(reach > 0, "attention: no reach");
        let (reach, groups) = match attention.window {
            None => (reach, reach.div_ceil(LANES)),
            // What the first query of a block sees must outlive the block.
            Some(w) => (w.min(reach), (w.min(reach) + QUERIES + 13) / LANES),
        };
        let positions = lanes * groups * LANES;
        Cache {
            attention,
            lanes,
            reach,
            position: 0,
            groups,
            steps: if attention.rope {
                rope::steps(attention.head_dim)
            } else {
                Vec::new()
            },
            keys: Buffer::zeros(positions * attention.width()),
            values: Buffer::zeros(positions * attention.heads * padded(attention.head_dim)),
        }
    }

    /// The position of the next row.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Forgets everything: the next row is at position 0.
    pub fn clear(&mut self) {
        self.position = 0;
    }

    /// Takes `n` more positions of every lane and attends from each of them.
    ///
    /// - `qkv`: `[lanes, n, 3 d]`;
    /// - `gain`: as in [`Attention::forward`], the same in every call;
    /// - `out`: `[lanes, n, d]`, overwritten.
    ///
    /// The output does not depend on how the positions are cut into calls, nor
    /// on the other lanes.
    ///
    /// # Panics
    /// If a length does not fit, or if there is no window and the position
    /// would go beyond the reach.
    pub fn attend(&mut self, n: usize, qkv: &[f32], gain: Option<&[f32]>, out: &mut [f32]) {
        let a = self.attention;
        let d = a.width();
        assert!(n > 0, "attention: no positions");
        assert_eq!(qkv.len(), self.lanes * n * 3 * d, "attention: qkv");
        assert_eq!(out.len(), self.lanes * n * d, "attention: output");
        if let Some(gain) = gain {
            assert_eq!(gain.len(), a.heads, "attention: gain");
        }
        assert!(
            a.window.is_some() || self.position + n as u64 <= self.reach as u64,
            "attention: position {} is beyond the reach of {}",
            self.position + n as u64,
            self.reach
        );
        let single = n % QUERIES;
        let single = if single < WORTH_A_BLOCK { single } else { 0 };
        let streams = Streams {
            attention: a,
            gain,
            n,
            qkv,
            out: Shared::new(out),
            groups: self.groups,
            steps: &self.steps,
            keys: Shared::new(self.keys.as_mut_slice()),
            values: Shared::new(self.values.as_mut_slice()),
            reach: self.reach as u64,
        };
        streams.blocks(self.lanes, n - single, self.position);
        for t in n - single..n {
            streams.step(self.lanes, t, self.position + t as u64);
        }
        self.position += n as u64;
    }
}

impl Streams<'_> {
    /// The first `n` positions, in blocks.
    fn blocks(&self, lanes: usize, n: usize, position: u64) {
        if n == 0 {
            return;
        }
        let a = &self.attention;
        let tiles = n.div_ceil(LANES);
        let turns = if a.rope {
            tiles * turns_len(a.head_dim)
        } else {
            0
        };
        scratch::with(turns, |turns| {
            if a.rope {
                turns::fill(self.steps, position, turns);
            }
            let turns = &*turns;
            let work = self.work(lanes, n, position);
            threads::each(lanes * a.heads, work, |task| {
                let len = 6 * LANES * a.head_dim + block::scratch_len(a.head_dim, self.groups);
                scratch::with(len, |scratch| {
                    dispatch(Head {
                        streams: self,
                        preparation: a.preparation(self.gain),
                        lane: task / a.heads,
                        head: task % a.heads,
                        n,
                        position,
                        turns,
                        scratch,
                    });
                });
            });
        });
    }

    /// Row `t` of every lane, which is at `position`.
    fn step(&self, lanes: usize, t: usize, position: u64) {
        let a = &self.attention;
        let turns = if a.rope { turns_len(a.head_dim) } else { 0 };
        scratch::with(turns, |turns| {
            if a.rope {
                turns::fill_one(self.steps, position, turns);
            }
            let turns = &*turns;
            // Eight heads of a lane are prepared together.
            let chunks = a.heads.div_ceil(LANES);
            let work = self.work(lanes, 1, position);
            threads::each(lanes * chunks, work, |task| {
                let first = task % chunks * LANES;
                let step = Step {
                    streams: self,
                    lane: task / chunks,
                    first,
                    heads: LANES.min(a.heads - first),
                    t,
                    position,
                    turns,
                };
                scratch::with(step.scratch_len(), |scratch| step.run(scratch));
            });
        });
    }
}

/// One head of one lane, block by block.
struct Head<'a> {
    streams: &'a Streams<'a>,
    preparation: Preparation,
    lane: usize,
    head: usize,
    /// Positions to take.
    n: usize,
    /// The first of them.
    position: u64,
    /// Rotations of every tile from there on.
    turns: &'a [f32],
    scratch: &'a mut [f32],
}

impl Kernel for Head<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let streams = self.streams;
        let a = &streams.attention;
        let (dim, d) = (a.head_dim, a.width());
        let tile = dim * LANES;
        let factor = S::splat(a.factor(streams.gain.map(|g| g[self.head])));
        let keys = Keys {
            keys: streams.head_keys(self.lane, self.head).ptr(),
            values: streams.head_values(self.lane, self.head).ptr(),
            row: streams.value_row(),
            groups: streams.groups,
        };
        let key = self.scratch.as_mut_ptr();
        // SAFETY: the scratch holds six tiles and what a block needs. Rows are
        // those of the lane, below `n`; keys, values and output columns are
        // those of this head, which no other task touches.
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
                    let at = streams.row(self.lane, from) + self.head * dim;
                    let row = streams.qkv.as_ptr().add(at);
                    let turns = self
                        .turns
                        .as_ptr()
                        .wrapping_add(from / LANES * turns_len(dim));
                    load_tile::<S>(row.add(Part::Query as usize * d), 3 * d, rows, dim, query);
                    self.preparation.forward::<S>(query, turns);
                    scale::<S>(query, factor, dim, query);
                    load_tile::<S>(row.add(Part::Key as usize * d), 3 * d, rows, dim, key);
                    self.preparation.forward::<S>(key, turns);
                    let value = row.add(Part::Value as usize * d);
                    self.append::<S>(key, value, rows, self.position + from as u64);
                }
                let visible = Visible {
                    first: self.position + first as u64,
                    queries: QUERIES.min(self.n - first),
                    reach: streams.reach,
                };
                block::attend::<S>(&visible, dim, queries, &keys, rest, result);
                for half in 0..2 {
                    let from = first + half * LANES;
                    let rows = LANES.min(self.n.saturating_sub(from));
                    let at = (self.lane * streams.n + from) * d + self.head * dim;
                    let dst = streams.out.ptr().wrapping_add(at);
                    store_tile::<S>(result.add(half * tile), dst, d, rows, dim);
                }
            }
        }
    }
}

impl Head<'_> {
    /// Puts a tile of prepared keys and rows of values where they are kept.
    ///
    /// # Safety
    /// `key` is good for reading a tile, `value` for `rows` rows of `qkv`, and
    /// no other task touches the head.
    #[inline(always)]
    unsafe fn append<S: Simd>(
        &self,
        key: *const f32,
        value: *const f32,
        rows: usize,
        position: u64,
    ) {
        let streams = self.streams;
        let a = &streams.attention;
        let keys = streams.head_keys(self.lane, self.head).ptr();
        let values = streams.head_values(self.lane, self.head).ptr();
        // SAFETY: slots are inside the ring.
        unsafe {
            for r in 0..rows {
                let (group, lane) = streams.slot(position + r as u64);
                let to = values.add((group * LANES + lane) * streams.value_row());
                copy_row::<S>(value.add(r * 3 * a.width()), a.head_dim, to);
            }
            let (group, lane) = streams.slot(position);
            if lane == 0 && rows == LANES {
                let to = keys.add(group * a.head_dim * LANES);
                copy_row::<S>(key, a.head_dim * LANES, to);
                return;
            }
            for r in 0..rows {
                let (group, lane) = streams.slot(position + r as u64);
                let to = keys.add(group * a.head_dim * LANES + lane);
                for c in 0..a.head_dim {
                    *to.add(c * LANES) = *key.add(c * LANES + r);
                }
            }
        }
    }
}
