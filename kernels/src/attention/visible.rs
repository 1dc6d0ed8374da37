//! Which keys a block of queries sees, in groups of eight.
//!
//! Keys are kept in groups whose borders are multiples of eight of the absolute
//! position. Groups that all queries of a block see in full are multiplied
//! without a mask, in runs; the others one by one, each half of the block apart.

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
    /// Number of groups: at most [`SPAN`], one if masked.
    pub len: usize,
    /// Some query does not see some key.
    pub masked: bool,
}

/// What eight queries see of eight keys.
#[derive(Clone, Copy)]
pub(super) enum Sees {
    /// No query sees any key.
    None,
    /// Some see some.
    Some(Mask),
    /// All see all.
    All,
}

/// Which of eight queries see which of eight keys.
#[derive(Clone, Copy)]
pub(super) struct Mask {
    /// The first query that sees the first key, counted from the first query.
    from: f32,
    /// The first query that does not see it any more.
    beyond: f32,
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
        // Seen by all from the last query's first key to the first query.
        let from = (self.first + QUERIES as u64).saturating_sub(self.reach);
        let clear = from.div_ceil(lanes)..(self.first + 1) / lanes;
        let slot = (group % ring as u64) as usize;
        let masked = !clear.contains(&group);
        let len = if masked {
            1
        } else {
            ((clear.end - group) as usize).min(SPAN).min(ring - slot)
        };
        Span {
            group,
            slot,
            len,
            masked,
        }
    }

    /// What one half of the block, the first or the last eight queries, sees
    /// of a group.
    #[inline(always)]
    pub fn sees(&self, group: u64, half: usize) -> Sees {
        let last = LANES as u64 - 1;
        let key = group * LANES as u64;
        let query = self.first + (half * LANES) as u64;
        let end = self.first + self.queries as u64;
        if query >= end || key >= end.min(query + last + 1) {
            return Sees::None;
        }
        if (key + last).saturating_add(self.reach) <= query {
            return Sees::None;
        }
        if key + last <= query && key.saturating_add(self.reach) > query + last {
            return Sees::All;
        }
        let distance = key as i64 - query as i64;
        Sees::Some(Mask {
            from: distance as f32,
            beyond: distance.saturating_add_unsigned(self.reach) as f32,
        })
    }
}

impl Mask {
    /// Lane by lane `shown` where the query sees the `r`-th key, and `hidden`
    /// where it does not.
    #[inline(always)]
    pub fn choose<S: Simd>(&self, r: usize, shown: S::F, hidden: S::F) -> S::F {
        const LANE: [f32; LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        // Exact wherever it matters, that is, near zero.
        let from = S::splat(self.from + r as f32);
        let beyond = S::splat(self.beyond + r as f32);
        let lane = S::load(&LANE);
        let seen = S::select_lt(lane, beyond, shown, hidden);
        S::select_lt(lane, from, hidden, seen)
    }
}
