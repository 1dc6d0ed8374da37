//! The causal and sliding-window mask of a block of queries.
//!
//! Keys lie in groups of eight whose borders are multiples of eight of the absolute
//! position. Groups that all queries of a block see in full need no mask and are
//! multiplied in runs; the others are taken one by one, separately for each half of
//! the block.

use super::products::QUERIES;
use crate::simd::{LANES, Simd};

/// The most groups in a run: their probabilities fit the first-level cache.
pub(super) const SPAN: usize = 8;

/// The mask of a block of queries at consecutive positions.
#[derive(Clone, Copy)]
pub(super) struct BlockMask {
    /// Position of the first query.
    pub first: u64,
    /// Number of queries, 1 to 16.
    pub queries: usize,
    /// Number of positions that a query sees, its own included.
    pub reach: u64,
}

/// A run of groups of keys, adjacent in memory.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// Position of the first key, divided by eight.
    pub group: u64,
    /// Slot of the first group in the ring.
    pub slot: usize,
    /// Number of groups: at most [`SPAN`], one if masked.
    pub len: usize,
    /// Whether some query does not see some key.
    pub masked: bool,
}

/// Whether eight queries see eight keys.
#[derive(Clone, Copy)]
pub(super) enum Visibility {
    /// No query sees any key.
    None,
    /// Some queries see some keys.
    Partial(TileMask),
    /// All queries see all keys.
    All,
}

/// Which of eight queries see which of eight keys: query `q` sees key `r` if
/// `from + r <= q < beyond + r`.
#[derive(Clone, Copy)]
pub(super) struct TileMask {
    /// The first query that sees key 0; may be negative.
    from: f32,
    /// The first query that no longer sees it.
    beyond: f32,
}

impl BlockMask {
    /// The first and the last group that any query sees.
    #[inline(always)]
    pub fn groups(&self) -> (u64, u64) {
        let lowest = (self.first + 1).saturating_sub(self.reach);
        let highest = self.first + self.queries as u64 - 1;
        (lowest / LANES as u64, highest / LANES as u64)
    }

    /// The span that starts at `group`, in a ring of `ring` groups.
    #[inline(always)]
    pub fn span(&self, group: u64, ring: usize) -> Span {
        let lanes = LANES as u64;
        // All queries see the keys from the last query's first key to the first
        // query.
        let from = (self.first + QUERIES as u64).saturating_sub(self.reach);
        let unmasked = from.div_ceil(lanes)..(self.first + 1) / lanes;
        let slot = (group % ring as u64) as usize;
        let masked = !unmasked.contains(&group);
        let len = if masked {
            1
        } else {
            ((unmasked.end - group) as usize).min(SPAN).min(ring - slot)
        };
        Span {
            group,
            slot,
            len,
            masked,
        }
    }

    /// Whether one half of the block, its first or its last eight queries, sees a
    /// group.
    #[inline(always)]
    pub fn visibility(&self, group: u64, half: usize) -> Visibility {
        let last = LANES as u64 - 1;
        let key = group * LANES as u64;
        let query = self.first + (half * LANES) as u64;
        let end = self.first + self.queries as u64;
        if query >= end || key >= end.min(query + last + 1) {
            return Visibility::None;
        }
        if (key + last).saturating_add(self.reach) <= query {
            return Visibility::None;
        }
        if key + last <= query && key.saturating_add(self.reach) > query + last {
            return Visibility::All;
        }
        let distance = key as i64 - query as i64;
        Visibility::Partial(TileMask {
            from: distance as f32,
            beyond: distance.saturating_add_unsigned(self.reach) as f32,
        })
    }
}

impl TileMask {
    /// Lane by lane: `shown` if the query sees the `r`-th key, else `hidden`.
    #[inline(always)]
    pub fn choose<S: Simd>(&self, r: usize, shown: S::F, hidden: S::F) -> S::F {
        const LANE: [f32; LANES] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        // Exact near zero, where the comparisons are decided.
        let from = S::splat(self.from + r as f32);
        let beyond = S::splat(self.beyond + r as f32);
        let lane = S::load(&LANE);
        let seen = S::select_lt(lane, beyond, shown, hidden);
        S::select_lt(lane, from, hidden, seen)
    }
}
