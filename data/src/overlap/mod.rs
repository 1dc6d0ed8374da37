//! Overlap of two byte strings.
//!
//! - [`ngram_overlap`]: the share of the test's word n-grams that occur in the training
//!   text, for n = 8 and 13 as in reports on language models;
//! - [`spaced_overlap`]: the same for eight words with a gap of one word, which finds
//!   copies in which words are missing or others;
//! - [`longest_matches`]: for every position of the test the longest byte string that
//!   starts there and occurs in the training text, from a suffix array: the
//!   longest common match, and the share of bytes in matches of 50 or more.
//!
//! The first and the last detect exact copies only.
//!
//! ```
//! use brevity_data::overlap::longest_matches;
//!
//! let train = b"it was the best of times, it was the worst of times";
//! let found = longest_matches(train, b"truly the worst of days");
//! assert_eq!(found.iter().max(), Some(&14)); // " the worst of "
//! ```

mod suffix;
mod words;

use brevity_length::Overlap;

pub use suffix::longest_matches;
pub use words::{SEED_WORDS, ngram_overlap, ngram_shares, spaced_overlap, spaced_shares};

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
        spaced: Some(spaced_overlap(train, test)),
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

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: &[u8] = b"The quick brown fox jumps over the lazy dog and runs into the deep \
        dark forest where nobody has ever seen it again.";

    #[test]
    fn a_copy_in_the_middle_is_found_and_measured() {
        let copied = &TRAIN[20..90];
        let test = [b"#####".as_slice(), copied, b"#####"].concat();
        let found = overlap(TRAIN, &test);
        assert_eq!(found.longest_match, 70);
        assert!((found.in_long_matches - 70.0 / 80.0).abs() < 1e-12);
    }
}
