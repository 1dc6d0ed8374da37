//! Rows of a table by byte, and the way back.
//!
//! Shapes: the table is [256, width], tokens `[rows]`, y and dy [rows, width], a
//! table of positions [context, width] (row `r` is at position `r mod context`).

use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// Symbols of the alphabet.
const SYMBOLS: usize = 256;

/// Rows a forward task takes.
const ROWS: usize = 256;

/// Columns a backward task takes: a cache line.
const COLUMNS: usize = 16;

/// `y[r] = scale table[tokens[r]]`, plus `positions[r mod context]` if given.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn forward(
    table: &[f32],
    width: usize,
    tokens: &[u8],
    scale: f32,
    positions: Option<&[f32]>,
    y: &mut [f32],
) {
    assert_eq!(table.len(), SYMBOLS * width, "a row of {width} a byte");
    assert_eq!(y.len(), tokens.len() * width, "a row of {width} a token");
    let context = positions.map_or(1, |p| {
        assert!(!p.is_empty() && p.len() % width == 0, "whole positions");
        p.len() / width
    });
    let out = Shared::new(y);
    threads::each(
        tokens.len().div_ceil(ROWS),
        tokens.len() * width * 2,
        |task| {
            let first = task * ROWS;
            let tokens = &tokens[first..tokens.len().min(first + ROWS)];
            dispatch(Gather {
                table,
                width,
                tokens,
                scale,
                positions,
                position: first % context,
                // SAFETY: blocks of rows are disjoint and inside `y`.
                y: unsafe { out.slice(first * width, tokens.len() * width) },
            });
        },
    );
}

struct Gather<'a> {
    table: &'a [f32],
    width: usize,
    tokens: &'a [u8],
    scale: f32,
    positions: Option<&'a [f32]>,
    /// Of the first token.
    position: usize,
    y: &'a mut [f32],
}

impl Kernel for Gather<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let (width, scale) = (self.width, S::splat(self.scale));
        for (&token, y) in self
            .tokens
            .iter()
            .zip(self.y.chunks_exact_mut(width.max(1)))
        {
            let from = &self.table[token as usize * width..][..width];
            match self.positions {
                None => {
                    for (e, y) in from.chunks(LANES).zip(y.chunks_mut(LANES)) {
                        S::store_part(S::mul(S::load_part(e), scale), y);
                    }
                }
                Some(positions) => {
                    let place = &positions[self.position * width..][..width];
                    let inputs = from.chunks(LANES).zip(place.chunks(LANES));
                    for ((e, p), y) in inputs.zip(y.chunks_mut(LANES)) {
                        let sum = S::mul_add(S::load_part(e), scale, S::load_part(p));
                        S::store_part(sum, y);
                    }
                    self.position += 1;
                    if self.position * width == positions.len() {
                        self.position = 0;
                    }
                }
            }
        }
    }
}

/// The gradient of the table: `dtable[tokens[r]] += scale dy[r]`, rows in order,
/// on top of what `dtable` holds.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn backward(dy: &[f32], width: usize, tokens: &[u8], scale: f32, dtable: &mut [f32]) {
    assert_eq!(dtable.len(), SYMBOLS * width, "a row of {width} a byte");
    assert_eq!(dy.len(), tokens.len() * width, "a row of {width} a token");
    let out = Shared::new(dtable);
    threads::each(width.div_ceil(COLUMNS), dy.len() * 2, |task| {
        let first = task * COLUMNS;
        dispatch(Scatter {
            dy,
            width,
            columns: first..width.min(first + COLUMNS),
            tokens,
            scale,
            table: out,
        });
    });
}

struct Scatter<'a> {
    dy: &'a [f32],
    width: usize,
    columns: std::ops::Range<usize>,
    tokens: &'a [u8],
    scale: f32,
    table: Shared,
}

impl Kernel for Scatter<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let scale = S::splat(self.scale);
        for (&token, dy) in self.tokens.iter().zip(self.dy.chunks_exact(self.width)) {
            let start = token as usize * self.width + self.columns.start;
            // SAFETY: a row of the table, columns of this task.
            let sum = unsafe { self.table.slice(start, self.columns.len()) };
            let dy = &dy[self.columns.clone()];
            for (dy, sum) in dy.chunks(LANES).zip(sum.chunks_mut(LANES)) {
                let next = S::mul_add(S::load_part(dy), scale, S::load_part(sum));
                S::store_part(next, sum);
            }
        }
    }
}

/// The gradient of a table of positions: `dpositions[r mod context] += dy[r]`,
/// rows in order, on top of what `dpositions` holds.
///
/// # Panics
/// If `dy` is not whole sequences.
#[track_caller]
pub fn backward_positions(dy: &[f32], dpositions: &mut [f32]) {
    if dpositions.is_empty() {
        return;
    }
    assert_eq!(dy.len() % dpositions.len(), 0, "whole sequences");
    crate::reduce::add_parts(dy, dpositions, true);
}
