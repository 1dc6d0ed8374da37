//! Many streams in one call: their rows, and where the cache keeps what they see.

use super::{Attention, padded};
use crate::simd::LANES;
use crate::threads::Shared;

/// What a call of [`Cache::attend`](super::Cache::attend) works on.
pub(super) struct Streams<'a> {
    pub attention: Attention,
    pub gain: Option<&'a [f32]>,
    /// Positions of each lane in `qkv` and `out`.
    pub n: usize,
    pub qkv: &'a [f32],
    pub out: Shared,
    pub groups: usize,
    pub steps: &'a [u32],
    pub keys: Shared,
    pub values: Shared,
    pub reach: u64,
}

impl Streams<'_> {
    /// Positions that a query at `position` sees in the ring.
    fn seen(&self, position: u64) -> usize {
        (position + 1).min(self.reach) as usize
    }

    /// Operations that attending from `n` positions of each lane takes, roughly.
    pub fn work(&self, lanes: usize, n: usize, position: u64) -> usize {
        let a = &self.attention;
        lanes * a.heads * n * self.seen(position + n as u64) * (2 * a.head_dim + 16)
    }

    /// Distance of the rows of values.
    pub fn value_row(&self) -> usize {
        self.attention.heads * padded(self.attention.head_dim)
    }

    /// Where row `t` of a lane starts in `qkv`.
    pub fn row(&self, lane: usize, t: usize) -> usize {
        (lane * self.n + t) * 3 * self.attention.width()
    }

    /// The keys of one head of one lane.
    pub fn head_keys(&self, lane: usize, head: usize) -> Shared {
        let a = &self.attention;
        let ring = self.groups * LANES * a.head_dim;
        self.keys.offset((lane * a.heads + head) * ring)
    }

    /// The values of one lane, from one head on.
    pub fn head_values(&self, lane: usize, head: usize) -> Shared {
        let lane = lane * self.groups * LANES * self.value_row();
        self.values
            .offset(lane + head * padded(self.attention.head_dim))
    }

    /// Where a position is kept: its group in the ring, its lane in the group.
    pub fn slot(&self, position: u64) -> (usize, usize) {
        let group = position / LANES as u64 % self.groups as u64;
        (group as usize, (position % LANES as u64) as usize)
    }
}
