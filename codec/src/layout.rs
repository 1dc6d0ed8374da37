//! How a block of bytes is divided into lanes.

use std::ops::Range;

/// The lanes of a block: consecutive parts of equal length, except that the last
/// may be shorter, that a predictor advances in lock-step, as a batch.
///
/// Every lane starts with an empty context, so lanes are cut at multiples of `unit`,
/// the chunk length of a model with independent chunks, where a cut costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    bytes: usize,
    /// Length of every lane but the last; at least 1.
    steps: usize,
}

impl Layout {
    /// Divides `bytes` bytes into at most `most` lanes of multiples of `unit`.
    ///
    /// # Panics
    /// If `most` or `unit` is 0.
    pub fn new(bytes: usize, unit: usize, most: usize) -> Layout {
        let units = bytes.div_ceil(unit).max(1);
        let steps = units.div_ceil(most).saturating_mul(unit).min(bytes).max(1);
        Layout { bytes, steps }
    }

    /// Number of lanes, at least 1.
    pub fn lanes(&self) -> usize {
        self.bytes.div_ceil(self.steps).max(1)
    }

    /// Number of steps: the length of the first lane.
    pub fn steps(&self) -> usize {
        self.steps.min(self.bytes)
    }

    /// The bytes of the block that lane `lane` covers.
    pub fn range(&self, lane: usize) -> Range<usize> {
        let start = (lane * self.steps).min(self.bytes);
        start..(start + self.steps).min(self.bytes)
    }

    /// Lanes that have a byte at `step`: all, or all but the last.
    pub fn active(&self, step: usize) -> usize {
        let lanes = self.lanes();
        lanes - usize::from(step >= self.range(lanes - 1).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_cover_the_block_once() {
        for bytes in [0, 1, 2, 7, 255, 256, 257, 4096, 10_000] {
            for unit in [1, 3, 256] {
                for most in [1, 2, 64] {
                    let layout = Layout::new(bytes, unit, most);
                    let mut end = 0;
                    for lane in 0..layout.lanes() {
                        let range = layout.range(lane);
                        assert_eq!(range.start, end);
                        assert!(range.start.is_multiple_of(unit) || range.is_empty());
                        end = range.end;
                    }
                    assert_eq!(end, bytes);
                    assert!(layout.lanes() <= most);
                    let sum: usize = (0..layout.steps()).map(|s| layout.active(s)).sum();
                    assert_eq!(sum, bytes);
                }
            }
        }
    }
}
