//! The most frequent words of a text become single bytes that do not occur in it.
//!
//! Contexts of the last bytes then reach further back, and there are fewer bytes to code.
//! A changed block begins with a mask of the bytes above 127 that stand for words; then
//! come the words, that of the lowest byte first, each with a newline behind it; then the
//! text.

use super::setup::Level;
use std::collections::HashMap;
use std::iter::zip;

/// The first byte that may stand for a word.
const FIRST: usize = 128;

/// Bytes of the mask.
const MASK: usize = (256 - FIRST) / 8;

/// The least bytes of a changed block: those of the mask.
pub const LEAST: usize = MASK;

/// The lengths of words that have bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=32;

/// A word must occur so often: contexts learn what comes around a byte anew.
const OFTEN: usize = 128;

/// Shorter texts stay as they are.
const LEAST_TEXT: usize = 1 << 16;

/// Words are counted in so many windows of so many bytes at most, evenly spread.
const WINDOWS: usize = 64;
const WINDOW: usize = 1 << 14;

/// Whether a byte belongs to a word: letters of ASCII, and all above, as in UTF-8.
#[inline(always)]
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 128
}

/// The words of a text, and what lies between them.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.chunk_by(|a, b| is_letter(*a) == is_letter(*b))
}

/// What is known of a text from its windows.
struct Count<'a> {
    words: HashMap<&'a [u8], usize>,
    /// How many times longer the text is.
    times: f64,
    /// Shares of all bytes: small letters, and others above 127; of all words: those with
    /// a space behind them.
    small: f64,
    spaced: f64,
}

impl Count<'_> {
    fn of(text: &[u8]) -> Count<'_> {
        let count = text.len().div_ceil(WINDOW).min(WINDOWS);
        let room = text.len().saturating_sub(WINDOW);
        let mut words = HashMap::new();
        let (mut bytes, mut small, mut all, mut spaced) = (0, 0, 0, 0);
        for i in 0..count {
            let start = room * i / (count - 1).max(1);
            let window = &text[start..text.len().min(start + WINDOW)];
            bytes += window.len();
            small += window
                .iter()
                .filter(|b| b.is_ascii_lowercase() || **b >= 128)
                .count();
            let mut before_is_word = false;
            for piece in pieces(window) {
                let is_word = is_letter(piece[0]);
                if is_word {
                    *words.entry(piece).or_default() += 1;
                    all += 1;
                }
                spaced += usize::from(before_is_word && piece[0] == b' ');
                before_is_word = is_word;
            }
        }
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        Count {
            words,
            times: share(text.len(), bytes),
            small: share(small, bytes),
            spaced: share(spaced, all),
        }
    }

    /// Whether words are worth bytes: at level 1 nearly always, at other levels in prose.
    /// Where much is repeated, matches and longer contexts say more.
    fn is_worth(&self, level: Level) -> bool {
        match level {
            Level::Fast => self.small >= 0.4,
            _ => self.small >= 0.65 && self.spaced >= 0.6,
        }
    }

    /// At most so many words, the most frequent ones.
    fn most_frequent(&self, most: usize) -> Vec<&[u8]> {
        let often = |count: usize| count as f64 * self.times >= OFTEN as f64;
        let mut words: Vec<_> = self
            .words
            .iter()
            .filter(|(word, count)| LENGTHS.contains(&word.len()) && often(**count))
            .collect();
        words.sort_by_key(|&(word, count)| (std::cmp::Reverse(*count), *word));
        words.truncate(most);
        words.into_iter().map(|(word, _)| *word).collect()
    }
}

/// Frequent words of a text, and the bytes that stand for them, which do not occur in it.
///
/// ```
/// use brevity_codec::{Level, Words};
///
/// let text = b"It was the best of times, it was the worst of times; ".repeat(2000);
/// let words = Words::of(&text, Level::Default).expect("prose");
/// let shorter = words.shorten(&text).expect("many of them");
/// assert!(shorter.len() < text.len() / 2);
/// ```
#[derive(Clone, Debug)]
pub struct Words {
    /// In the order of their bytes.
    words: Vec<(Vec<u8>, u8)>,
}

impl Words {
    /// Those of a text; none if they are not worth bytes at a level, or if the text is
    /// short.
    pub fn of(text: &[u8], level: Level) -> Option<Words> {
        if text.len() < LEAST_TEXT {
            return None;
        }
        let count = Count::of(text);
        if !count.is_worth(level) {
            return None;
        }
        let mut is_used = [false; 256];
        for &byte in text {
            is_used[usize::from(byte)] = true;
        }
        let unused: Vec<u8> = (FIRST as u8..=255)
            .filter(|byte| !is_used[usize::from(*byte)])
            .collect();
        let words = count.most_frequent(unused.len());
        if words.is_empty() {
            return None;
        }
        let bytes = &unused[unused.len() - words.len()..];
        let words = words
            .into_iter()
            .map(<[u8]>::to_vec)
            .zip(bytes.iter().copied());
        Some(Words {
            words: words.collect(),
        })
    }

    /// The text, or another, with bytes in place of words, behind those words that occur in
    /// it. None if that is hardly shorter, or if a byte occurs that stands for a word.
    pub fn shorten(&self, text: &[u8]) -> Option<Vec<u8>> {
        // By the first bytes of words; by bytes.
        let mut places = vec![Vec::new(); 256];
        let mut stands = [false; 256];
        for (place, (word, byte)) in self.words.iter().enumerate() {
            places[usize::from(word[0])].push(place);
            stands[usize::from(*byte)] = true;
        }
        if text.iter().any(|byte| stands[usize::from(*byte)]) {
            return None;
        }
        let mut occurs = vec![false; self.words.len()];
        let mut body = Vec::with_capacity(text.len());
        for piece in pieces(text) {
            let mut found = places[usize::from(piece[0])].iter();
            match found.find(|place| self.words[**place].0 == piece) {
                Some(&place) => {
                    occurs[place] = true;
                    body.push(self.words[place].1);
                }
                None => body.extend_from_slice(piece),
            }
        }
        let mut mask = [0_u8; MASK];
        let mut head = Vec::new();
        for (word, byte) in zip(&self.words, occurs).filter_map(|(word, o)| o.then_some(word)) {
            let bit = usize::from(*byte) - FIRST;
            mask[bit / 8] |= 1 << (bit % 8);
            head.extend_from_slice(word);
            head.push(b'\n');
        }
        let length = MASK + head.len() + body.len();
        let is_worth = length < text.len() - text.len() / 32;
        is_worth.then(|| [&mask[..], &head, &body].concat())
    }
}

/// The block of so many bytes that `changed` stands for. What no block is changed to
/// becomes some block, too.
pub fn undo(changed: &[u8], length: usize) -> Vec<u8> {
    let (mask, mut text) = changed.split_at(MASK.min(changed.len()));
    let mut words: [Option<&[u8]>; 256] = [None; 256];
    let bits = mask
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    for (word, _) in words[FIRST..]
        .iter_mut()
        .zip(bits)
        .filter(|(_, bit)| *bit == 1)
    {
        let end = text.iter().position(|byte| *byte == b'\n');
        let end = end.unwrap_or(text.len());
        *word = Some(&text[..end]);
        text = &text[text.len().min(end + 1)..];
    }
    let mut out = Vec::with_capacity(length);
    for byte in text {
        let single = std::slice::from_ref(byte);
        let piece = words[usize::from(*byte)].unwrap_or(single);
        let room = length - out.len();
        out.extend_from_slice(&piece[..piece.len().min(room)]);
    }
    out.resize(length, 0);
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// So many bytes of text that words are worth bytes in.
    pub fn prose(length: usize) -> Vec<u8> {
        let words = ["of", "the", "soul", "brevity", "is", "wit", "été", "a"];
        let mut seed = 1_u32;
        let mut text = String::new();
        while text.len() < length {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(words[(seed >> 29) as usize]);
            text.push_str(if seed >> 24 & 31 == 0 { ",\n" } else { " " });
        }
        text.into_bytes()
    }

    #[test]
    fn words_are_bytes_that_do_not_occur_otherwise() {
        let block = prose(LEAST_TEXT);
        for level in Level::ALL {
            let words = Words::of(&block, level).expect("prose");
            let changed = words.shorten(&block).expect("prose");
            // Seven words of two bytes and more.
            let ones = changed[..MASK].iter().map(|byte| byte.count_ones());
            assert_eq!(ones.sum::<u32>(), 7);
            assert!(changed.len() < block.len() / 2);
            assert_eq!(undo(&changed, block.len()), block);
        }
        assert!(Words::of(&block[..LEAST_TEXT - 1], Level::Fast).is_none());
    }

    #[test]
    fn what_is_not_prose_stays() {
        let shouted = prose(LEAST_TEXT).to_ascii_uppercase();
        let dotted: Vec<u8> = prose(LEAST_TEXT)
            .into_iter()
            .map(|byte| if byte == b' ' { b'.' } else { byte })
            .collect();
        assert!(Words::of(&shouted, Level::Fast).is_none());
        assert!(Words::of(&dotted, Level::Default).is_none());
        assert!(Words::of(&dotted, Level::Fast).is_some());
        // Bytes that stand for words elsewhere.
        let words = Words::of(&prose(LEAST_TEXT), Level::Fast).expect("prose");
        assert_eq!(
            words
                .shorten("the soul ".repeat(99).as_bytes())
                .map(|s| s[MASK]),
            Some(b't')
        );
        assert_eq!(
            words.shorten(&[&b"the soul ".repeat(99)[..], b"\xff"].concat()),
            None
        );
        assert_eq!(words.shorten(&b"zzz ".repeat(99)), None);
        // All bytes above 127 occur.
        let mut full = prose(LEAST_TEXT);
        full.extend(128..=255_u8);
        assert!(Words::of(&full, Level::Fast).is_none());
    }

    proptest! {
        #[test]
        fn changes_are_undone(
            extra in prop::collection::vec(any::<u8>(), 0..300),
            at in 0_usize..LEAST_TEXT,
        ) {
            let mut block = prose(LEAST_TEXT);
            block.splice(at..at, extra);
            let words = Words::of(&block, Level::Fast);
            if let Some(changed) = words.and_then(|words| words.shorten(&block)) {
                prop_assert_eq!(undo(&changed, block.len()), block);
            }
        }

        #[test]
        fn anything_becomes_a_block_of_the_length(
            changed in prop::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'a'), Just(255_u8), any::<u8>()],
                0..200,
            ),
            length in 0_usize..1000,
        ) {
            prop_assert_eq!(undo(&changed, length).len(), length);
        }
    }
}
