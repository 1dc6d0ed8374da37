//! Sixteen rows of a matrix, four values of each side by side: the order in which
//! dot products read them.

use super::PANEL;
use super::dots::Dots;
use crate::stored::Stored;
use crate::stored::panel::{self, Blocks, Quad};
use std::ops::Range;

/// Values of a row in a panel: with two panels, 20 KiB, which stay in a first-level
/// cache while rows of activations pass. A multiple of all blocks.
pub(super) const STEPS: usize = 512;

/// Some values of sixteen rows.
#[repr(C, align(64))]
pub(super) struct Panels {
    /// `[STEPS / 4, PANEL, 4]`
    pub quads: [Quad; STEPS / 4],
    /// For each 16 values, `[STEPS / 16, PANEL]`.
    pub scales: [[f32; PANEL]; STEPS / panel::STEPS],
    /// The same.
    pub minima: [[f32; PANEL]; STEPS / panel::STEPS],
    /// What is subtracted from the integers.
    pub zero: i32,
}

impl Panels {
    /// Values of a scratch buffer for `count` panels.
    pub const fn room(count: usize) -> usize {
        count * size_of::<Panels>() / size_of::<f32>()
    }

    /// `P` panels in a buffer, whatever they hold.
    #[inline(always)]
    pub fn of<const P: usize>(buffer: &mut [f32]) -> &mut [Panels; P] {
        assert!(buffer.len() >= Panels::room(P), "room for {P} panels");
        let start = buffer.as_mut_ptr();
        assert!(start.addr().is_multiple_of(align_of::<Panels>()));
        // SAFETY: the buffer is long enough and aligned, and whatever bits it has are
        // integers and floats.
        unsafe { &mut *start.cast() }
    }

    /// Values `steps` of the rows from `first` on; beyond the last row that one is
    /// repeated.
    #[inline(always)]
    pub fn fill<D: Dots>(
        &mut self,
        w: &Stored,
        first: usize,
        steps: Range<usize>,
        blocks: &mut Blocks,
    ) {
        let len = w.format().block_len();
        let first = first.min(w.rows() - 1);
        for index in steps.start / len..steps.end / len {
            // Blocks of sixteen rows are far apart: caches do not see them coming.
            w.prefetch::<D::S>(first + D::PANELS * PANEL, index, PANEL);
            let at = index * len - steps.start;
            w.unpack(first, index, blocks, &mut self.quads[at / 4..][..len / 4]);
            self.zero = blocks.zero();
            for group in 0..len / panel::STEPS {
                let at = at / panel::STEPS + group;
                let (scales, minima) = blocks.scales(group);
                (self.scales[at], self.minima[at]) = (*scales, *minima);
            }
        }
    }
}
