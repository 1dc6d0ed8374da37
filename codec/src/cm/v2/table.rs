//! Bit histories in a hash table, by context and nibble.

use super::run::Run;
use crate::cm::chance::prefetch;
use crate::cm::pages::zeros;

/// Bytes of a bucket: a check, then the [histories](super::history) of the
/// prefixes 1, 1x, 1xx, 1xxx.
pub const BUCKET: usize = 16;

/// Bytes of a line of the cache, which has four buckets.
const LINE: usize = 64;

/// Lines that lie in one page of memory.
const PAGE: usize = 64;

/// Buckets by hash, in one of two ways.
///
/// Either a context has a bucket for the first nibble of a byte and others for the
/// second, which may lie in three of the four buckets of a line; or it has a line
/// for itself, one of two, with a bucket for the first nibble and three for the
/// second. The latter is one access to memory where the former is two, but keeps
/// what follows only three first nibbles: good for text, if it should be fast. The least used one gives
/// way.
pub struct Table {
    bytes: Vec<u8>,
    /// The first aligned byte.
    start: usize,
    lines: usize,
    /// One for each bucket of a first nibble, by its number; none where there are no
    /// runs.
    runs: Vec<u16>,
}

impl Table {
    /// A number of lines that is a multiple of 64; memory is 64 bytes each,
    /// touched when used, and 8 more with runs.
    pub fn new(lines: usize, runs: bool) -> Table {
        assert!(lines.is_multiple_of(PAGE) && lines > 0);
        let bytes: Vec<u8> = zeros(lines * LINE + LINE);
        let start = bytes.as_ptr().align_offset(LINE).min(LINE);
        Table {
            bytes,
            start,
            lines,
            runs: zeros(if runs { lines * LINE / BUCKET } else { 0 }),
        }
    }

    /// The run of a context, whose bucket for the first nibble is given.
    #[inline(always)]
    pub fn run(&self, bucket: usize) -> Run {
        Run::unpack(self.runs[(bucket - self.start) / BUCKET])
    }

    /// A byte followed the context whose bucket for the first nibble is given.
    #[inline(always)]
    pub fn take(&mut self, bucket: usize, byte: u8) {
        let mut run = self.run(bucket);
        run.take(byte);
        self.runs[(bucket - self.start) / BUCKET] = run.pack();
    }

    /// The line of a context.
    #[inline(always)]
    fn line(&self, hash: u64) -> usize {
        (((hash >> 32) * self.lines as u64) >> 32) as usize
    }

    /// Brings the bucket of a context near.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        let line = self.line(hash);
        prefetch(&self.bytes[self.start + line * LINE]);
        if let Some(run) = self.runs.get(line * (LINE / BUCKET)) {
            prefetch(run);
        }
    }

    /// The line for the second nibble of a byte that starts with `node`: another
    /// one of the same page.
    #[inline(always)]
    fn second_line(&self, hash: u64, node: usize) -> usize {
        self.line(hash) ^ (node.wrapping_mul(0x9E35) >> 5 & (PAGE - 1))
    }

    /// Brings the second bucket of a context near.
    #[inline(always)]
    pub fn prefetch_second(&self, hash: u64, node: usize) {
        prefetch(&self.bytes[self.start + self.second_line(hash, node) * LINE]);
    }

    /// The bucket of a context for the first nibble of a byte.
    #[inline(always)]
    pub fn find(&mut self, hash: u64) -> usize {
        let at = self.find_in(self.line(hash), hash as u8, hash as usize >> 8);
        // A bucket that is new has seen nothing.
        if self.bytes[at + 1] == 0 && !self.runs.is_empty() {
            self.runs[(at - self.start) / BUCKET] = 0;
        }
        at
    }

    /// The bucket of a context for the second nibble of a byte that starts with
    /// `node`.
    #[inline(always)]
    pub fn find_second(&mut self, hash: u64, node: usize) -> usize {
        let check = (hash >> 16) as u8 ^ (node as u8).wrapping_mul(0x6D);
        self.find_in(self.second_line(hash, node), check, hash as usize >> 10)
    }

    /// The bucket with this check, cleared if there was none.
    #[inline(always)]
    fn find_in(&mut self, line: usize, check: u8, first: usize) -> usize {
        let start = self.start + line * LINE;
        let line = &mut self.bytes[start..start + LINE];
        let places = [first & 3, first & 3 ^ 1, first & 3 ^ 2].map(|place| place * BUCKET);
        let mut at = places[0];
        for place in places {
            if line[place] == check {
                return start + place;
            }
            if line[place + 1] < line[at + 1] {
                at = place;
            }
        }
        line[at..at + BUCKET].fill(0);
        line[at] = check;
        start + at
    }

    /// The line of a context that has one for itself: its first bucket is that of
    /// the first nibble.
    #[inline(always)]
    pub fn find_line(&mut self, hash: u64) -> usize {
        let check = hash as u8;
        let first = self.start + self.line(hash) * LINE;
        if self.bytes[first] == check {
            return first;
        }
        let second = self.start + (self.line(hash) ^ 1) * LINE;
        if self.bytes[second] == check {
            return second;
        }
        let at = if self.bytes[second + 1] < self.bytes[first + 1] {
            second
        } else {
            first
        };
        self.bytes[at..at + LINE].fill(0);
        self.bytes[at] = check;
        at
    }

    /// The bucket of such a line for the second nibble of a byte that starts with
    /// `node` (16 to 31): there are three, and the least used one gives way.
    #[inline(always)]
    pub fn second_of_line(&mut self, start: usize, node: usize) -> usize {
        let line = &mut self.bytes[start..start + LINE];
        let mut at = BUCKET;
        for place in [BUCKET, 2 * BUCKET, 3 * BUCKET] {
            if usize::from(line[place]) == node {
                return start + place;
            }
            if line[place + 1] < line[at + 1] {
                at = place;
            }
        }
        line[at..at + BUCKET].fill(0);
        line[at] = node as u8;
        start + at
    }

    /// The bucket at a place.
    #[inline(always)]
    pub fn bucket(&mut self, at: usize) -> &mut [u8; BUCKET] {
        (&mut self.bytes[at..at + BUCKET])
            .try_into()
            .expect("a bucket")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(i: u64) -> u64 {
        i.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn contexts_keep_their_buckets() {
        let mut table = Table::new(64, true);
        let bucket = table.find(hash(7));
        table.bucket(bucket)[5] = 77;
        let second = table.find_second(hash(7), 0x15);
        assert_ne!(bucket, second);
        table.bucket(second)[5] = 78;
        assert_eq!(table.find(hash(7)), bucket);
        assert_eq!(table.find_second(hash(7), 0x15), second);
        assert_eq!([table.bucket(bucket)[5], table.bucket(second)[5]], [77, 78]);
    }

    #[test]
    fn contexts_keep_their_lines() {
        let mut table = Table::new(64, true);
        let line = table.find_line(hash(3));
        let second = table.second_of_line(line, 0x1B);
        table.bucket(line)[5] = 7;
        table.bucket(second)[5] = 8;
        assert_eq!(table.find_line(hash(3)), line);
        assert_eq!(table.second_of_line(line, 0x1B), second);
        assert_eq!([table.bucket(line)[5], table.bucket(second)[5]], [7, 8]);
    }

    #[test]
    fn the_least_used_bucket_of_a_line_gives_way() {
        let mut table = Table::new(64, true);
        let line = table.find_line(hash(3));
        for (node, state) in [(16, 9), (17, 3), (18, 5)] {
            let at = table.second_of_line(line, node);
            table.bucket(at)[1] = state;
        }
        let at = table.second_of_line(line, 31);
        assert_eq!(table.bucket(at)[1], 0);
        for (node, state) in [(16, 9), (18, 5)] {
            let at = table.second_of_line(line, node);
            assert_eq!(table.bucket(at)[1], state);
        }
    }

    #[test]
    fn buckets_do_not_leave_the_table() {
        let mut table = Table::new(64, true);
        for i in 0..10_000 {
            let node = 16 + i as usize % 16;
            let line = table.find_line(hash(i + 1));
            for bucket in [
                table.find(hash(i)),
                table.find_second(hash(i), node),
                line,
                table.second_of_line(line, node),
            ] {
                assert!(bucket >= table.start && bucket + BUCKET <= table.bytes.len());
                assert!((bucket - table.start).is_multiple_of(BUCKET));
                table.bucket(bucket)[1] = 1 + (i % 200) as u8;
            }
        }
    }

    #[test]
    fn what_is_used_more_stays() {
        let mut table = Table::new(64, true);
        let often = table.find(hash(1));
        table.bucket(often)[1] = 200;
        for i in 2..2000 {
            let bucket = table.find(hash(i));
            table.bucket(bucket)[1] = 1;
        }
        assert_eq!(table.find(hash(1)), often);
        assert_eq!(table.bucket(often)[1], 200);
    }
}
