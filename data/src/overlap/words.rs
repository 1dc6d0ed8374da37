//! Word n-grams that two texts share, also where a word is missing or another.

use std::collections::HashMap;

/// Words of a spaced seed that must match.
pub const SEED_WORDS: usize = 8;

/// Share of the test's word n-grams that occur in the training text. Words are runs of
/// ASCII letters, digits and bytes above 127, in lower case; other bytes only separate
/// them. Zero for a test of fewer than n words.
#[must_use]
pub fn ngram_overlap(train: &[u8], test: &[u8], n: usize) -> f64 {
    ngram_shares(train, &[test], n)[0]
}

/// [`ngram_overlap`] of each of some tests, by one pass over the training text.
#[must_use]
pub fn ngram_shares(train: &[u8], tests: &[&[u8]], n: usize) -> Vec<f64> {
    shares(train, tests, &Pattern::contiguous(n))
}

/// Share of the places of the test at which a spaced seed finds the training text: eight
/// words, in either text contiguous or with one word between them that need not match
/// (Ma, Tromp and Li 2002, on words). So a copy is found in which up to one word in eight
/// is missing, added or another, where 8-grams find nothing. Zero for a test of fewer than
/// eight words.
///
/// ```
/// use brevity_data::overlap::{ngram_overlap, spaced_overlap};
///
/// let train = b"it was the best of times it was the worst of times it was the age";
/// let test = b"it was the best of times was the worst of times it was the age";
/// assert!(ngram_overlap(train, test, 8) < 0.3);
/// assert_eq!(spaced_overlap(train, test), 1.0);
/// ```
#[must_use]
pub fn spaced_overlap(train: &[u8], test: &[u8]) -> f64 {
    spaced_shares(train, &[test])[0]
}

/// [`spaced_overlap`] of each of some tests, by one pass over the training text.
#[must_use]
pub fn spaced_shares(train: &[u8], tests: &[&[u8]]) -> Vec<f64> {
    shares(train, tests, &Pattern::spaced(SEED_WORDS))
}

/// Words from a place on that must match, by their distance from it.
struct Pattern(Vec<usize>);

impl Pattern {
    /// The n-gram.
    fn contiguous(n: usize) -> Vec<Pattern> {
        vec![Pattern((0..n).collect())]
    }

    /// `n` words without a gap, and with a gap of one word at each inner place.
    fn spaced(n: usize) -> Vec<Pattern> {
        let gapped = (1..n).map(|gap| Pattern((0..n).map(|i| i + usize::from(i >= gap)).collect()));
        Pattern::contiguous(n).into_iter().chain(gapped).collect()
    }

    /// The hash of its words at a place; none where the text ends before.
    fn hash(&self, words: &[u64], at: usize) -> Option<u64> {
        let last = self.0.last()?;
        words.get(at + last)?;
        let mix = |sum: u64, &i: &usize| {
            let sum = (sum ^ words[at + i]).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            sum ^ (sum >> 29)
        };
        Some(self.0.iter().fold(0, mix))
    }
}

/// For each test the share of its places at which one of the patterns finds words that one
/// of the patterns finds in the training text. Words are compared by hashes of 64 bits.
fn shares(train: &[u8], tests: &[&[u8]], patterns: &[Pattern]) -> Vec<f64> {
    let tests: Vec<Vec<u64>> = tests.iter().map(|test| words(test).collect()).collect();
    // The tests are in memory, the training text passes by: it may be large.
    let mut seen: HashMap<u64, bool> = HashMap::new();
    for test in &tests {
        for at in 0..test.len() {
            let hashes = patterns.iter().filter_map(|pattern| pattern.hash(test, at));
            seen.extend(hashes.map(|hash| (hash, false)));
        }
    }
    let trained: Vec<u64> = words(train).collect();
    for at in 0..trained.len() {
        for hash in patterns.iter().filter_map(|p| p.hash(&trained, at)) {
            if let Some(seen) = seen.get_mut(&hash) {
                *seen = true;
            }
        }
    }
    let share = |test: &Vec<u64>| {
        // Places with room for the shortest pattern.
        let places = (0..test.len()).filter(|&at| patterns[0].hash(test, at).is_some());
        let found = |&at: &usize| {
            let mut hashes = patterns.iter().filter_map(|p| p.hash(test, at));
            hashes.any(|hash| seen[&hash])
        };
        let count = places.clone().count();
        places.filter(found).count() as f64 / count.max(1) as f64
    };
    tests.iter().map(share).collect()
}

/// Hashes of the words (FNV-1a).
fn words(text: &[u8]) -> impl Iterator<Item = u64> {
    let split = text.split(|&byte| !crate::in_word(byte));
    split.filter(|word| !word.is_empty()).map(|word| {
        word.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01B3)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: &[u8] = b"The quick brown fox jumps over the lazy dog and runs into the deep \
        dark forest where nobody has ever seen it again.";

    #[test]
    fn ngrams_ignore_case_and_punctuation_but_not_words() {
        let copy = b"the QUICK, brown fox - jumps over the lazy dog!";
        assert_eq!(ngram_overlap(TRAIN, copy, 8), 1.0);
        let changed = b"the quick brown fox leaps over the lazy dog";
        assert_eq!(ngram_overlap(TRAIN, changed, 8), 0.0);
        assert_eq!(ngram_overlap(TRAIN, b"too short", 8), 0.0);
        assert_eq!(ngram_overlap(TRAIN, copy, 0), 0.0);
    }

    #[test]
    fn spaced_seeds_find_copies_with_a_word_missing_added_or_another() {
        for copy in [
            &b"the quick brown fox leaps over the lazy dog"[..],
            b"the quick brown jumps over the lazy dog",
            b"the quick brown fox often jumps over the lazy dog",
        ] {
            assert_eq!(ngram_overlap(TRAIN, copy, 8), 0.0);
            assert!(spaced_overlap(TRAIN, copy) > 0.0);
        }
        let twice = b"the quick fox jumps the lazy dog runs into deep dark";
        assert_eq!(spaced_overlap(TRAIN, twice), 0.0);
        assert_eq!(spaced_overlap(TRAIN, b"too short"), 0.0);
    }

    #[test]
    fn each_test_has_a_share_of_its_own() {
        let tests: [&[u8]; 3] = [TRAIN, b"", b"none of these eight words is there at all"];
        assert_eq!(ngram_shares(TRAIN, &tests, 8), [1.0, 0.0, 0.0]);
        assert_eq!(spaced_shares(TRAIN, &tests), [1.0, 0.0, 0.0]);
    }
}
