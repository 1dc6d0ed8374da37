//! Counter-based random numbers.
//!
//! All random numbers of training come from ChaCha8, with the seed as the key, a
//! stream for each purpose, and a position in the stream. They do not depend
//! on how many numbers were drawn before, so a run can resume at any step.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Purpose of random numbers. Each purpose has its own, independent stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// Initial weights; the position is the tensor's index.
    Weights = 1,
    /// Offsets of sequences; the position is the sequence's number.
    Offsets = 2,
    /// Order of the sequences of an epoch; the position is the epoch.
    Epoch = 3,
    /// Dropout masks; the position is the index of the mask in the run.
    Dropout = 4,
    /// Sequences that an online learner replays; the position is the step.
    Replay = 5,
}

/// The generator for the numbers at `position` of `stream`.
pub(crate) fn at(seed: u64, stream: Stream, position: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(position);
    rng
}

/// A uniform integer below `bound`, which is positive (Lemire 2019).
pub(crate) fn below(rng: &mut impl RngCore, bound: u64) -> u64 {
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        // Rejecting the lowest products makes all results equally likely.
        if product as u64 >= bound.wrapping_neg() % bound {
            return (product >> 64) as u64;
        }
    }
}

/// An approximately normal number with mean 0 and variance 1: the sum of twelve
/// uniform ones. Its magnitude is at most 6, and it needs no logarithm, whose
/// last bit would depend on the platform.
pub(crate) fn normal(rng: &mut impl RngCore) -> f32 {
    let mut sum: u64 = 0;
    for _ in 0..6 {
        let bits = rng.next_u64();
        sum += (bits >> 40) + (bits & 0xff_ffff);
    }
    // Each term is uniform over 0..2^24.
    let centred = sum as i64 - 12 * ((1 << 24) - 1) / 2;
    centred as f32 / (1 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut rng = at(1, Stream::Weights, 0);
        let n = 100_000;
        let values: Vec<f64> = (0..n).map(|_| f64::from(normal(&mut rng))).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|v| v * v).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn below_reaches_every_value() {
        let mut rng = at(9, Stream::Offsets, 0);
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[below(&mut rng, 7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
    }
}
