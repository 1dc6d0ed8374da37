//! Coders of bytes over the range coder: they hash all frequencies, and split a
//! model's distribution over the bits of a byte.

use crate::cdf::{Frequencies, PRECISION, TOTAL};
use crate::cm::{Advice, BitCoder, ByteCoder};
use crate::log2::log2;
use crate::predict::Priced;
use crate::range::{Decoder, Encoder};

/// A running hash of frequencies.
#[derive(Default)]
pub struct FrequencyHash(u64);

impl FrequencyHash {
    #[inline(always)]
    pub fn add(&mut self, start: u32, length: u32) {
        let mixed = (self.0 ^ u64::from(start) << 32 ^ u64::from(length))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 29;
    }

    pub fn finish(&self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

/// Codes bytes, as symbols or bit by bit.
#[derive(Default)]
pub struct ByteEncoder {
    encoder: Encoder,
    hash: FrequencyHash,
    /// The byte whose bits to code, highest first.
    pub byte: u8,
}

impl ByteEncoder {
    /// The bytes of the stream that will not change.
    pub fn settled(&self) -> &[u8] {
        self.encoder.settled()
    }

    pub fn symbol(&mut self, priced: &Priced) {
        self.hash.add(priced.start, priced.frequency());
        self.encoder.symbol(priced.start, priced.frequency());
    }

    pub fn finish(self) -> (Vec<u8>, u32) {
        (self.encoder.finish(), self.hash.finish())
    }
}

impl BitCoder for ByteEncoder {
    #[inline(always)]
    fn code(&mut self, p: u32) -> bool {
        let bit = self.byte & 0x80 != 0;
        self.byte <<= 1;
        self.hash.add(0, p);
        self.encoder.bit(bit, p);
        bit
    }
}

/// Codes given bytes, bit by bit.
pub struct Given<'a> {
    pub coder: ByteEncoder,
    pub bytes: std::slice::Iter<'a, u8>,
}

impl BitCoder for Given<'_> {
    #[inline(always)]
    fn code(&mut self, p: u32) -> bool {
        self.coder.code(p)
    }
}

impl ByteCoder for Given<'_> {
    #[inline(always)]
    fn begin(&mut self) -> bool {
        let next = self.bytes.next();
        self.coder.byte = next.copied().unwrap_or_default();
        next.is_some()
    }

    #[inline(always)]
    fn end(&mut self, _: u8) {}
}

/// Decodes bytes, as symbols or bit by bit.
pub struct ByteDecoder<'a> {
    pub decoder: Decoder<'a>,
    pub hash: FrequencyHash,
    /// Sum of the code lengths so far, if it is wanted.
    pub bits: Option<f64>,
}

impl<'a> ByteDecoder<'a> {
    pub fn new(stream: &'a [u8]) -> ByteDecoder<'a> {
        ByteDecoder::resume(Decoder::new(stream), FrequencyHash::default())
    }

    /// Goes on with a decoder that has read a part, whose frequencies have this hash.
    pub fn resume(decoder: Decoder<'a>, hash: FrequencyHash) -> ByteDecoder<'a> {
        ByteDecoder {
            decoder,
            hash,
            bits: None,
        }
    }

    #[inline(always)]
    fn price(&mut self, frequency: u32) {
        if let Some(bits) = &mut self.bits {
            *bits += f64::from(PRECISION) - log2(u64::from(frequency));
        }
    }

    pub fn symbol(&mut self, next: &Frequencies) -> u8 {
        let (byte, start, length) = next.find(self.decoder.target());
        self.decoder.take(start, length);
        self.hash.add(start, length);
        self.price(length);
        byte
    }
}

impl BitCoder for ByteDecoder<'_> {
    #[inline(always)]
    fn code(&mut self, p: u32) -> bool {
        self.hash.add(0, p);
        let bit = self.decoder.bit(p);
        self.price(if bit { p } else { TOTAL - p });
        bit
    }
}

/// Decodes bytes, bit by bit, to the end of a vector until that has so many.
pub struct Wanted<'a, 'b> {
    pub coder: &'a mut ByteDecoder<'b>,
    pub out: &'a mut Vec<u8>,
    pub length: usize,
    /// Stops when fewer bytes of the stream are left.
    pub least: usize,
}

impl BitCoder for Wanted<'_, '_> {
    #[inline(always)]
    fn code(&mut self, p: u32) -> bool {
        self.coder.code(p)
    }
}

impl ByteCoder for Wanted<'_, '_> {
    /// Also false once the stream is overrun.
    #[inline(always)]
    fn begin(&mut self) -> bool {
        let decoder = &self.coder.decoder;
        self.out.len() < self.length && decoder.left() >= self.least && !decoder.overrun()
    }

    #[inline(always)]
    fn end(&mut self, byte: u8) {
        self.out.push(byte);
    }
}

/// For coding without a trained model.
pub struct NoAdvice;

impl Advice for NoAdvice {
    #[inline(always)]
    fn masses(&self, _: usize, _: usize) -> Option<(u32, u32)> {
        None
    }
}

/// A model's distribution along the bits of a known byte (encoder).
pub struct Known<'a>(pub &'a Priced, pub u8);

impl Advice for Known<'_> {
    #[inline(always)]
    fn masses(&self, depth: usize, _: usize) -> Option<(u32, u32)> {
        let whole = if depth == 0 {
            TOTAL
        } else {
            self.0.masses[depth - 1]
        };
        let part = self.0.masses[depth];
        let rest = whole - part;
        let one = self.1 >> (7 - depth) & 1 == 1;
        Some(if one { (rest, part) } else { (part, rest) })
    }
}

/// A model's distribution at every bit prefix of a byte (decoder).
pub struct Tree {
    /// Sum of frequencies, indexed by the prefix with a leading 1 bit.
    masses: [u32; 512],
}

impl Tree {
    pub fn new(next: &Frequencies) -> Tree {
        let mut masses = [0; 512];
        masses[256..].copy_from_slice(next.as_array());
        for node in (1..256).rev() {
            masses[node] = masses[2 * node] + masses[2 * node + 1];
        }
        Tree { masses }
    }
}

impl Advice for Tree {
    #[inline(always)]
    fn masses(&self, _: usize, node: usize) -> Option<(u32, u32)> {
        Some((self.masses[2 * node], self.masses[2 * node + 1]))
    }
}
