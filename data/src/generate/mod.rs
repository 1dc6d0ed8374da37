//! Bytes generated from a seed: noise, synthetic pictures, synthetic sound.
//!
//! A generated source is endless and consists of blocks; block `i` depends only on the
//! name, the seed and `i`. So any range can be generated on its own, and a longer prefix
//! begins with the shorter one. The bytes are the same on every machine: only integer
//! arithmetic, and the four operations and the square root of `f64`, which IEEE 754
//! fixes, are used.
//!
//! The synthetic sets are not recordings. With them, the paper's modalities can be tried
//! without a network; results on them say nothing about real pictures or speech.

mod audio;
mod image;

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Bytes per block of every generator.
const BLOCK: usize = 1 << 17;

/// A seeded source of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generator {
    /// Uniform bytes from ChaCha8. No code can use fewer than 8 bits per byte on average.
    Random,
    /// 32x64 grey patches of overlapping shaded discs ("dead leaves"), blurred, with
    /// sensor noise; 2048 bytes per patch, row by row, as the paper cuts its pictures.
    SyntheticImage,
    /// Unsigned 8-bit samples at 16 kHz: voiced and unvoiced stretches filtered by moving
    /// resonances, with pauses and background noise.
    SyntheticAudio,
}

impl Generator {
    /// All generators.
    pub const ALL: [Self; 3] = [Self::Random, Self::SyntheticImage, Self::SyntheticAudio];

    /// The name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::SyntheticImage => "synthetic-image",
            Self::SyntheticAudio => "synthetic-audio",
        }
    }

    /// The generator of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }

    /// A one-line description.
    pub fn about(self) -> &'static str {
        match self {
            Self::Random => "seeded uniform bytes",
            Self::SyntheticImage => "synthetic: seeded 32x64 grey patches of overlapping discs",
            Self::SyntheticAudio => "synthetic: seeded speech-like 8-bit sound at 16 kHz",
        }
    }

    /// The bytes of `range`, in byte positions of the endless source.
    ///
    /// ```
    /// use brevity_data::Generator;
    /// let long = Generator::Random.bytes(7, 0..1000);
    /// assert_eq!(Generator::Random.bytes(7, 300..310), long[300..310]);
    /// assert_ne!(Generator::Random.bytes(8, 0..1000), long);
    /// ```
    ///
    /// # Panics
    /// If the range is longer than memory can address.
    pub fn bytes(self, seed: u64, range: Range<u64>) -> Vec<u8> {
        let len =
            usize::try_from(range.end.saturating_sub(range.start)).expect("range fits memory");
        let mut out = Vec::with_capacity(len);
        let mut block = vec![0; BLOCK];
        let mut index = range.start / BLOCK as u64;
        let mut skip = (range.start % BLOCK as u64) as usize;
        while out.len() < len {
            self.block(seed, index, &mut block);
            let take = (BLOCK - skip).min(len - out.len());
            out.extend_from_slice(&block[skip..skip + take]);
            skip = 0;
            index += 1;
        }
        out
    }

    fn block(self, seed: u64, index: u64, out: &mut [u8]) {
        let key = blake3::hash(format!("brevity {} {seed}", self.name()).as_bytes());
        let mut rng = ChaCha8Rng::from_seed(*key.as_bytes());
        rng.set_stream(index);
        match self {
            Self::Random => rng.fill_bytes(out),
            Self::SyntheticImage => image::block(&mut rng, out),
            Self::SyntheticAudio => audio::block(&mut rng, out),
        }
    }
}

/// Uniform in [0, 1) on a grid of 2^-24: every value is exact.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32() >> 8) / f64::from(1u32 << 24)
}

/// Uniform in [low, high).
fn between(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(rng)
}

/// Near-Gaussian noise of unit variance: the sum of twelve uniform draws
/// (Irwin-Hall), here from the bytes of three words.
fn gauss(rng: &mut ChaCha8Rng) -> f64 {
    let mut sum = 0u32;
    for _ in 0..3 {
        sum += rng
            .next_u32()
            .to_le_bytes()
            .iter()
            .map(|&b| u32::from(b))
            .sum::<u32>();
    }
    (f64::from(sum) - 12.0 * 127.5) / 256.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stats;

    /// Fixes the bytes, because results on generated data must stay comparable.
    #[test]
    fn bytes_are_those_of_every_other_machine() {
        let short = |g: Generator| {
            let hash = blake3::hash(&g.bytes(0, 0..300_000)).to_hex();
            hash[..16].to_owned()
        };
        assert_eq!(short(Generator::Random), "72c9ec40fe00b42f");
        assert_eq!(short(Generator::SyntheticImage), "56e1637ab5548d01");
        assert_eq!(short(Generator::SyntheticAudio), "2eefeb287adc2000");
    }

    #[test]
    fn any_range_is_a_slice_of_the_whole() {
        let b = BLOCK as u64;
        for generator in Generator::ALL {
            let whole = generator.bytes(3, 0..2 * b + 100);
            for range in [0..10, b - 5..b + 5, 2 * b..2 * b + 100, 7..7, 100..2 * b] {
                let slice = &whole[range.start as usize..range.end as usize];
                assert!(
                    generator.bytes(3, range.clone()) == slice,
                    "{generator:?} {range:?}"
                );
            }
        }
    }

    #[test]
    fn random_bytes_have_eight_bits_and_synthetic_ones_fewer() {
        let order1 = |g: Generator| Stats::of(&g.bytes(0, 0..1 << 20)).order1;
        assert!(order1(Generator::Random) > 7.9);
        assert!((4.0..7.0).contains(&order1(Generator::SyntheticImage)));
        assert!((1.5..5.5).contains(&order1(Generator::SyntheticAudio)));
    }
}
