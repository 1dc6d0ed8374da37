//! A law for those who have measured none: which size to try first, and what
//! another would come to.
//!
//! All constants of such a guess are in this file. They are a prior for grids
//! and for `compress --train`, not a result: whoever has run a sweep on data of
//! their kind has a better law in [`data_laws`](super::joint::data_laws).

use super::{ModelCost, joint::JointLaw};

/// Bits per byte of text that a model was trained on: the paper's raw curve
/// below ten million parameters, digitised (Delétang et al., arXiv 2309.10668,
/// Fig. 2; `eval/data/paper-fig2.csv`), is 8.79% + 8.89% (N / 10^6)^-0.324, the
/// same at 10 MB and 100 MB.
pub const IN_SAMPLE: JointLaw = JointLaw {
    e: 0.703,
    a: 62.5,
    alpha: 0.324,
    b: 0.0,
    beta: 1.0,
};

/// Bits that a parameter takes when it is trained to be stored.
pub const STORED_BITS: f64 = 4.0;

/// The critical size for so many bytes, with parameters of so many bits.
///
/// ```
/// use brevity_eval::critical::prior::critical_size;
///
/// // The paper's convention, two bytes a parameter, at 10 MB.
/// assert!((critical_size(1e7, 16.0) / 230e3 - 1.0).abs() < 0.02);
/// ```
#[must_use]
pub fn critical_size(data_bytes: f64, bits_a_parameter: f64) -> f64 {
    cost(bits_a_parameter).optimum(&IN_SAMPLE.at(data_bytes), data_bytes)
}

/// What model and data would take with another number of parameters, where they
/// take `measured` bytes with `parameters` of so many bits: the law's totals in
/// proportion.
#[must_use]
pub fn bytes_at_size(
    other: f64,
    data_bytes: f64,
    (parameters, bits_a_parameter, measured): (f64, f64, f64),
) -> f64 {
    let total = |n: f64| {
        data_bytes * IN_SAMPLE.bits_per_byte(n, data_bytes) / 8.0 + cost(bits_a_parameter).bytes(n)
    };
    measured * total(other) / total(parameters)
}

fn cost(bits_a_parameter: f64) -> ModelCost {
    ModelCost::per_parameter(bits_a_parameter / 8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_critical_size_is_the_best_of_its_neighbours() {
        for data_bytes in [1e5, 1e7, 1e9] {
            let best = critical_size(data_bytes, STORED_BITS);
            for factor in [0.5, 0.9, 1.1, 2.0] {
                let measured = (best, STORED_BITS, 1000.0);
                assert!(bytes_at_size(factor * best, data_bytes, measured) > 1000.0);
            }
            assert!(critical_size(data_bytes, 16.0) < best);
        }
    }
}
