//! How finely each tensor is quantised.

use super::{LARGEST, encode};
use brevity_model::Weights;

/// A precision for all matrices. Norm scales, gains and biases, a few percent of the
/// parameters, are 16-bit floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// Half-precision floats for all tensors.
    Float16,
    /// Like `Bits(8)`.
    Int8,
    /// Integers of this many bits, 2 to 16, with a step for each row so that its
    /// largest value fits; entropy coding makes them shorter.
    Bits(u32),
    /// Multiples of one step for all matrices, rounded to a step of the format.
    Step(f32),
}

/// How one tensor is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Half-precision floats.
    Float16,
    /// Integers times one [`step`].
    Step(u8),
    /// Integers times a [`step`] for each row.
    Rows(Vec<u8>),
    /// No bytes: each value is 0.
    Zeros,
}

/// Step number `k`: `2^(-k/8)`, from 1 down to 2.5e-10.
pub fn step(k: u8) -> f32 {
    /// `2^(-i/8)`
    const EIGHTHS: [f32; 8] = [
        1.0,
        0.917_004_05,
        0.840_896_4,
        0.771_105_4,
        0.707_106_77,
        0.648_419_8,
        0.594_603_55,
        0.545_253_9,
    ];
    let octave = f32::from_bits((127 - u32::from(k / 8)) << 23);
    EIGHTHS[usize::from(k % 8)] * octave
}

/// The finest step that is at least `least`.
fn index_at_least(least: f32) -> u8 {
    (0..=255).rev().find(|&k| step(k) >= least).unwrap_or(0)
}

/// The finest step for which every integer fits the format.
pub(super) fn coarse_enough(values: &[f32]) -> u8 {
    let largest = values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    index_at_least(largest / LARGEST as f32)
}

impl Storage {
    /// The step number of a row; 0 if there is none.
    pub(super) fn row_index(&self, row: usize) -> u8 {
        match self {
            Storage::Float16 | Storage::Zeros => 0,
            Storage::Step(k) => *k,
            Storage::Rows(rows) => rows.get(row).copied().unwrap_or(0),
        }
    }

    /// The step of a row; 1 if there is none.
    pub(super) fn row_step(&self, row: usize) -> f32 {
        step(self.row_index(row))
    }
}

/// How each tensor of a spec is stored, in canonical order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    storage: Vec<Storage>,
}

impl Plan {
    /// The same precision for all matrices.
    ///
    /// # Panics
    /// If `Bits` is not between 2 and 16, or `Step` not a positive number.
    pub fn new(weights: &Weights, precision: Precision) -> Plan {
        let storage = weights.iter().map(|(info, values)| {
            if !info.role.is_matrix() {
                return Storage::Float16;
            }
            let (_, columns) = info.rows_columns();
            match precision {
                Precision::Float16 => Storage::Float16,
                Precision::Int8 => Storage::Rows(row_steps(values, columns, 8)),
                Precision::Bits(bits) => Storage::Rows(row_steps(values, columns, bits)),
                Precision::Step(size) => {
                    assert!(size > 0.0, "a step of {size}");
                    Storage::Step(index_at_least(size / 1.000_001))
                }
            }
        });
        Plan {
            storage: storage.collect(),
        }
    }

    /// A plan with this storage for each tensor, in canonical order.
    pub fn from_storage(storage: Vec<Storage>) -> Plan {
        Plan { storage }
    }

    /// No weights: every tensor is [`Storage::Zeros`], and the model predicts
    /// the uniform distribution.
    pub fn zeros(weights: &Weights) -> Plan {
        Plan::from_storage(vec![Storage::Zeros; weights.iter().len()])
    }

    /// How each tensor is stored, in canonical order.
    pub fn storage(&self) -> &[Storage] {
        &self.storage
    }

    /// This plan with all steps scaled by one factor, so that the stored weights,
    /// spec included, need at most `bits` bits per parameter but as many as possible.
    /// The ratios between tensors stay; tensors stored as zeros
    /// share one step. Steps are an eighth of an octave apart, so up to an
    /// eighth of a bit remains unused. If even the coarsest steps need more bits, the
    /// result has these.
    pub fn at_bits(&self, weights: &Weights, bits: f64) -> Plan {
        let most = bits * weights.spec().parameters() as f64;
        let fits = |by: i32| encode(weights, &self.moved(weights, by)).len() as f64 * 8.0 <= most;
        // Two steps are at most 255 apart.
        let (mut enough, mut more) = (-255_i32, 256);
        while more - enough > 1 {
            let middle = (enough + more).div_euclid(2);
            match fits(middle) {
                true => enough = middle,
                false => more = middle,
            }
        }
        self.moved(weights, enough)
    }

    /// All steps finer by `by` eighths of an octave.
    fn moved(&self, weights: &Weights, by: i32) -> Plan {
        let storage = weights
            .iter()
            .zip(&self.storage)
            .map(|((_, values), storage)| {
                let coarse_enough = coarse_enough(values);
                let moved = |k: &u8| ((i32::from(*k) + by).clamp(0, 255) as u8).min(coarse_enough);
                match storage {
                    Storage::Float16 => Storage::Float16,
                    Storage::Zeros => Storage::Step(moved(&0)),
                    Storage::Step(k) => Storage::Step(moved(k)),
                    Storage::Rows(rows) => Storage::Rows(rows.iter().map(moved).collect()),
                }
            });
        Plan {
            storage: storage.collect(),
        }
    }
}

/// For each row, the finest step with which it fits into `bits` bits, sign included.
pub(super) fn row_steps(values: &[f32], columns: usize, bits: u32) -> Vec<u8> {
    assert!((2..=16).contains(&bits), "integers of {bits} bits");
    let largest = ((1 << (bits - 1)) - 1) as f32;
    values
        .chunks(columns)
        .map(|row| {
            let most = row.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
            index_at_least(most / (largest + 0.49))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_powers_of_the_eighth_root() {
        for k in 0..=255 {
            let expected = (-f64::from(k) / 8.0).exp2() as f32;
            assert_eq!(step(k), expected, "{k}");
            assert_eq!(index_at_least(step(k)), k);
        }
    }
}
