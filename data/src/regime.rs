//! How the bytes a model is scored on relate to those it has seen.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::byteset::{ByteSet, Provenance};

/// Bytes per window of [`shared_bytes`].
pub const SHARED_WINDOW: usize = 1024;

/// The regime of a score (`docs/mdl.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Trained on exactly these bytes: a legal two-part code.
    InSample,
    /// Disjoint bytes of the same source.
    HeldOut,
    /// Bytes of another source that share nothing long with those seen.
    Shifted,
    /// Anything else; no length under it says what its name suggests.
    Overlap,
}

impl Regime {
    /// The regime of scoring on `scored` after training on `seen`.
    ///
    /// Same hash: in-sample. Same origin: held-out when the ranges are
    /// disjoint, else overlap. Different origins: shifted, unless any window
    /// of 1024 bytes is shared (enwik8 is the beginning of enwik9, and a file
    /// may be a copy of another): then overlap.
    pub fn of(seen: &ByteSet, scored: &ByteSet) -> Self {
        match Self::by_provenance(&seen.provenance, &scored.provenance) {
            Self::Shifted if shared_bytes(seen, scored) > 0 => Self::Overlap,
            regime => regime,
        }
    }

    /// [`of`](Self::of) for when the bytes seen are not at hand: sources are
    /// told apart by their hashes, and shared content between different ones
    /// goes unnoticed.
    pub fn by_provenance(seen: &Provenance, scored: &Provenance) -> Self {
        if seen.blake3 == scored.blake3 {
            return Self::InSample;
        }
        if seen.origin != scored.origin {
            return Self::Shifted;
        }
        let (a, b) = (seen.range(), scored.range());
        if a.end <= b.start || b.end <= a.start {
            Self::HeldOut
        } else {
            Self::Overlap
        }
    }

    /// The name in results and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::InSample => "in-sample",
            Self::HeldOut => "held-out",
            Self::Shifted => "shifted",
            Self::Overlap => "overlap",
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many bytes of `scored` lie in a run that also stands in `seen`: the
/// aligned 1024-byte windows of `seen` are looked up at every position of
/// `scored`. Runs below 2047 bytes may be missed, windows of one repeated byte
/// are ignored. The time is linear in both lengths.
pub fn shared_bytes(seen: &ByteSet, scored: &ByteSet) -> u64 {
    let (seen, scored) = (&seen.bytes, &scored.bytes);
    if scored.len() < SHARED_WINDOW {
        return 0;
    }
    let mut windows: HashMap<u64, usize> = HashMap::new();
    for (i, window) in seen.chunks_exact(SHARED_WINDOW).enumerate() {
        if window.iter().any(|byte| *byte != window[0]) {
            windows
                .entry(window.iter().fold(0, |h, &b| roll_in(h, b)))
                .or_insert(i * SHARED_WINDOW);
        }
    }
    let last_power = (1..SHARED_WINDOW).fold(1u64, |p, _| p.wrapping_mul(BASE));
    let mut hash = scored[..SHARED_WINDOW]
        .iter()
        .fold(0, |h, &b| roll_in(h, b));
    let mut shared = 0;
    let mut counted = 0;
    for start in 0..=scored.len() - SHARED_WINDOW {
        let end = start + SHARED_WINDOW;
        // A hit is compared byte by byte: no false alarm from the hash.
        if let Some(&at) = windows.get(&hash)
            && seen[at..at + SHARED_WINDOW] == scored[start..end]
        {
            shared += end - start.max(counted);
            counted = end;
        }
        if end < scored.len() {
            let out = last_power.wrapping_mul(u64::from(scored[start]) + 1);
            hash = roll_in(hash.wrapping_sub(out), scored[end]);
        }
    }
    shared as u64
}

/// Base of the polynomial hash modulo 2^64; any odd number with mixed bits.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

fn roll_in(hash: u64, byte: u8) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(u64::from(byte) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Generator;

    fn noise(seed: u64, len: u64) -> Vec<u8> {
        Generator::Random.bytes(seed, 0..len)
    }

    #[test]
    fn regimes_of_one_source() {
        let set = ByteSet::new("x", noise(0, 10_000));
        let (low, high) = (set.slice(0..4000).unwrap(), set.slice(4000..8000).unwrap());
        let across = set.slice(3999..5000).unwrap();
        assert_eq!(Regime::of(&low, &low), Regime::InSample);
        assert_eq!(Regime::of(&low, &high), Regime::HeldOut);
        assert_eq!(Regime::of(&high, &low), Regime::HeldOut);
        assert_eq!(Regime::of(&low, &across), Regime::Overlap);
        assert_eq!(Regime::of(&low, &set), Regime::Overlap);
    }

    #[test]
    fn a_copy_under_another_name_is_found() {
        let seen = ByteSet::new("a", noise(1, 20_000));
        let same = ByteSet::new("b", seen.bytes.clone());
        assert_eq!(Regime::of(&seen, &same), Regime::InSample);

        let mut leaked = noise(2, 5000);
        leaked.splice(1234..1234, seen.bytes[7000..10_000].iter().copied());
        let leaked = ByteSet::new("c", leaked);
        assert_eq!(Regime::of(&seen, &leaked), Regime::Overlap);
        // 3000 bytes hold at least one aligned window, at most two.
        assert_eq!(shared_bytes(&seen, &leaked), 2 * SHARED_WINDOW as u64);
        assert_eq!(
            Regime::of(&seen, &ByteSet::new("d", noise(3, 5000))),
            Regime::Shifted
        );
    }

    #[test]
    fn silence_is_not_shared() {
        let a = ByteSet::new("a", vec![128; 5000]);
        let b = ByteSet::new("b", vec![128; 6000]);
        assert_eq!(Regime::of(&a, &b), Regime::Shifted);
    }

    #[test]
    fn names_are_those_of_the_json() {
        for regime in [
            Regime::InSample,
            Regime::HeldOut,
            Regime::Shifted,
            Regime::Overlap,
        ] {
            let value = toml::Value::try_from(regime).unwrap();
            assert_eq!(value.as_str(), Some(regime.name()));
        }
    }
}
