//! Rotations of queries and keys, tile by tile.
//!
//! The rotations of a tile are, for each pair of components, the cosines of its
//! eight rows and then their sines: `[head_dim / 2][2][8]`.

use crate::rope;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use std::sync::{Arc, Mutex, PoisonError};

/// Rotations of tiles from position 0 on, one table a head dimension, kept for
/// the life of the process: every pass of every layer reads the same ones.
static TABLES: Mutex<Vec<(usize, Arc<[f32]>)>> = Mutex::new(Vec::new());

/// Values of rotation for one tile.
pub(super) fn turns_len(head_dim: usize) -> usize {
    head_dim * LANES
}

/// The rotations of the positions `0..time`, perhaps of some more.
pub(super) fn table(head_dim: usize, time: usize) -> Arc<[f32]> {
    let len = time.div_ceil(LANES) * turns_len(head_dim);
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, table)) = tables
        .iter()
        .find(|(d, t)| *d == head_dim && t.len() >= len)
    {
        return table.clone();
    }
    let mut table = vec![0.0; len];
    fill(&rope::steps(head_dim), 0, &mut table);
    let table: Arc<[f32]> = table.into();
    tables.retain(|(d, _)| *d != head_dim);
    tables.push((head_dim, table.clone()));
    table
}

/// Fills whole tiles with the rotations of the positions from `start` on.
/// `steps` are those of [`rope::steps`].
pub(super) fn fill(steps: &[u32], start: u64, turns: &mut [f32]) {
    dispatch(Fill {
        steps,
        start,
        turns,
    });
}

/// Fills one tile with the rotations of one position in every row.
pub(super) fn fill_one(steps: &[u32], position: u64, turns: &mut [f32]) {
    dispatch(FillOne {
        steps,
        position,
        turns,
    });
}

struct Fill<'a> {
    steps: &'a [u32],
    start: u64,
    turns: &'a mut [f32],
}

impl Kernel for Fill<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let tile = turns_len(2 * self.steps.len());
        for (i, turns) in self.turns.chunks_exact_mut(tile).enumerate() {
            for (&step, pair) in self.steps.iter().zip(turns.chunks_exact_mut(2 * LANES)) {
                for r in 0..LANES {
                    let position = self.start + (i * LANES + r) as u64;
                    (pair[r], pair[LANES + r]) = rope::cos_sin(position, step);
                }
            }
        }
    }
}

struct FillOne<'a> {
    steps: &'a [u32],
    position: u64,
    turns: &'a mut [f32],
}

impl Kernel for FillOne<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for (&step, pair) in self
            .steps
            .iter()
            .zip(self.turns.chunks_exact_mut(2 * LANES))
        {
            let (cos, sin) = rope::cos_sin(self.position, step);
            pair[..LANES].fill(cos);
            pair[LANES..].fill(sin);
        }
    }
}
