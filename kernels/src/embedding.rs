//! Embedding of bytes, with a causal convolution over earlier bytes, forward and
//! backward.
//!
//! Shapes: the table is [256, width], taps are [taps, width], tokens
//! [sequences, before + length], y and dy [sequences * length, width], position
//! vectors [length, width].

use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// Vocabulary size: the byte values.
const SYMBOLS: usize = 256;

/// Rows of a forward task.
const ROWS: usize = 256;

/// Columns of a backward task: a cache line.
const COLUMNS: usize = 16;

/// The embedding of a byte and of earlier bytes:
/// `scale (table[b_t] + sum_k taps[k] table[b_(t - distances[k])])` for byte `b_t` of a
/// sequence. This is a causal depthwise convolution of the embedded bytes. Bytes before
/// the sequence are included if they are given, otherwise left out.
#[derive(Clone, Copy, Debug)]
pub struct Embedding<'a> {
    /// `[256, width]`
    pub table: &'a [f32],
    /// Length of a row.
    pub width: usize,
    /// Factor of everything but the position vectors.
    pub scale: f32,
    /// `[taps, width]`: the weights of earlier bytes; may be empty.
    pub taps: &'a [f32],
    /// For each tap, its distance to the earlier byte: at least 1, ascending.
    pub distances: &'a [usize],
    /// Sequence length: rows of `y` for each sequence.
    pub length: usize,
    /// Number of tokens of each sequence before that of its first row.
    pub before: usize,
}

impl Embedding<'_> {
    /// `y`: the embedded tokens, plus `positions[t]` in row `t` of a sequence if
    /// position vectors are given.
    ///
    /// # Panics
    /// If the lengths do not match.
    #[track_caller]
    pub fn forward(&self, tokens: &[u8], positions: Option<&[f32]>, y: &mut [f32]) {
        let rows = self.rows(tokens);
        let width = self.width;
        assert_eq!(y.len(), rows * width, "one row of {width} for each token");
        if let Some(positions) = positions {
            assert_eq!(
                positions.len(),
                self.length * width,
                "one vector for each position"
            );
        }
        let out = Shared::new(y);
        let work = rows * (width * 2 + self.taps.len() * 2);
        threads::each(rows.div_ceil(ROWS), work, |task| {
            let rows = task * ROWS..rows.min((task + 1) * ROWS);
            dispatch(Gather {
                embedding: *self,
                tokens,
                positions,
                // SAFETY: blocks of rows are disjoint and inside `y`.
                y: unsafe { out.slice(rows.start * width, rows.len() * width) },
                rows,
            });
        });
    }

    /// Adds the gradients of the table and of the taps to `dtable`, [256, width],
    /// and `dtaps`, [taps, width]. Contributions to the table are added in the order
    /// of the rows; those of one row start with its own byte and go backwards. The
    /// gradient of a tap is summed within each sequence, then over the sequences.
    ///
    /// # Panics
    /// If the lengths do not match.
    #[track_caller]
    pub fn backward(&self, tokens: &[u8], dy: &[f32], dtable: &mut [f32], dtaps: &mut [f32]) {
        let rows = self.rows(tokens);
        let width = self.width;
        assert_eq!(
            dtable.len(),
            self.table.len(),
            "the gradient has the shape of the table"
        );
        assert_eq!(
            dtaps.len(),
            self.taps.len(),
            "the gradient has the shape of the taps"
        );
        assert_eq!(dy.len(), rows * width, "one row of {width} for each token");
        let table = Shared::new(dtable);
        let taps = Shared::new(dtaps);
        let work = dy.len() * 2 + rows * self.taps.len() * 4;
        threads::each(width.div_ceil(COLUMNS), work, |task| {
            let first = task * COLUMNS;
            dispatch(Scatter {
                embedding: *self,
                dy,
                columns: first..width.min(first + COLUMNS),
                tokens,
                table,
                taps,
            });
        });
    }

    /// Number of rows of `y`.
    #[track_caller]
    fn rows(&self, tokens: &[u8]) -> usize {
        let (width, whole) = (self.width, self.before + self.length);
        assert!(width > 0 && self.length > 0, "width and length are not 0");
        assert_eq!(self.table.len(), SYMBOLS * width, "256 rows of {width}");
        assert_eq!(
            self.taps.len(),
            self.distances.len() * width,
            "one row of {width} for each tap"
        );
        assert_eq!(tokens.len() % whole, 0, "whole sequences");
        tokens.len() / whole * self.length
    }

    /// The tokens of a row's sequence up to the row's own, which is the last.
    #[inline(always)]
    fn seen<'t>(&self, tokens: &'t [u8], row: usize) -> &'t [u8] {
        let (sequence, step) = (row / self.length, row % self.length);
        let start = sequence * (self.before + self.length);
        &tokens[start..][..self.before + step + 1]
    }

    /// The tokens that the taps of a row see, in the order of `distances`. `seen`
    /// ends with the row's own token.
    #[inline(always)]
    fn tapped<'t>(&'t self, seen: &'t [u8]) -> impl Iterator<Item = u8> + 't {
        let last = seen.len() - 1;
        let distances = self.distances.iter().take_while(move |&&d| d <= last);
        distances.map(move |d| seen[last - d])
    }
}

struct Gather<'a> {
    embedding: Embedding<'a>,
    tokens: &'a [u8],
    positions: Option<&'a [f32]>,
    rows: std::ops::Range<usize>,
    y: &'a mut [f32],
}

impl Kernel for Gather<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let e = self.embedding;
        let (width, scale) = (e.width, S::splat(e.scale));
        let row_of = |token: u8| &e.table[token as usize * width..][..width];
        for (row, y) in self.rows.zip(self.y.chunks_exact_mut(width)) {
            let seen = e.seen(self.tokens, row);
            let own = row_of(seen[seen.len() - 1]);
            for column in (0..width).step_by(LANES) {
                let columns = column..width.min(column + LANES);
                let mut sum = S::load_part(&own[columns.clone()]);
                for (k, token) in e.tapped(seen).enumerate() {
                    let tap = S::load_part(&e.taps[k * width..][columns.clone()]);
                    let value = S::load_part(&row_of(token)[columns.clone()]);
                    sum = S::mul_add(tap, value, sum);
                }
                let scaled = match self.positions {
                    None => S::mul(sum, scale),
                    Some(positions) => {
                        let place = &positions[row % e.length * width..][columns.clone()];
                        S::mul_add(sum, scale, S::load_part(place))
                    }
                };
                S::store_part(scaled, &mut y[columns]);
            }
        }
    }
}

struct Scatter<'a> {
    embedding: Embedding<'a>,
    dy: &'a [f32],
    columns: std::ops::Range<usize>,
    tokens: &'a [u8],
    table: Shared,
    taps: Shared,
}

impl Kernel for Scatter<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for column in self.columns.clone().step_by(LANES) {
            self.lanes::<S>(column..self.columns.end.min(column + LANES));
        }
    }
}

impl Scatter<'_> {
    /// The gradients of at most eight columns.
    #[inline(always)]
    fn lanes<S: Simd>(&self, columns: std::ops::Range<usize>) {
        let e = self.embedding;
        let (width, count) = (e.width, columns.len());
        let scale = S::splat(e.scale);
        let at = |row: usize| row * width + columns.start;
        for (row, dy) in self.dy.chunks_exact(width).enumerate() {
            let seen = e.seen(self.tokens, row);
            let token = seen[seen.len() - 1];
            let dy = S::load_part(&dy[columns.clone()]);
            // SAFETY: a row of the table, in columns of this task.
            let sum = unsafe { self.table.slice(at(usize::from(token)), count) };
            S::store_part(S::mul_add(dy, scale, S::load_part(sum)), sum);
            let dy = S::mul(dy, scale);
            for (k, token) in e.tapped(seen).enumerate() {
                let tap = S::load_part(&e.taps[at(k)..][..count]);
                // SAFETY: as above.
                let sum = unsafe { self.table.slice(at(usize::from(token)), count) };
                S::store_part(S::mul_add(dy, tap, S::load_part(sum)), sum);
            }
        }
        for (k, &distance) in e.distances.iter().enumerate() {
            // SAFETY: a row of the taps, in columns of this task.
            let sum = unsafe { self.taps.slice(at(k), count) };
            let mut total = S::load_part(sum);
            for (sequence, dy) in self.dy.chunks_exact(e.length * width).enumerate() {
                let mut part = S::splat(0.0);
                for (step, dy) in dy.chunks_exact(width).enumerate() {
                    let seen = e.seen(self.tokens, sequence * e.length + step);
                    if let Some(token) = seen.len().checked_sub(1 + distance).map(|i| seen[i]) {
                        let value = S::load_part(&e.table[at(usize::from(token))..][..count]);
                        let dy = S::mul(S::load_part(&dy[columns.clone()]), scale);
                        part = S::mul_add(dy, value, part);
                    }
                }
                total = S::add(total, part);
            }
            S::store_part(total, sum);
        }
    }
}

/// Adds the gradient of learned position vectors to `dpositions`, [length, width]:
/// `dpositions[r mod length] += dy[r]`, rows in order.
///
/// # Panics
/// If `dy` does not consist of whole sequences.
#[track_caller]
pub fn backward_positions(dy: &[f32], dpositions: &mut [f32]) {
    if dpositions.is_empty() {
        return;
    }
    assert_eq!(dy.len() % dpositions.len(), 0, "whole sequences");
    crate::reduce::add_parts(dy, dpositions, true);
}
