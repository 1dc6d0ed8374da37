//! Which sets of weights mix a decision.

use super::lane::Lane;
use super::matcher::{LENGTHS, Match};
use super::mixer::MOST_SETS;
use super::setup::{Kind, Level, Setup};

/// Sets of each selector, in the order of [`Places::sets`].
const SIZES: [usize; MOST_SETS] = [
    32, 144, 256, 256, 256, 2048, 256, 256, 256, 2048, 128, 2048, 257, 2048, 2048, 256, 1024, 243,
];

/// Sets of each selector: level 5 has the first 6, level 9 8, and for text all.
pub fn sizes(setup: &Setup) -> &'static [usize] {
    match (setup.level, setup.kind) {
        (Level::Best, Kind::Text) => &SIZES,
        (Level::Best, _) => &SIZES[..8],
        _ => &SIZES[..6],
    }
}

/// What is known of a byte before its first bit.
pub struct Places {
    recent: u64,
    /// The byte before the last one.
    before: usize,
    /// The place in the line or record.
    position: usize,
    /// Classes of the last two bytes.
    shape: usize,
    expected: usize,
    /// Letters of the word under way, and the class of the byte before the one before it.
    length: usize,
    lead: usize,
    /// Hashes of the word under way and of the one before.
    words: [usize; 2],
    /// The last mark between words, how many words ago, and whether in quotes.
    mark: usize,
    /// Letter, space, capital or other: the last byte.
    sort: usize,
}

/// What is known of a decision.
pub struct Bit {
    pub node: usize,
    pub depth: usize,
    /// The trained model's confidence, 0 to 31.
    pub confidence: usize,
    pub agreeing: [Option<bool>; 2],
    /// The pattern of pixels, in pictures of one bit.
    pub pattern: Option<usize>,
    /// How many of the longer contexts and of the others are known, at most 15.
    pub known: usize,
    pub known_others: usize,
    /// Digits of base 3 for five contexts of the last bytes: unknown, always the same
    /// bit, both.
    pub certain: usize,
}

/// A hash of 11 bits.
#[inline(always)]
fn hashed(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> 21) as usize
}

impl Places {
    /// Of the next byte of a lane.
    #[inline(always)]
    pub fn new(lane: &Lane, setup: &Setup, expected: Option<u8>) -> Places {
        let recent = lane.recent;
        let before = (recent >> 8 & 255) as usize;
        let position = match setup.kind {
            Kind::Text => (lane.count - lane.lines[0]).min(255),
            Kind::Binary => before,
            Kind::Records | Kind::Bits => lane.count % setup.record % 256,
            Kind::Sound => lane.count % setup.record,
            Kind::Picture => lane.count % setup.record % setup.cell,
        };
        let length = lane.word_length();
        let mark = match lane.mark {
            b'.' | b'!' | b'?' => 0,
            b',' | b';' | b':' => 1,
            b'\n' => 2,
            _ => 3,
        };
        Places {
            recent,
            before,
            position,
            shape: (lane.shape & 255) as usize,
            expected: expected.map_or(256, usize::from),
            length,
            lead: (lane.shape >> (4 * (length + 1).min(15)) & 15) as usize,
            words: [hashed(lane.word), hashed(lane.words[0])],
            mark: mark << 3 | usize::from(lane.since) << 1 | usize::from(lane.quoted),
            sort: match recent as u8 {
                b'a'..=b'z' => 0,
                b' ' => 1,
                b'A'..=b'Z' => 2,
                _ => 3,
            },
        }
    }

    /// The set of each selector.
    #[inline(always)]
    pub fn sets(&self, bit: &Bit, found: &[Match; 2]) -> [usize; MOST_SETS] {
        let &Bit { node, depth, .. } = bit;
        let last = (self.recent & 255) as usize;
        let further = (self.recent >> 16 & 255) as usize;
        let matches = match bit.agreeing {
            [None, None] => 0,
            [Some(a), None] => 1 + found[0].length_class() * 2 + usize::from(a),
            [_, Some(b)] => 1 + 2 * LENGTHS + found[1].length_class() * 2 + usize::from(b),
        };
        // The first three bits of the byte, of the last one and of that before.
        let first = (node << (8 - depth) & 255) >> 5;
        [
            bit.confidence,
            (matches << 1) | (depth / 4),
            last,
            bit.known << 4 | depth,
            node,
            bit.pattern.unwrap_or(self.position),
            self.shape,
            self.before,
            further,
            (self.length << 3 | depth) << 4 | self.lead,
            bit.known_others << 3 | depth,
            first << 8 | (last >> 5) << 5 | (self.before >> 5) << 2 | depth.min(3),
            self.expected,
            self.words[0],
            self.words[1],
            self.mark << 3 | depth,
            node << 2 | self.sort,
            bit.certain,
        ]
    }
}
