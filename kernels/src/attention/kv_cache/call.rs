//! One call of [`KvCache::attend`](super::KvCache::attend): its rows, and the layout
//! of keys and values in the cache.

use crate::attention::{Attention, padded};
use crate::simd::LANES;
use crate::threads::Shared;

/// The arguments of a call, and the cache.
pub(super) struct Call<'a> {
    pub attention: Attention,
    pub gain: Option<&'a [f32]>,
    /// New positions of each lane, in `qkv` and `out`.
    pub n: usize,
    pub qkv: &'a [f32],
    pub out: Shared,
    /// Groups of eight positions in each ring.
    pub groups: usize,
    /// [`rope::steps`](crate::rope::steps); empty without RoPE.
    pub steps: &'a [u32],
    /// Keys after QK-norm and RoPE, laid out as in the cache.
    pub keys: Shared,
    pub values: Shared,
    /// Positions that a query sees, its own included.
    pub reach: u64,
}

impl Call<'_> {
    /// Number of positions that a query at `position` sees.
    fn seen(&self, position: u64) -> usize {
        (position + 1).min(self.reach) as usize
    }

    /// Roughly the operations for `n` queries of each lane.
    pub fn work(&self, lanes: usize, n: usize, position: u64) -> usize {
        let a = &self.attention;
        lanes * a.heads * n * self.seen(position + n as u64) * (2 * a.head_dim + 16)
    }

    /// Distance between two rows of values.
    pub fn value_row(&self) -> usize {
        self.attention.heads * padded(self.attention.head_dim)
    }

    /// The offset of row `t` of a lane in `qkv`.
    pub fn row(&self, lane: usize, t: usize) -> usize {
        (lane * self.n + t) * 3 * self.attention.width()
    }

    /// The keys of one head of one lane.
    pub fn head_keys(&self, lane: usize, head: usize) -> Shared {
        let a = &self.attention;
        let ring = self.groups * LANES * a.head_dim;
        self.keys.offset((lane * a.heads + head) * ring)
    }

    /// The values of one lane from head `head` on.
    pub fn head_values(&self, lane: usize, head: usize) -> Shared {
        let lane = lane * self.groups * LANES * self.value_row();
        self.values
            .offset(lane + head * padded(self.attention.head_dim))
    }

    /// The place of a position: its group in the ring, and its index in the group.
    pub fn slot(&self, position: u64) -> (usize, usize) {
        let group = position / LANES as u64 % self.groups as u64;
        (group as usize, (position % LANES as u64) as usize)
    }
}
