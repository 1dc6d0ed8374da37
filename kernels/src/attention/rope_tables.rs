//! RoPE tables: cosines and sines for tiles of queries and keys.
//!
//! The rotations of a tile are `[head_dim / 2][2][8]`: for each pair of components
//! the cosines of the eight rows, then their sines.

use crate::rope;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use std::sync::{Arc, Mutex, PoisonError};

/// The rotations from position 0 on, one table for each head dimension. They are
/// kept for the life of the process, since every layer reads the same ones.
static TABLES: Mutex<Vec<(usize, Arc<[f32]>)>> = Mutex::new(Vec::new());

/// Length of the rotations of one tile.
pub(super) fn rotations_len(head_dim: usize) -> usize {
    head_dim * LANES
}

/// The rotations of the positions `0..seq_len`; the table may be longer.
pub(super) fn table(head_dim: usize, seq_len: usize) -> Arc<[f32]> {
    let len = seq_len.div_ceil(LANES) * rotations_len(head_dim);
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

/// Fills whole tiles with the rotations of the positions from `start` on. `steps`
/// are [`rope::steps`].
pub(super) fn fill(steps: &[u32], start: u64, rotations: &mut [f32]) {
    dispatch(Fill {
        steps,
        start,
        rotations,
    });
}

/// Fills one tile with the rotations of `position` in every row.
pub(super) fn fill_one(steps: &[u32], position: u64, rotations: &mut [f32]) {
    dispatch(FillOne {
        steps,
        position,
        rotations,
    });
}

struct Fill<'a> {
    steps: &'a [u32],
    start: u64,
    rotations: &'a mut [f32],
}

impl Kernel for Fill<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let tile = rotations_len(2 * self.steps.len());
        for (i, rotations) in self.rotations.chunks_exact_mut(tile).enumerate() {
            for (&step, pair) in self.steps.iter().zip(rotations.chunks_exact_mut(2 * LANES)) {
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
    rotations: &'a mut [f32],
}

impl Kernel for FillOne<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for (&step, pair) in self
            .steps
            .iter()
            .zip(self.rotations.chunks_exact_mut(2 * LANES))
        {
            let (cos, sin) = rope::cos_sin(self.position, step);
            pair[..LANES].fill(cos);
            pair[LANES..].fill(sin);
        }
    }
}
