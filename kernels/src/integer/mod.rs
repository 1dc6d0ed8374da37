//! Products of rounded activations with matrices of small integers, in integers.
//!
//! A [`Stored`] matrix of blocks is integers with a scale, and perhaps a minimum, for
//! each 16 or 32 of a row. If activations are integers too, a product is integer
//! multiplications and additions, which are exact in any order, so a CPU may use
//! whatever it has for them, and a few `f32` operations a block.
//!
//! # The numbers
//!
//! [`Rounded`] activations: in each block of 32, `d = max |x| / 127` and the integers
//! `q = x (127 / max |x|)`, rounded to nearest, ties to even; zeros if the maximum is
//! below [`LEAST`]. A block with a value that is not finite has a `d` of NaN.
//!
//! An output is one chain, from zero, over the groups of a row in increasing order;
//! with the weight `scale (w - zero) + minimum`:
//!
//! ```text
//! chain = fma(scale d, sum of (w - zero) q over the group, chain)
//! chain = fma(minimum, d (sum of q over the group), chain)      where there are minima
//! ```
//!
//! The sums are exact integers below 2^20, each other operation is rounded once.
//!
//! ```
//! use brevity_kernels::integer::{Rounded, product};
//! use brevity_kernels::stored::{Format, Stored};
//!
//! // A row in Q8_0: a scale of 0.5 and 32 times the integer 3.
//! let mut bytes = vec![0x00, 0x38];
//! bytes.extend([3; 32]);
//! let w = Stored::new(Format::Q8_0, &bytes, 1, 32).unwrap();
//! let mut y = [0.0];
//! product(&Rounded::new(&[127.0; 32], 32), &w, &mut y);
//! assert_eq!(y, [32.0 * 127.0 * 1.5]);
//! ```

mod dots;
mod panels;
mod path;
mod rounded;
#[cfg(test)]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use rounded::{LEAST, Rounded};

use crate::scratch;
use crate::stored::Stored;
use crate::stored::panel::Blocks;
use crate::threads::{self, Shared};
use dots::Dots;
use panels::Panels;
use path::Path;
use std::ops::Range;
use tile::Tile;

/// Rows of a matrix in a panel: outputs in a vector.
const PANEL: usize = 16;

/// `y = x W^T` by the definition of this [module](self): x is [m, k], W [n, k] as
/// stored, y [m, n].
///
/// # Panics
/// If the shapes do not match, or the format has no integers
/// ([`Format::has_integers`](crate::stored::Format::has_integers)).
#[track_caller]
pub fn product(x: &Rounded, w: &Stored, y: &mut [f32]) {
    product_on(Path::current(), x, w, y);
}

#[track_caller]
fn product_on(path: Path, x: &Rounded, w: &Stored, y: &mut [f32]) {
    let (m, n, k) = (x.rows(), w.rows(), w.cols());
    assert!(w.format().has_integers(), "{:?}", w.format());
    assert_eq!(x.cols(), k, "activations and weights of an output");
    assert_eq!(y.len(), m * n, "the shape of the product");
    // Unpacking a value takes about as long as multiplying it with eight rows, and
    // an integer product a third of the time of others.
    let work = (m + 8) * n * k / 3;
    let tasks = match threads::worth(work) {
        1 => 1,
        threads => 4 * threads,
    };
    let cols = n.div_ceil(tasks).next_multiple_of(2 * PANEL);
    let y = Shared::new(y);
    threads::each(n.div_ceil(cols), work, |task| {
        let cols = task * cols..((task + 1) * cols).min(n);
        // Outside of the path: what it inlines is compiled for its instructions.
        scratch::with(Panels::room(2), |buffer| {
            path.run(Task {
                x,
                w,
                cols,
                y,
                buffer,
            });
        });
    });
}

/// Some columns of a product.
struct Task<'a> {
    x: &'a Rounded,
    w: &'a Stored<'a>,
    cols: Range<usize>,
    y: Shared,
    /// Room for two panels.
    buffer: &'a mut [f32],
}

impl Task<'_> {
    /// Runs on the dot products of `D`, in which it must be inlined.
    #[inline(always)]
    fn run<D: Dots>(self) {
        match D::PANELS {
            1 => self.panels::<D, 1>(),
            _ => self.panels::<D, 2>(),
        }
    }

    #[inline(always)]
    fn panels<D: Dots, const P: usize>(self) {
        let (k, n) = (self.w.cols(), self.w.rows());
        let mut blocks = Blocks::new();
        let panels: &mut [Panels; P] = Panels::of(self.buffer);
        for first in self.cols.clone().step_by(P * PANEL) {
            let cols = (self.cols.end - first).min(P * PANEL);
            for start in (0..k).step_by(panels::STEPS) {
                let steps = start..(start + panels::STEPS).min(k);
                let mut row = first;
                for panel in panels.iter_mut() {
                    // The last panel may be of rows that there are not.
                    panel.fill::<D>(self.w, row, steps.clone(), &mut blocks);
                    row += PANEL;
                }
                let tile = Tile {
                    x: self.x,
                    panels,
                    steps,
                    y: self.y.ptr().wrapping_add(first),
                    stride: n,
                    cols,
                };
                // SAFETY: the product's shape was checked, and these columns are the
                // task's own.
                unsafe { tile.rows::<D>(self.w.format()) };
            }
        }
    }
}
