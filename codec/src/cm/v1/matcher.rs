//! The longest match: where the recent bytes came before, and what followed.

use crate::cm::chance::Chances;

/// Bytes that must agree for a match.
const MINIMUM: u32 = 6;

/// Longer matches are all the same.
const LONGEST: u32 = 63;

/// Classes of [`Match::class`].
pub const CLASSES: usize = 24;

/// Where one lane's match stands.
#[derive(Clone, Copy, Default)]
pub struct Match {
    /// Position in the history of the byte that is expected.
    at: usize,
    /// How many bytes agreed, at most `LONGEST`; 0 is no match.
    length: u32,
    /// The byte that is expected.
    byte: u8,
}

impl Match {
    /// The expected bit after the prefix `node` (with a leading one) of `depth`
    /// bits, as long as the prefix is the expected one.
    #[inline(always)]
    pub fn bit(&self, node: usize, depth: usize) -> Option<bool> {
        let expected = usize::from(self.byte) | 256;
        let agrees = self.length > 0 && expected >> (8 - depth) == node;
        agrees.then_some(self.byte >> (7 - depth) & 1 == 1)
    }

    /// How much the match is to be trusted; 0 if it expects nothing.
    #[inline(always)]
    pub fn class(&self, expected: Option<bool>) -> usize {
        let class = match self.length {
            _ if expected.is_none() => 0,
            length @ ..16 => length + 1,
            length @ ..32 => 17 + (length - 16) / 4,
            length => 21 + (length - 32) / 16,
        };
        class as usize
    }

    /// A mixer's input: how long the match is, with the sign of its bit.
    #[inline(always)]
    pub fn strength(&self, bit: bool) -> f32 {
        let strength = self.length.min(32) as f32 / 16.0;
        if bit { strength } else { -strength }
    }
}

/// First guesses for `2 class + bit`: a bit is wrong once in `class + 1` times.
pub fn meanings() -> Chances {
    Chances::new((0..2 * CLASSES as u32).map(|i| {
        let wrong = 65_535 / (i / 2 + 1);
        (if i % 2 == 1 { 65_535 - wrong } else { wrong }) as u16
    }))
}

/// Remembers what followed the last `MINIMUM` bytes.
pub struct Matcher {
    /// Position of the byte that followed, by hash; 0 is none.
    table: Vec<u32>,
    shift: u32,
    /// Distance in the history between neighbours of a lane.
    stride: usize,
}

impl Matcher {
    /// For histories of `stride` interleaved lanes. `slots` is a power of two;
    /// memory is four bytes each.
    pub fn new(slots: usize, stride: usize) -> Matcher {
        Matcher {
            table: vec![0; slots],
            shift: 64 - slots.trailing_zeros(),
            stride,
        }
    }

    /// After a byte of a lane, the last one of `history`: follows the lane's
    /// match or looks for another. `recent` are its last eight bytes, the last
    /// lowest; its next byte will stand at `next`.
    #[inline(always)]
    pub fn advance(&mut self, found: &mut Match, recent: u64, next: usize, history: &[u8]) {
        if found.length > 0 && u64::from(found.byte) == recent & 255 {
            found.length = (found.length + 1).min(LONGEST);
            found.at += self.stride;
        } else {
            found.length = 0;
        }
        let key = recent << (64 - 8 * MINIMUM);
        let slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        let candidate = std::mem::replace(&mut self.table[slot], next as u32) as usize;
        if found.length == 0 && candidate > 0 {
            found.at = candidate;
            found.length = self.agreement(candidate, next, history);
        }
        match history.get(found.at) {
            Some(&byte) => found.byte = byte,
            None => found.length = 0,
        }
    }

    /// How many bytes before `a` and before `b` agree; 0 if too few.
    fn agreement(&self, a: usize, b: usize, history: &[u8]) -> u32 {
        let agree = |back: &u32| {
            let back = *back as usize * self.stride;
            back <= a && history[a - back] == history[b - back]
        };
        let length = (1..=LONGEST).take_while(agree).count() as u32;
        if length < MINIMUM { 0 } else { length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected byte after each byte of `lanes`, advanced in lock-step.
    fn expectations(lanes: &[&[u8]]) -> Vec<Option<u8>> {
        let mut matcher = Matcher::new(1 << 10, lanes.len());
        let mut found = vec![Match::default(); lanes.len()];
        let mut recent = vec![0_u64; lanes.len()];
        let mut history = Vec::new();
        let mut out = Vec::new();
        for step in 0..lanes[0].len() {
            for (i, lane) in lanes.iter().enumerate() {
                history.push(lane[step]);
                recent[i] = recent[i] << 8 | u64::from(lane[step]);
                let next = history.len() - 1 + lanes.len();
                matcher.advance(&mut found[i], recent[i], next, &history);
                out.push((found[i].length > 0).then_some(found[i].byte));
            }
        }
        out
    }

    #[test]
    fn repetition_is_expected() {
        let out = expectations(&[b"abracadabra, abracadabra"]);
        assert_eq!(out[..18], [None; 18]);
        let expected: Vec<u8> = out[18..23].iter().map(|e| e.unwrap()).collect();
        assert_eq!(expected, b"dabra");
    }

    #[test]
    fn lanes_find_each_others_bytes() {
        let out = expectations(&[b"0123456789xyz", b"..0123456789x"]);
        assert_eq!(out[2 * 8 + 1], Some(b'7'));
        // The other lane has not come further than this one.
        let out = expectations(&[b"..0123456789x", b"..0123456789x"]);
        assert!(out.iter().skip(1).step_by(2).all(Option::is_none));
    }
}
