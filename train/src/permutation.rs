//! The random order of the sequences of an epoch.

use crate::random::{self, Stream};
use rand_core::RngCore;

/// The longest order that is kept as a list: 64 MiB.
pub(crate) const LISTED: u64 = 1 << 24;

const ROUNDS: usize = 6;

/// A permutation of `0..count`.
#[derive(Clone, Debug)]
pub(crate) enum Permutation {
    /// A Fisher-Yates shuffle.
    List(Vec<u32>),
    /// Of orders too long to keep: a Feistel network over the next power of four, whose
    /// results are permuted again until one is below the count (Black and Rogaway 2002).
    Network {
        keys: [u64; ROUNDS],
        /// Bits of each half.
        half: u32,
        count: u64,
    },
}

impl Permutation {
    /// The order of one epoch; it depends on the arguments alone.
    pub fn of_epoch(seed: u64, epoch: u64, count: u64) -> Permutation {
        match u32::try_from(count) {
            Ok(short) if count <= LISTED => Permutation::shuffled(seed, epoch, short),
            _ => Permutation::network(seed, epoch, count),
        }
    }

    fn shuffled(seed: u64, epoch: u64, count: u32) -> Permutation {
        let mut rng = random::at(seed, Stream::Epoch, epoch);
        let mut order: Vec<u32> = (0..count).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random::below(&mut rng, i as u64 + 1) as usize);
        }
        Permutation::List(order)
    }

    fn network(seed: u64, epoch: u64, count: u64) -> Permutation {
        let mut rng = random::at(seed, Stream::Epoch, epoch);
        let bits = u64::BITS - (count - 1).leading_zeros();
        Permutation::Network {
            keys: std::array::from_fn(|_| rng.next_u64()),
            half: bits.div_ceil(2).max(1),
            count,
        }
    }

    /// The number at `index`, which is below the count.
    pub fn at(&self, index: u64) -> u64 {
        match self {
            Permutation::List(order) => u64::from(order[index as usize]),
            Permutation::Network { keys, half, count } => {
                let mut number = index;
                loop {
                    number = feistel(keys, *half, number);
                    if number < *count {
                        return number;
                    }
                }
            }
        }
    }
}

/// A permutation of the numbers of `2 half` bits.
fn feistel(keys: &[u64; ROUNDS], half: u32, number: u64) -> u64 {
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (number >> half, number & mask);
    for key in keys {
        (left, right) = (right, left ^ (mixed(right ^ key) & mask));
    }
    (left << half) | right
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(order: &Permutation, count: u64) -> Vec<u64> {
        (0..count).map(|index| order.at(index)).collect()
    }

    #[test]
    fn each_number_comes_once() {
        for count in [1, 2, 3, 16, 17, 1000] {
            let orders = [
                Permutation::of_epoch(5, 2, count),
                Permutation::network(5, 2, count),
            ];
            for order in orders {
                let mut all = numbers(&order, count);
                all.sort_unstable();
                assert!(all.into_iter().eq(0..count), "{order:?}");
            }
        }
    }

    #[test]
    fn epochs_and_seeds_have_their_own() {
        for make in [Permutation::of_epoch, Permutation::network] {
            let first = numbers(&make(5, 2, 1000), 1000);
            assert_ne!(first, numbers(&make(5, 3, 1000), 1000));
            assert_ne!(first, numbers(&make(6, 2, 1000), 1000));
        }
    }

    /// Pairs of neighbours are as far apart as in a random order: a third of the count.
    #[test]
    fn a_long_order_is_random() {
        let count = LISTED + 5;
        let order = Permutation::of_epoch(1, 0, count);
        assert!(matches!(order, Permutation::Network { .. }));
        let pairs = 100_000;
        let apart: u64 = (0..pairs)
            .map(|i| order.at(i).abs_diff(order.at(i + 1)))
            .sum();
        let share = apart as f64 / pairs as f64 / count as f64;
        assert!((share - 1.0 / 3.0).abs() < 0.003, "{share}");
        // More sequences than fit into 32 bits.
        assert!(Permutation::of_epoch(1, 0, 1 << 40).at(1 << 39) < 1 << 40);
    }
}
