//! A byte-wise range coder.
//!
//! The encoder keeps an interval `[low, low + range)` of 64-bit numbers and
//! narrows it to the part that belongs to each symbol (Martin 1979). Whenever
//! `range` falls below 2^56, the top byte of `low` is final, except for a carry, and
//! is written; a carry is propagated back through the bytes already written. Since
//! `range` is at least 2^56 when a symbol of precision 2^24 is coded, the division
//! loses less than 2^-32 of it: the stream is longer than the sum of the code
//! lengths by the one byte that [`Encoder::finish`] writes and, beyond that, by less
//! than 1e-8 of the sum.
//!
//! Alphabets of many thousand symbols need finer frequencies: those of
//! [`Encoder::fine_symbol`] have the sum 2^32, and the division loses less than
//! 2^-24.
//!
//! The stream does not mark its end; the caller must store its length.
//!
//! ```
//! use brevity_codec::range::{Decoder, Encoder};
//!
//! let mut encoder = Encoder::default();
//! encoder.symbol(1 << 23, 1 << 22);
//! encoder.bit(true, 1000);
//! let bytes = encoder.finish();
//!
//! let mut decoder = Decoder::new(&bytes);
//! let target = decoder.target();
//! assert!((1 << 23..(1 << 23) + (1 << 22)).contains(&target));
//! decoder.take(1 << 23, 1 << 22);
//! assert!(decoder.bit(1000));
//! assert!(decoder.ended());
//! ```

use crate::cdf::{PRECISION, TOTAL};

/// The smallest `range` before a symbol.
const FLOOR: u64 = 1 << 56;

/// Bits of precision of the symbols of large alphabets.
const FINE: u32 = 32;

/// Bytes of the decoder's 8-byte number after the one that `finish` writes.
const LOOKAHEAD: usize = 7;

/// Turns intervals into bytes.
#[derive(Debug)]
pub struct Encoder {
    low: u64,
    /// Invariant between calls: at least `FLOOR`.
    range: u64,
    out: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder {
            low: 0,
            range: u64::MAX,
            out: Vec::new(),
        }
    }
}

impl Encoder {
    /// Bytes written so far; seven or eight more are on their way.
    pub fn written(&self) -> usize {
        self.out.len()
    }

    /// Encodes the symbol with the interval `start .. start + length` of
    /// `0..TOTAL`.
    #[inline]
    pub fn symbol(&mut self, start: u32, length: u32) {
        debug_assert!(length > 0 && start + length <= TOTAL);
        let unit = self.range >> PRECISION;
        self.narrow(unit * u64::from(start), unit * u64::from(length));
    }

    /// Encodes a binary decision that is true with probability `p / TOTAL`.
    #[inline(always)]
    pub fn bit(&mut self, bit: bool, p: u32) {
        debug_assert!(p > 0 && p < TOTAL);
        let bound = (self.range >> PRECISION) * u64::from(p);
        let (offset, range) = match bit {
            true => (0, bound),
            false => (bound, self.range - bound),
        };
        self.narrow(offset, range);
    }

    /// Codes the symbol with the interval `start .. start + length` of `0..2^32`.
    #[inline]
    pub fn fine_symbol(&mut self, start: u32, length: u32) {
        debug_assert!(length > 0 && u64::from(start) + u64::from(length) <= 1 << FINE);
        let unit = self.range >> FINE;
        self.narrow(unit * u64::from(start), unit * u64::from(length));
    }

    #[inline(always)]
    fn narrow(&mut self, offset: u64, range: u64) {
        let (low, carry) = self.low.overflowing_add(offset);
        self.low = low;
        self.range = range;
        if carry {
            self.carry();
        }
        while self.range < FLOOR {
            self.out.push((self.low >> 56) as u8);
            self.low <<= 8;
            self.range <<= 8;
        }
    }

    #[cold]
    fn carry(&mut self) {
        for byte in self.out.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing has been written so far.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The bytes that no later carry can change.
    pub fn settled(&self) -> &[u8] {
        let open = self.out.iter().rev().take_while(|&&byte| byte == 0xFF);
        let open = open.count() + 1;
        &self.out[..self.out.len().saturating_sub(open)]
    }

    /// Ends the stream with one more byte and returns it.
    pub fn finish(mut self) -> Vec<u8> {
        // The interval is at least 2^56 long, so it contains a number whose lower
        // seven bytes are zero, as the decoder reads them past the end.
        let (end, carry) = self.low.overflowing_add(FLOOR - 1);
        if carry {
            self.carry();
        }
        self.out.push((end >> 56) as u8);
        self.out
    }
}

/// Turns bytes back into the positions of symbols.
///
/// It never fails: on damaged input it returns wrong symbols, and past the end it
/// reads zeros. [`overrun`](Self::overrun) and [`ended`](Self::ended) detect that.
#[derive(Debug)]
pub struct Decoder<'a> {
    /// The number read, relative to the encoder's `low`.
    code: u64,
    /// Invariant between calls: at least `FLOOR`.
    range: u64,
    input: &'a [u8],
    /// Bytes read, including zeros past the end.
    read: usize,
}

/// A decoder that waits for more of its stream.
#[derive(Debug)]
pub struct Paused {
    code: u64,
    range: u64,
    read: usize,
}

impl Paused {
    /// The decoder, where the stream so far begins with what it was before.
    pub fn resume(self, input: &[u8]) -> Decoder<'_> {
        Decoder {
            code: self.code,
            range: self.range,
            input,
            read: self.read,
        }
    }
}

impl<'a> Decoder<'a> {
    /// A decoder for the stream that [`Encoder::finish`] returned.
    pub fn new(input: &'a [u8]) -> Decoder<'a> {
        let mut decoder = Decoder {
            code: 0,
            range: u64::MAX,
            input,
            read: 0,
        };
        for _ in 0..8 {
            decoder.shift();
        }
        decoder
    }

    #[inline]
    fn shift(&mut self) {
        let byte = self.input.get(self.read).copied().unwrap_or(0);
        self.code = self.code << 8 | u64::from(byte);
        self.read += 1;
    }

    /// A number below [`TOTAL`] in the interval of the next symbol. Call
    /// [`take`](Self::take) next.
    #[inline]
    pub fn target(&self) -> u32 {
        let unit = self.range >> PRECISION;
        // Only a damaged stream reaches TOTAL or more.
        (self.code / unit).min(u64::from(TOTAL - 1)) as u32
    }

    /// Consumes the symbol with the interval `start .. start + length`, which
    /// contains the number that [`target`](Self::target) returned.
    #[inline]
    pub fn take(&mut self, start: u32, length: u32) {
        debug_assert!(length > 0 && start + length <= TOTAL);
        let unit = self.range >> PRECISION;
        self.narrow(unit * u64::from(start), unit * u64::from(length));
    }

    /// A number in the interval, out of `0..2^32`, of the next symbol, to be followed
    /// by [`take_fine`](Self::take_fine).
    #[inline]
    pub fn fine_target(&self) -> u32 {
        let unit = self.range >> FINE;
        // Only a damaged stream reaches 2^32 or more.
        (self.code / unit).min(u64::from(u32::MAX)) as u32
    }

    /// Takes the symbol with the interval `start .. start + length` of `0..2^32`,
    /// which holds what [`fine_target`](Self::fine_target) returned.
    #[inline]
    pub fn take_fine(&mut self, start: u32, length: u32) {
        debug_assert!(length > 0 && u64::from(start) + u64::from(length) <= 1 << FINE);
        let unit = self.range >> FINE;
        self.narrow(unit * u64::from(start), unit * u64::from(length));
    }

    /// The next binary decision, true with probability `p / TOTAL`.
    #[inline]
    pub fn bit(&mut self, p: u32) -> bool {
        debug_assert!(p > 0 && p < TOTAL);
        let bound = (self.range >> PRECISION) * u64::from(p);
        let bit = self.code < bound;
        if bit {
            self.narrow(0, bound);
        } else {
            self.narrow(bound, self.range - bound);
        }
        bit
    }

    #[inline]
    fn narrow(&mut self, offset: u64, range: u64) {
        // Wraps only on a damaged stream.
        self.code = self.code.wrapping_sub(offset);
        self.range = range;
        while self.range < FLOOR {
            self.shift();
            self.range <<= 8;
        }
    }

    /// Bytes of the stream that were not read.
    pub fn left(&self) -> usize {
        self.input.len().saturating_sub(self.read)
    }

    /// Leaves the stream, of which more will come.
    pub fn pause(self) -> Paused {
        Paused {
            code: self.code,
            range: self.range,
            read: self.read,
        }
    }

    /// Whether more was read than an intact stream of this length has: then it is
    /// damaged, and further symbols are meaningless.
    pub fn overrun(&self) -> bool {
        self.read > self.input.len() + LOOKAHEAD
    }

    /// Whether the stream ends here exactly, as it does after the last symbol.
    pub fn ended(&self) -> bool {
        self.read == self.input.len() + LOOKAHEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_coded_is_one_byte() {
        let bytes = Encoder::default().finish();
        assert_eq!(bytes.len(), 1);
        assert!(Decoder::new(&bytes).ended());
    }

    #[test]
    fn a_carry_runs_through_settled_bytes() {
        // Stays just below a byte boundary, then crosses it.
        let mut encoder = Encoder::default();
        for _ in 0..20 {
            encoder.symbol((1 << 23) - 1, 2);
        }
        encoder.symbol(1 << 23, 1);
        let bytes = encoder.finish();
        let mut decoder = Decoder::new(&bytes);
        for _ in 0..20 {
            assert!(((1 << 23) - 1..(1 << 23) + 1).contains(&decoder.target()));
            decoder.take((1 << 23) - 1, 2);
        }
        assert_eq!(decoder.target(), 1 << 23);
        decoder.take(1 << 23, 1);
        assert!(decoder.ended() && !decoder.overrun());
    }

    #[test]
    fn what_is_settled_does_not_change() {
        let mut encoder = Encoder::default();
        let mut settled = Vec::new();
        for i in 0..4000u32 {
            // Long runs of 0xFF, which a carry may still change, and some carries.
            match i % 500 {
                0..400 => encoder.symbol((1 << 23) - 1, 2),
                _ => encoder.bit(i.wrapping_mul(2_654_435_761) >> 31 == 1, TOTAL / 3),
            }
            settled.push(encoder.settled().to_vec());
        }
        let bytes = encoder.finish();
        assert!(settled.iter().all(|part| bytes.starts_with(part)));
        let last = settled.last().map_or(0, Vec::len);
        assert!(last + 16 > bytes.len(), "{last} of {}", bytes.len());
    }

    #[test]
    fn fine_symbols_come_back_among_others() {
        let symbols: Vec<(u32, u32)> = (1..2000u32)
            .map(|i| {
                let start = i.wrapping_mul(2_654_435_761);
                (start, (1 << (i % 32)).min(u32::MAX - start).max(1))
            })
            .collect();
        let mut encoder = Encoder::default();
        for &(start, length) in &symbols {
            encoder.fine_symbol(start, length);
            encoder.bit(start & 1 == 1, TOTAL / 3);
        }
        let bytes = encoder.finish();
        let mut decoder = Decoder::new(&bytes);
        for &(start, length) in &symbols {
            let target = decoder.fine_target();
            assert!(target >= start && target - start < length);
            decoder.take_fine(start, length);
            assert_eq!(decoder.bit(TOTAL / 3), start & 1 == 1);
        }
        assert!(decoder.ended());
    }

    #[test]
    fn noise_neither_panics_nor_hangs() {
        for fill in [0, 1, 0x7f, 0xff] {
            let input = [fill; 40];
            let mut decoder = Decoder::new(&input);
            for i in 0..200 {
                let target = decoder.target();
                decoder.take(target, 1 + (i % 3).min(TOTAL - 1 - target));
                decoder.bit(1 + (target | i) % (TOTAL - 1));
            }
            assert!(decoder.overrun());
        }
    }
}
