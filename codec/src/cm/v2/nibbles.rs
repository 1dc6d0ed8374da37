//! Bit histories of nibbles in a hash table whose lines are asked for early.

use crate::cm::chance::prefetch;
use crate::cm::pages::zeros;
use std::cell::Cell;

/// Bytes of a bucket: a check, then the [histories](super::history) of the bits of a
/// nibble so far behind a leading one, 1 to 15.
pub const BUCKET: usize = 16;

/// Buckets of a line of the cache.
const WAYS: usize = 4;

const LINE: usize = WAYS * BUCKET;

/// Buckets by line and check. What tells the line is known half a byte before the
/// bucket is used, and what tells the bucket of the line only then; so a line is on its
/// way while four bits are coded. The least used bucket of a line gives way.
pub struct Nibbles {
    bytes: Vec<u8>,
    /// The first aligned byte.
    start: usize,
    shift: u32,
}

impl Nibbles {
    /// A power of two of lines, of 64 bytes each, touched when used.
    pub fn new(lines: usize) -> Nibbles {
        assert!(lines.is_power_of_two() && lines > 1);
        let bytes: Vec<u8> = zeros(lines * LINE + LINE);
        let start = bytes.as_ptr().align_offset(LINE).min(LINE);
        Nibbles {
            bytes,
            start,
            shift: 64 - lines.trailing_zeros(),
        }
    }

    /// Where the line of a hash starts.
    #[inline(always)]
    fn line(&self, hash: u64) -> usize {
        self.start + (hash >> self.shift) as usize * LINE
    }

    /// Brings the line of a hash near.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        prefetch(&self.bytes[self.line(hash)]);
    }

    /// Where the bucket with this check starts; it is cleared if there was none.
    #[inline(always)]
    pub fn find(&mut self, hash: u64, check: u8) -> usize {
        let start = self.line(hash);
        let line: &mut [u8; LINE] = (&mut self.bytes[start..start + LINE])
            .try_into()
            .expect("a line");
        let mut same = 0;
        for way in 0..WAYS {
            same |= u32::from(line[way * BUCKET] == check) << way;
        }
        if same != 0 {
            return start + same.trailing_zeros() as usize * BUCKET;
        }
        let mut at = 0;
        for way in 1..WAYS {
            if line[way * BUCKET + 1] < line[at + 1] {
                at = way * BUCKET;
            }
        }
        line[at..at + BUCKET].fill(0);
        line[at] = check;
        start + at
    }

    /// All bytes; a bucket starts where [`Nibbles::find`] says.
    #[inline(always)]
    pub fn cells(&mut self) -> &[Cell<u8>] {
        Cell::from_mut(&mut self.bytes[..]).as_slice_of_cells()
    }
}
