//! Overlap of two byte strings.
//!
//! - [`ngram_overlap`]: the share of the test's word n-grams that occur in the training
//!   text, for n = 8 and 13 as in reports on language models;
//! - [`longest_matches`]: for every position of the test the longest byte string that
//!   starts there and occurs in the training text, from a suffix array: the
//!   longest common match, and the share of bytes in matches of 50 or more.
//!
//! Both detect exact copies only.
//!
//! ```
//! use brevity_data::overlap::longest_matches;
//!
//! let train = b"it was the best of times, it was the worst of times";
//! let found = longest_matches(train, b"truly the worst of days");
//! assert_eq!(found.iter().max(), Some(&14)); // " the worst of "
//! ```

mod suffix;

use std::collections::HashSet;

use brevity_length::Overlap;

pub use suffix::longest_matches;

/// Length in bytes from which a match is unlikely to be a coincidence.
pub const LONG_MATCH: usize = 50;

/// All measures of overlap between a test and a training text.
///
/// # Panics
///
/// Those of [`longest_matches`].
#[must_use]
pub fn overlap(train: &[u8], test: &[u8]) -> Overlap {
    let longest = longest_matches(train, test);
    Overlap {
        ngram8: ngram_overlap(train, test, 8),
        ngram13: ngram_overlap(train, test, 13),
        longest_match: longest.iter().copied().max().unwrap_or(0),
        in_long_matches: covered(&longest, LONG_MATCH),
    }
}

/// Share of positions that lie in a match of at least `least` bytes, given the
/// longest match that starts at each position.
#[must_use]
pub fn covered(longest: &[usize], least: usize) -> f64 {
    let (mut end, mut inside) = (0, 0usize);
    for (i, &len) in longest.iter().enumerate() {
        if len >= least {
            end = end.max(i + len);
        }
        inside += usize::from(i < end);
    }
    inside as f64 / longest.len().max(1) as f64
}

/// Share of the test's word n-grams that occur in the training text. Words are runs of
/// ASCII letters, digits and bytes above 127, in lower case; other bytes only separate
/// them. Zero for a test of fewer than n words.
#[must_use]
pub fn ngram_overlap(train: &[u8], test: &[u8], n: usize) -> f64 {
    let wanted = words(test);
    if n == 0 || wanted.len() < n {
        return 0.0;
    }
    let grams: HashSet<&[Vec<u8>]> = wanted.windows(n).collect();
    let trained = words(train);
    let seen: HashSet<&[Vec<u8>]> = trained.windows(n).filter(|w| grams.contains(w)).collect();
    let hits = wanted.windows(n).filter(|w| seen.contains(w)).count();
    hits as f64 / (wanted.len() + 1 - n) as f64
}

fn words(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|&byte| !crate::in_word(byte))
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_ascii_lowercase)
        .collect()
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
    }

    #[test]
    fn a_copy_in_the_middle_is_found_and_measured() {
        let copied = &TRAIN[20..90];
        let test = [b"#####".as_slice(), copied, b"#####"].concat();
        let found = overlap(TRAIN, &test);
        assert_eq!(found.longest_match, 70);
        assert!((found.in_long_matches - 70.0 / 80.0).abs() < 1e-12);
    }
}
