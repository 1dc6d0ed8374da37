//! Deliberate contamination: test bytes copied into the training bytes.

use serde::{Deserialize, Serialize};

use crate::byteset::ByteSet;

/// The held-out bytes that leak into the training bytes, and how.
///
/// The first `bytes` of the held-out bytes are the leaked test; the others stay clean,
/// so that both come from the same stretch of one source.
///
/// ```
/// use brevity_data::DataConfig;
/// let config: DataConfig = toml::from_str(
///     "source = 'random'
///      bytes = 1000
///      holdout = { bytes = 300 }
///      leak = { bytes = 100, copies = 2 }",
/// )
/// .unwrap();
/// let split = config.load()?;
/// let leak = split.leak.unwrap();
/// assert_eq!((leak.len(), split.holdout.unwrap().len()), (100, 200));
/// assert_eq!(split.train.len(), 1000 + 2 * 100);
/// # Ok::<(), brevity_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakConfig {
    /// Length of the test, which is taken from the start of the held-out bytes.
    pub bytes: u64,
    /// Number of copies, evenly spread over the training bytes. 0 is the control: the
    /// same test without a leak.
    #[serde(default)]
    pub copies: u64,
    /// Disguises the copies: each copy lacks every `skip_words`-th word, so that no long
    /// run of words remains. Successive copies lack different words. 0 for exact copies.
    #[serde(default)]
    pub skip_words: u64,
}

impl LeakConfig {
    /// Inserts the copies of `leak` into `base`; without copies, returns `base`. Bytes
    /// with copies get a new origin.
    pub(crate) fn mix(&self, base: ByteSet, leak: &ByteSet) -> ByteSet {
        if self.copies == 0 {
            return base;
        }
        let copies = self.copies as usize;
        let mut bytes = Vec::with_capacity(base.len() + copies * leak.len());
        let mut from = 0;
        for copy in 1..=copies {
            // In 128 bits, because the product of length and copies may exceed 64 bits.
            let at = (base.len() as u128 * copy as u128 / (copies as u128 + 1)) as usize;
            bytes.extend_from_slice(&base.bytes[from..at]);
            match self.skip_words {
                0 => bytes.extend_from_slice(&leak.bytes),
                every => bytes.extend(without_words(&leak.bytes, every, copy as u64)),
            }
            from = at;
        }
        bytes.extend_from_slice(&base.bytes[from..]);
        let manner = match self.skip_words {
            0 => String::new(),
            every => format!(" without every {every}th word"),
        };
        let name = format!("{} with {copies} copies of a test{manner}", base.name());
        ByteSet::new(name, bytes)
    }
}

/// Whether a byte belongs to a word, for leaks and for leak detectors: ASCII letters,
/// digits and bytes above 127.
#[must_use]
pub fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte > 127
}

/// The text without the words whose index is `first` modulo `every`, and without the
/// white space that follows them: a copy in disguise. Words are runs of bytes
/// [in words](in_word).
#[must_use]
pub fn without_words(text: &[u8], every: u64, first: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut words, mut inside, mut left_out) = (0u64, false, false);
    for &byte in text {
        let of_a_word = in_word(byte);
        if of_a_word && !inside {
            left_out = words % every == first % every;
            words += 1;
        } else if !of_a_word && !byte.is_ascii_whitespace() {
            left_out = false;
        }
        inside = of_a_word;
        if !left_out {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(copies: u64, skip_words: u64) -> Vec<u8> {
        let config = LeakConfig {
            bytes: 5,
            copies,
            skip_words,
        };
        let base = ByteSet::new("base", b"aaaabbbb".to_vec());
        let leak = ByteSet::new("leak", b"x y z".to_vec());
        config.mix(base, &leak).bytes.to_vec()
    }

    #[test]
    fn copies_are_spread_evenly() {
        assert_eq!(mixed(0, 0), b"aaaabbbb");
        assert_eq!(mixed(1, 0), b"aaaax y zbbbb");
        assert_eq!(mixed(3, 0), b"aax y zaax y zbbx y zbb");
    }

    #[test]
    fn a_disguise_leaves_out_other_words_in_each_copy() {
        // Positions 2 and 5 of the base; words 1 and 2 are left out in turn.
        assert_eq!(mixed(2, 3), b"aax zaabx y bbb");
    }

    #[test]
    fn what_stands_between_words_stays() {
        let left = without_words(b"let a_b = f(x, 12);", 3, 0);
        assert_eq!(left, b"a_b = (x, 12);");
    }

    #[test]
    fn no_run_of_words_is_as_long_as_the_step() {
        let text: String = (0..60).map(|i| format!("w{i} ")).collect();
        for copy in 0..6 {
            let left = without_words(text.as_bytes(), 6, copy);
            let left = String::from_utf8(left).unwrap();
            let kept: Vec<&str> = left.split_whitespace().collect();
            assert_eq!(kept.len(), 50);
            for run in text.split_whitespace().collect::<Vec<_>>().windows(6) {
                assert!(!kept.windows(6).any(|kept| kept == run));
            }
        }
    }
}
