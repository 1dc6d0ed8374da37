//! Which keys a block of queries sees, in groups of eight.
//!
//! Keys are kept in groups whose borders are multiples of eight of the absolute
//! position. Groups that all queries of a block see in full are multiplied
//! without a mask; the others are checked lane by lane.

use super::tile::QUERIES;
use crate::simd::{LANES, Simd};

/// Groups that are handled in one go, so that their probabilities stay in the
/// first-level cache.
pub(super) const SPAN: usize = 8;

/// A block of queries at consecutive positions and what they see.
#[derive(Clone, Copy)]
pub(super) struct Visible {
    /// Position of the first query.
    pub first: u64,
    /// Queries, 1 to 16.
    pub queries: usize,
    /// Positions that a query sees, own position included.
    pub reach: u64,
}

/// A run of groups of keys that lie side by side in memory.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// Position of the first key, divided by eight.
    pub group: u64,
    /// Place of the first group in the ring.
    pub slot: usize,
    /// Number of groups, at most [`SPAN`].
    pub len: usize,
    /// Some query does not see some key.
    pub masked: bool,
}

impl Visible {
    /// The first and the last group that some query sees.
    #[inline(always)]
    pub fn groups(&self) -> (u64, u64) {
        let lowest = (self.first + 1).saturating_sub(self.reach);
        let highest = self.first + self.queries as u64 - 1;
        (lowest / LANES as u64, highest / LANES as u64)
    }

    /// The span that begins with `group` in a ring of `ring` groups.
    #[inline(always)]
    pub fn span(&self, group: u64, ring: usize) -> Span {
        let lanes = LANES as u64;
        let (_, last) = self.groups();
        let all_see_from = (self.first + self.queries as u64).saturating_sub(self.reach);
        let clear = all_see_from.div_ceil(lanes)..(self.first + 1) / lanes;
        let masked = !clear.contains(&group);
        let border = if !masked {
            clear.end
        } else if group < clear.start && !clear.is_empty() {
            clear.start
        } else {
            last + 1
        };
        let slot = (group % ring as u64) as usize;
        let len = (border.min(last + 1) - group)
            .min(SPAN as u64)
            .min((ring - slot) as u64) as usize;
        Span {
            group,
            slot,
            len,
            masked,
        }
    }

    /// Lane by lane `shown` where the query sees the key at `position`, and
    /// `hidden` where it does not.
    #[inline(always)]
    pub fn choose<S: Simd>(&self, position: u64, shown: [S::F; 2], hidden: S::F) -> [S::F; 2] {
        const LANE: [f32; QUERIES] = {
            let mut lane = [0.0; QUERIES];
            let mut i = 0;
            while i < QUERIES {
                lane[i] = i as f32;
                i += 1;
            }
            lane
        };
        // Key and query are near each other wherever it matters: as far as an
        // `f32` is not exact, the query sees the key for sure.
        let distance = position as i64 - self.first as i64;
        let from = S::splat(distance as f32);
        let beyond = S::splat(distance.saturating_add_unsigned(self.reach) as f32);
        let mut out = shown;
        for (i, out) in out.iter_mut().enumerate() {
            let lane = S::load(&LANE[i * LANES..]);
            let seen = S::select_lt(lane, beyond, *out, hidden);
            *out = S::select_lt(lane, from, hidden, seen);
        }
        out
    }
}
