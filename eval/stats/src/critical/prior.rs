//! What models are expected to make of bytes that none was trained on: which
//! size to try first, whether any pays, and what another would come to.
//!
//! All constants of such a guess are in this file. It is for `compress --train`,
//! and no result: whoever has run a sweep on data of their kind has a better law
//! in [`data_laws`](super::joint::data_laws).

use super::{Law, ModelCost};

/// Bits per byte of English prose in-sample, models of this project used alone:
/// the fit to 10 to 115 thousand parameters at 10^6 and 4 x 10^6 bytes, which
/// differ by less than 2% (docs/results.md).
pub const PROSE: Law = Law {
    e: 1.35,
    a: 36.5,
    alpha: 0.375,
    share: None,
};

/// What the two pilots (`crate::pack::pilots`) make of prose, bits per
/// byte, the smaller one first: 3.08 to 3.09 and 2.40 to 2.43 at 10^5, 10^6 and
/// 4 x 10^6 bytes.
pub const PROSE_PILOTS: [f64; 2] = [3.086, 2.418];

/// Bits per byte that context models take off a model which is as good as they
/// are, and the difference, in bits per byte, that divides this by e: chosen by hand for
/// models trained for the mixture (docs/results.md, "Stored models of prose"). Of 10^6, 1.5
/// and 4 x 10^6 bytes of prose beside level 5 it expects data within 0.6% of what models of
/// 11 to 144 thousand parameters made, of 40 x 10^6 beside level 9 1.2% too much; of 4 x
/// 10^6 beside level 9 1.8% too little.
const MIXING: (f64, f64) = (0.14, 0.8);

/// Bits that a parameter takes when it is trained to be stored beside context models: 3.2
/// for a model of 11 thousand, 2.0 for one of 68 thousand, 2.8 for one of 302 thousand
/// (docs/results.md).
pub const STORED_BITS: f64 = 2.8;

/// Sizes that are looked at, an octave, and the smallest, which is about that of the
/// smallest ladder model, and the largest.
const STEPS: i32 = 8;
const SIZES: (f64, f64) = (4e3, 1e10);

/// What is expected of stored models that are mixed with context models.
///
/// The law of the bytes is taken to be prose's up to an offset and a scale, which
/// two short trainings tell: prose has scale 1, grey patches have 0.3, sound 0.2 to
/// 0.25, random bytes 0. What mixing is worth has the same scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    data_bytes: f64,
    contexts: f64,
    offset: f64,
    scale: f64,
}

impl Prior {
    /// For `data_bytes` bytes, of which context models alone make `contexts` bits
    /// a byte, and the two pilots so many.
    ///
    /// ```
    /// use brevity_stats::critical::prior::{PROSE_PILOTS, Prior};
    ///
    /// // Prose, of which contexts make 1.8 bits a byte: a hundred kilobytes pay for no
    /// // model beside them, a gigabyte does.
    /// let pays = |bytes: f64| {
    ///     let prior = Prior::new(bytes, 1.8, PROSE_PILOTS);
    ///     prior.bytes(prior.best()) < bytes * 1.8 / 8.0
    /// };
    /// assert!(!pays(1e5) && pays(1e9));
    /// ```
    #[must_use]
    pub fn new(data_bytes: f64, contexts: f64, pilots: [f64; 2]) -> Self {
        let [small, large] = PROSE_PILOTS;
        let scale = ((pilots[0] - pilots[1]) / (small - large)).max(0.0);
        Self {
            data_bytes,
            contexts,
            offset: pilots[1] - scale * large,
            scale,
        }
    }

    /// Bits per byte of the data under a model of so many parameters, mixed with
    /// contexts.
    #[must_use]
    pub fn bits_per_byte(&self, parameters: f64) -> f64 {
        let alone = self.offset + self.scale * PROSE.bits_per_byte(parameters);
        let alone = alone.max(0.0);
        let better = alone.min(self.contexts);
        let (most, spread) = MIXING;
        match self.scale > 0.0 {
            true => {
                let apart = (alone - self.contexts).abs() / (self.scale * spread);
                better - self.scale * most * (-apart).exp()
            }
            false => better,
        }
    }

    /// Bytes of the model and the data.
    #[must_use]
    pub fn bytes(&self, parameters: f64) -> f64 {
        let model = ModelCost::per_parameter(STORED_BITS / 8.0);
        self.data_bytes * self.bits_per_byte(parameters) / 8.0 + model.bytes(parameters)
    }

    /// The number of parameters for which that is least.
    #[must_use]
    pub fn best(&self) -> f64 {
        let octaves = (SIZES.1 / SIZES.0).log2() as i32;
        (0..=octaves * STEPS)
            .map(|i| SIZES.0 * (f64::from(i) / f64::from(STEPS)).exp2())
            .min_by(|a, b| self.bytes(*a).total_cmp(&self.bytes(*b)))
            .expect("there are sizes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_size_is_better_than_its_neighbours_and_grows_with_the_data() {
        let mut before = 0.0;
        for data_bytes in [1e7, 1e8, 1e9] {
            let prior = Prior::new(data_bytes, 1.75, PROSE_PILOTS);
            let best = prior.best();
            for factor in [0.5, 0.9, 1.1, 2.0] {
                assert!(prior.bytes(factor * best) > prior.bytes(best));
            }
            assert!(best > before);
            before = best;
        }
    }

    /// The sizes that docs/mdl.md names.
    #[test]
    fn prose_pays_from_the_number_of_bytes_on_that_is_documented() {
        for (contexts, bytes) in [(1.7, 4.0e5), (2.0, 2.7e5)] {
            let pays = |bytes: f64| {
                let prior = Prior::new(bytes, contexts, PROSE_PILOTS);
                prior.bytes(prior.best()) < bytes * contexts / 8.0
            };
            assert!(!pays(0.95 * bytes) && pays(1.05 * bytes), "{contexts}");
        }
    }

    #[test]
    fn nothing_is_expected_of_random_bytes() {
        let prior = Prior::new(1e8, 8.0, [8.04, 8.05]);
        assert!(prior.bytes(prior.best()) > 1e8);
    }
}
