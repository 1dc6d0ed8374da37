//! Matches: where the recent bytes came before, and what followed.
//!
//! A candidate is the last place where a hash of the last bytes was the same; it
//! is verified, so that its length is known. When the expected byte does not come
//! and there is no other candidate, the match goes on behind it: what differs is
//! often one byte.

use crate::cm::chance::{self, Chance, prefetch};
use crate::cm::pages;

/// Bytes that must agree for a match, of the matches side by side.
pub const LEAST: [u32; 2] = [5, 16];

/// Longer matches are all the same.
const LONGEST: u32 = 1 << 12;

/// Misses among the last eight expectations beyond which a match is given up.
const MOST_MISSES: u32 = 7;

/// Classes of length.
pub const LENGTHS: usize = 16;
/// Classes of [`Match::class`]: by length and by recent misses.
pub const CLASSES: usize = 4 * LENGTHS;

/// Where one lane's match stands.
#[derive(Clone, Copy, Default)]
pub struct Match {
    /// Position in the history of the byte that is expected; 0 is no match.
    at: usize,
    /// How many bytes agreed since the last miss.
    length: u32,
    /// Of the last eight expectations, which failed; the last one lowest.
    misses: u8,
    /// The byte that is expected.
    byte: u8,
    /// Where the table is read after the next byte.
    slot: usize,
}

impl Match {
    /// The byte that is expected, if any.
    #[inline(always)]
    pub fn expected(&self) -> Option<u8> {
        (self.at > 0).then_some(self.byte)
    }

    /// The expected bit after the prefix `node` (with a leading one) of `depth`
    /// bits, as long as the prefix is the expected one.
    #[inline(always)]
    pub fn bit(&self, node: usize, depth: usize) -> Option<bool> {
        let expected = usize::from(self.byte) | 256;
        let agrees = self.at > 0 && expected >> (8 - depth) == node;
        agrees.then_some(self.byte >> (7 - depth) & 1 == 1)
    }

    /// A class of length, 0 to 15.
    #[inline(always)]
    pub fn length_class(&self) -> usize {
        match self.length {
            length @ 0..8 => length as usize,
            8..12 => 8,
            12..16 => 9,
            16..24 => 10,
            24..32 => 11,
            32..64 => 12,
            64..128 => 13,
            128..512 => 14,
            _ => 15,
        }
    }

    /// How much the match is to be trusted.
    #[inline(always)]
    pub fn class(&self) -> usize {
        let misses = self.misses.count_ones().min(3) as usize;
        misses * LENGTHS + self.length_class()
    }
}

/// First guesses for `class * 8 + depth`: how often the expected bit comes.
pub fn meanings() -> Vec<Chance> {
    let guess = |i| {
        let length = i / 8 % LENGTHS;
        chance::guess((65_535 - 65_535 / (length + 3)) as u16)
    };
    (0..CLASSES * 8).map(guess).collect()
}

/// Remembers what followed the last bytes.
pub struct Matcher {
    /// Position of the byte that followed, by hash; 0 is none.
    table: Vec<u32>,
    shift: u32,
    /// Bytes that must agree for a match.
    least: u32,
    /// Distance in the history between neighbours of a lane.
    stride: usize,
}

impl Matcher {
    /// For matches of at least `least` bytes, 1 to 32, in histories of `stride`
    /// interleaved lanes. `slots` is a power of two; memory is four bytes each.
    pub fn new(slots: usize, least: u32, stride: usize) -> Matcher {
        Matcher {
            table: pages::zeros(slots),
            shift: 64 - slots.trailing_zeros(),
            least,
            stride,
        }
    }

    /// After a byte of a lane, the last one of `history`: follows the lane's
    /// match and, where it failed or is short, looks for another. `key` is made of its
    /// last bytes, one less than must agree: the table is read a byte later, when what it
    /// says is near. The lane's next byte will stand at `next`.
    #[inline(always)]
    pub fn advance(&mut self, found: &mut Match, key: u64, next: usize, history: &[u8]) {
        if found.at > 0 {
            let last = history[history.len() - 1];
            let missed = found.byte != last;
            found.misses = found.misses << 1 | u8::from(missed);
            found.length = if missed {
                0
            } else {
                (found.length + 1).min(LONGEST)
            };
            found.at += self.stride;
            if found.misses.count_ones() > MOST_MISSES {
                found.at = 0;
            }
        }
        let candidate = std::mem::replace(&mut self.table[found.slot], next as u32) as usize;
        found.slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        prefetch(&self.table[found.slot]);
        if candidate > 0 && found.length < self.least.max(16) && candidate != found.at {
            let length = self.agreement(candidate, next, history);
            if length >= self.least && length > found.length {
                *found = Match {
                    at: candidate,
                    length,
                    misses: 0,
                    byte: 0,
                    slot: found.slot,
                };
            }
        }
        match history.get(found.at) {
            Some(&byte) => found.byte = byte,
            None => found.at = 0,
        }
    }

    /// How many bytes before `a` and before `b` agree, at most some more than
    /// are asked for.
    #[inline(always)]
    fn agreement(&self, a: usize, b: usize, history: &[u8]) -> u32 {
        let most = self.least + 32;
        let mut length = 0;
        if self.stride == 1 {
            // Eight bytes at once.
            let word = |end: usize| {
                let bytes = history[end - 8..end].try_into().expect("eight bytes");
                u64::from_le_bytes(bytes)
            };
            while length < most && length as usize + 8 <= a {
                let (a, b) = (a - length as usize, b - length as usize);
                let differ = word(a) ^ word(b);
                if differ != 0 {
                    return (length + differ.leading_zeros() / 8).min(most);
                }
                length += 8;
            }
        }
        while length < most {
            let back = (length as usize + 1) * self.stride;
            if back > a || history[a - back] != history[b - back] {
                break;
            }
            length += 1;
        }
        length.min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `bytes` in one lane; the match after each byte.
    fn follow(bytes: &[u8], least: u32, slots: usize) -> Vec<Match> {
        let mut matcher = Matcher::new(slots, least, 1);
        let (mut found, mut recent) = (Match::default(), 0_u64);
        let mut history = Vec::new();
        let step = |&byte: &u8| {
            history.push(byte);
            recent = recent << 8 | u64::from(byte);
            let key = recent << (64 - 8 * (least - 1));
            matcher.advance(&mut found, key, history.len(), &history);
            found
        };
        bytes.iter().map(step).collect()
    }

    #[test]
    fn what_followed_is_expected_and_a_miss_is_recovered_from() {
        let matches = follow(b"0123456789abcdef....012345678X", 5, 1 << 10);
        assert_eq!(matches[19].expected(), None);
        assert_eq!(matches[23].expected(), None);
        assert_eq!(matches[24].expected(), Some(b'5'));
        assert_eq!(matches[24].length_class(), 5);
        assert_eq!(matches[28].expected(), Some(b'9'));
        assert_eq!(matches[28].class(), matches[28].length_class());
        // One byte differs: the match goes on behind it, less trusted.
        assert_eq!(matches[29].expected(), Some(b'a'));
        assert_eq!(matches[29].class(), LENGTHS);
    }

    #[test]
    fn bits_are_expected_as_long_as_the_byte_is() {
        let found = follow(b"abcdefg_abcdef", 5, 1 << 10)[13];
        assert_eq!(found.expected(), Some(b'g'));
        let node = |depth| (usize::from(b'g') | 256) >> (8 - depth);
        for depth in 0..8 {
            let bit = b'g' >> (7 - depth) & 1 == 1;
            assert_eq!(found.bit(node(depth), depth), Some(bit));
            if depth > 0 {
                assert_eq!(found.bit(node(depth) ^ 1, depth), None);
            }
        }
    }

    #[test]
    fn candidates_are_verified() {
        // In a table of two slots most candidates are of other bytes.
        let bytes: Vec<u8> = (0..4000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let mut history = Vec::new();
        for (found, byte) in follow(&bytes, 5, 2).into_iter().zip(&bytes) {
            history.push(*byte);
            if found.at > 0 && found.misses == 0 {
                let length = (found.length as usize).min(5);
                let before = &history[found.at - length..found.at];
                assert!(history.ends_with(before));
            }
        }
    }

    #[test]
    fn matches_stay_in_their_lane() {
        // Two lanes, the second one all the same.
        let text = b"abcdefgh_abcdefg";
        let mut matcher = Matcher::new(1 << 10, 5, 2);
        let (mut found, mut recent) = (Match::default(), 0_u64);
        let mut history = Vec::new();
        for &byte in text {
            history.push(byte);
            recent = recent << 8 | u64::from(byte);
            let next = history.len() - 1 + 2;
            matcher.advance(&mut found, recent << 32, next, &history);
            history.push(b'x');
        }
        // Where a lane's next byte stands is known only behind the other's.
        assert_eq!(found.expected(), Some(b'h'));
    }
}
