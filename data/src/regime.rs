//! The regime: how scored bytes relate to training bytes.

use std::collections::HashMap;

use brevity_length::Regime;

use crate::byteset::{ByteSet, Provenance};

/// Bytes per window of [`shared_bytes`].
pub const SHARED_WINDOW: usize = 1024;

/// The regime of scoring on `scored` after training on `seen`.
///
/// If the hashes are the same, it is in-sample. If the origins are the same, it is
/// held-out when the ranges are disjoint, otherwise overlap. If the origins differ, it is
/// shifted, unless any window of 1024 bytes is shared (enwik8 is the beginning of enwik9,
/// and a file may be a copy of another); then it is overlap.
pub fn regime(seen: &ByteSet, scored: &ByteSet) -> Regime {
    match regime_by_provenance(&seen.provenance, &scored.provenance) {
        Regime::Shifted if shared_bytes(seen, scored) > 0 => Regime::Overlap,
        regime => regime,
    }
}

/// Like [`regime()`], for use without the training bytes. Sources are compared by their
/// hashes only, so content that different sources share is not detected.
pub fn regime_by_provenance(seen: &Provenance, scored: &Provenance) -> Regime {
    if seen.blake3 == scored.blake3 {
        return Regime::InSample;
    }
    if seen.origin != scored.origin {
        return Regime::Shifted;
    }
    let (a, b) = (seen.range(), scored.range());
    if a.end <= b.start || b.end <= a.start {
        Regime::HeldOut
    } else {
        Regime::Overlap
    }
}

/// The number of bytes of `scored` in runs that also occur in `seen`. The aligned
/// 1024-byte windows of `seen` are searched at every position of `scored`, so runs below
/// 2047 bytes may be missed. Windows of one repeated byte are ignored. The time is linear
/// in both lengths.
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
        // A hit is compared byte by byte, so the hash causes no false positives.
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
        assert_eq!(regime(&low, &low), Regime::InSample);
        assert_eq!(regime(&low, &high), Regime::HeldOut);
        assert_eq!(regime(&high, &low), Regime::HeldOut);
        assert_eq!(regime(&low, &across), Regime::Overlap);
        assert_eq!(regime(&low, &set), Regime::Overlap);
    }

    #[test]
    fn a_copy_under_another_name_is_found() {
        let seen = ByteSet::new("a", noise(1, 20_000));
        let same = ByteSet::new("b", seen.bytes.clone());
        assert_eq!(regime(&seen, &same), Regime::InSample);

        let mut leaked = noise(2, 5000);
        leaked.splice(1234..1234, seen.bytes[7000..10_000].iter().copied());
        let leaked = ByteSet::new("c", leaked);
        assert_eq!(regime(&seen, &leaked), Regime::Overlap);
        // 3000 bytes hold at least one aligned window, at most two.
        assert_eq!(shared_bytes(&seen, &leaked), 2 * SHARED_WINDOW as u64);
        assert_eq!(
            regime(&seen, &ByteSet::new("d", noise(3, 5000))),
            Regime::Shifted
        );
    }

    #[test]
    fn silence_is_not_shared() {
        let a = ByteSet::new("a", vec![128; 5000]);
        let b = ByteSet::new("b", vec![128; 6000]);
        assert_eq!(regime(&a, &b), Regime::Shifted);
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
