//! Products with matrices that stay in their stored (quantised) form.

use super::epilogue::Plan;
use super::macrokernel::Source;
use super::microkernel::NR;
use super::pack;
use super::{Block, View};
use crate::scratch;
use crate::simd::{Kernel, Simd, dispatch};
use crate::stored::{Stored, panel};
use crate::threads::{self, Shared};

/// Values that a task decodes: half a mebibyte. They stay in a second-level cache while
/// they are multiplied with the rows of the left operand.
const DECODED: usize = 1 << 17;

/// The number of columns of a task is a multiple of this; the width of every tile divides
/// it.
const STEP: usize = 3 * NR;

/// Number of rows from which it is faster to decode a matrix twice, if that gives all
/// threads work.
const ROWS: usize = 192;

/// `y = x W^T`: x is [m, k], W [n, k] as stored, y [m, n]. Each output is the chain
/// that [`gemm`](super::gemm) computes with the decoded matrix.
///
/// # Panics
/// If the shapes do not match.
#[track_caller]
pub fn stored(x: &[f32], w: &Stored, y: &mut [f32]) {
    let (n, k) = (w.rows(), w.cols());
    assert!(n > 0 && k > 0, "an empty matrix");
    assert!(x.len().is_multiple_of(k), "rows of {k} values");
    let m = x.len() / k;
    assert_eq!(y.len(), m * n, "the shape of the product");
    if m == 0 {
        return;
    }
    // Decoding a value takes about as long as multiplying it with eight rows.
    let work = (m + 8) * n * k;
    let wanted = match threads::worth(work) {
        1 => 1,
        threads => 3 * threads,
    };
    let most = (DECODED / k / STEP).max(1) * STEP;
    let cols = n.div_ceil(wanted).next_multiple_of(STEP).min(most);
    let col_tasks = n.div_ceil(cols);
    let row_tasks = wanted.div_ceil(col_tasks).min(m.div_ceil(ROWS)).max(1);
    let rows = m.div_ceil(row_tasks);
    let y = Shared::new(y);
    let a = View::new(x, m, k);
    threads::each(col_tasks * row_tasks, work, |task| {
        let (i, j) = (task / col_tasks * rows, task % col_tasks * cols);
        let rows = i..(i + rows).min(m);
        let cols = j..(j + cols).min(n);
        scratch::with(k * (pack::padded(cols.len()) + NR), |buffer| {
            let (packed, decoded) = buffer.split_at_mut(k * pack::padded(cols.len()));
            dispatch(Pack {
                w,
                first: cols.start,
                count: cols.len(),
                packed,
                decoded,
            });
            let block = Block {
                a,
                b: Source::Packed(packed),
                c: y.offset(cols.start),
                c_stride: n,
                accumulate: false,
                epilogue: Plan::none(cols.len()),
            };
            block.run(rows, 0..cols.len(), 0..k);
        });
    });
}

/// Decodes rows of `w` into the order of [`Packed`](super::Packed).
struct Pack<'a> {
    w: &'a Stored<'a>,
    first: usize,
    count: usize,
    packed: &'a mut [f32],
    /// Room for [`NR`] rows.
    decoded: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let k = self.w.cols();
        let (step, width) = (pack::k_block(k), pack::padded(self.count));
        let whole = self.transposed::<S>(step, width);
        for panel in (whole..self.count).step_by(NR) {
            let here = NR.min(self.count - panel);
            let decoded = &mut self.decoded[..here * k];
            let from = self.first + panel;
            self.w.decode(from..from + here, decoded);
            let rows = View::new(decoded, here, k).t();
            let mut start = 0;
            while start < k {
                let end = (start + step).min(k);
                let at = start * width + panel * (end - start);
                let len = (end - start) * pack::padded(here);
                pack::right::<S>(rows, start..end, 0..here, &mut self.packed[at..at + len]);
                start = end;
            }
        }
    }
}

impl Pack<'_> {
    /// Packs whole panels of a block format. Returns the number of columns.
    #[inline(always)]
    fn transposed<S: Simd>(&mut self, step: usize, width: usize) -> usize {
        const { assert!(NR == panel::ROWS) };
        let k = self.w.cols();
        let whole = self.count / NR * NR;
        let len = self.w.format().block_len();
        let mut blocks = panel::Blocks::new();
        let mut quads = [[0; 4 * NR]; panel::LONGEST / 4];
        let quads = &mut quads[..len / 4];
        let mut straddling = [[0.0; NR]; panel::STEPS];
        for panel in (0..whole).step_by(NR) {
            let (mut start, mut end) = (0, step.min(k));
            for index in 0..k / len {
                // Blocks of sixteen rows are far apart, so the hardware does not prefetch
                // them.
                self.w.prefetch::<S>(self.first + panel + NR, index, NR);
                if !self.w.unpack(self.first + panel, index, &mut blocks, quads) {
                    return 0;
                }
                for i in (index * len..(index + 1) * len).step_by(panel::STEPS) {
                    let group = (i - index * len) / panel::STEPS;
                    if i == end {
                        (start, end) = (end, (end + step).min(k));
                    }
                    let at = start * width + panel * (end - start) + (i - start) * NR;
                    let (rows, _) = self.packed[at..].as_chunks_mut::<NR>();
                    if i + panel::STEPS <= end {
                        let tile = rows.first_chunk_mut().expect("a tile");
                        blocks.tile(group, quads, tile);
                        continue;
                    }
                    // The tile continues in the next block of steps.
                    blocks.tile(group, quads, &mut straddling);
                    let (these, others) = straddling.split_at(end - i);
                    rows[..these.len()].copy_from_slice(these);
                    (start, end) = (end, (end + step).min(k));
                    let at = start * width + panel * (end - start);
                    let (rows, _) = self.packed[at..].as_chunks_mut::<NR>();
                    rows[..others.len()].copy_from_slice(others);
                }
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ViewMut, naive};
    use super::*;
    use crate::stored::tests::{ALL, random};

    #[test]
    fn the_product_is_that_of_the_decoded_matrix() {
        let shapes = [
            (1, 1, 1),
            (3, 50, 5),
            (7, 16, 9),
            (200, 130, 2),
            (400, 7, 1),
        ];
        for format in ALL {
            for (m, n, blocks) in shapes {
                let k = blocks * format.block_len().max(32);
                let data = random(format, n, k, 3);
                let w = Stored::new(format, &data, n, k).unwrap();
                let mut decoded = vec![0.0; n * k];
                w.decode_rows(0..n, &mut decoded);
                let x: Vec<f32> = (0..m * k)
                    .map(|i| ((i * 37 % 101) as f32 - 50.0) / 64.0)
                    .collect();
                let mut expected = vec![0.0; m * n];
                naive(
                    View::new(&x, m, k),
                    View::new(&decoded, n, k).t(),
                    ViewMut::new(&mut expected, m, n),
                    false,
                );
                for threads in [1, 2, 8] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                    let mut y = vec![f32::NAN; m * n];
                    pool.build().unwrap().install(|| stored(&x, &w, &mut y));
                    for (y, e) in y.iter().zip(&expected) {
                        assert_eq!(y.to_bits(), e.to_bits(), "{format:?} {m} {n} {k}");
                    }
                }
            }
        }
    }
}
