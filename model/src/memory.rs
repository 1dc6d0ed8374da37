//! The memory that a forward pass asks for, from the spec alone.
//!
//! Every buffer of [`Transformer`](crate::Transformer) and [`State`](crate::State) is
//! counted here and nowhere else, so that what a stranger's file asks for is known
//! before any of it is allocated. Sums that leave 64 bits stay at the largest number.
//! `tests/memory.rs` compares with what the allocator sees.

use crate::spec::{Activation, Position, SYMBOLS, Spec};

/// Bytes of a float.
const FLOAT: u128 = 4;

/// Vectors are padded to this many floats, buffers to cache lines of twice as many.
const LANES: u128 = 8;

/// Rows that a thread's lanes take through the layers together: at most this many, or
/// [`STEPS`] for each lane.
const ROWS: u128 = 128;
const STEPS: u128 = 16;

/// Most lanes of a group.
const MAX_GROUP: u128 = 32;

/// What a group of lanes and a thread's scratch take beside what is counted.
const SMALL: u128 = 1 << 16;

fn n(x: usize) -> u128 {
    x as u128
}

fn clamp(bytes: u128) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Spec {
    /// Bytes of the weights as 32-bit floats.
    pub fn weights_memory(&self) -> u64 {
        let names = self.layers as u64 * 4096 + (1 << 14);
        self.parameters().saturating_mul(4).saturating_add(names)
    }

    /// Bytes of a [`Transformer`](crate::Transformer): the weights again, with the
    /// columns of matrices padded; in tied models the embedding twice.
    pub fn transformer_memory(&self) -> u64 {
        let (d, hidden) = (n(self.width), n(self.hidden));
        let padding = |columns: u128| columns.next_multiple_of(2 * LANES) - columns;
        let up = n(self.up_width());
        let block = d * (padding(3 * d) + padding(d) + padding(up)) + hidden * padding(d);
        let tied = if self.tied { n(SYMBOLS) * d } else { 0 };
        let padded = n(self.layers) * block + tied;
        let names = n(self.layers) * 4096 + (1 << 14);
        clamp(FLOAT * (u128::from(self.parameters()) + padded) + names)
    }

    /// Bytes of a [`State`](crate::State) of `lanes` lanes for `steps` steps, and of
    /// what `threads` threads that advance it keep to work with.
    pub fn state_memory(&self, lanes: usize, steps: usize, threads: usize) -> u64 {
        let (d, lanes) = (n(self.width), n(lanes));
        let head_dim = n(self.head_dim());
        let reach = n(self.reach().min(steps).max(1));
        // Positions of a ring, in groups of eight.
        let groups = match self.window {
            None => reach.div_ceil(LANES),
            Some(_) => (reach + 29) / LANES,
        };
        let values = n(self.heads) * head_dim.next_multiple_of(LANES);
        let caches = n(self.layers) * lanes * groups * LANES * (d + values) * FLOAT;
        let sinusoids = match self.position {
            Position::Sinusoidal => n(self.context.min(steps)) * d * FLOAT,
            Position::Learned | Position::Rope => 0,
        };
        // The bytes that taps see, kept for each lane and laid out for a tile.
        let furthest = n(self.tap_distances().last().copied().unwrap_or(0));
        let tokens = lanes * (2 * furthest + STEPS) + ROWS;
        let gated = match self.activation {
            Activation::Swiglu => n(self.hidden),
            _ => 0,
        };
        let row = 6 * d + n(self.up_width()) + gated + n(SYMBOLS);
        let threads = n(threads.max(1));
        let many = threads.min(lanes).max(lanes.div_ceil(MAX_GROUP));
        let rows = many * ROWS + lanes * STEPS.min(n(steps));
        // Scores of a block of queries, rotations and tiles, in a thread's scratch; and
        // the left operand of a product, packed.
        let scores = (groups * LANES + 2 * LANES) * 2 * LANES;
        let widest = n(self.hidden).max(d);
        let scratch = scores + 16 * LANES * head_dim + 2 * ROWS * widest;
        clamp(
            caches
                + sinusoids
                + tokens
                + rows * row * FLOAT
                + (many + threads) * SMALL
                + n(self.layers) * many * 1024
                + threads * scratch * FLOAT,
        )
    }
}
