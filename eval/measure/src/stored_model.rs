//! A model with its storage plan.

use crate::{MeasureError, check};
use brevity_codec::score;
use brevity_codec::weights::{self, Plan};
use brevity_model::Weights;
use brevity_task::Stop;

/// Bytes of the sample by which the plan is chosen. The search computes their code length
/// about 20 times.
const SAMPLE: usize = 1 << 15;

/// Pieces of the data that the sample is made of.
const PIECES: usize = 8;

/// A model with the plan by which an archive stores it.
#[derive(Clone, Debug)]
pub struct StoredModel {
    /// The weights as trained.
    pub exact: Weights,
    /// The precision of each tensor.
    pub plan: Plan,
}

impl StoredModel {
    /// Chooses the plan that gives the shortest description of weights and `data`,
    /// estimated on a sample of the data. Weights trained with quantisation keep their
    /// own precision. Weights that do not shorten the description become zeros.
    ///
    /// # Errors
    /// A model whose output is not finite;
    /// [`MeasureError::Stopped`] when `stop` is set.
    pub fn for_data(exact: Weights, data: &[u8], stop: &Stop) -> Result<StoredModel, MeasureError> {
        let sample = sample(data, exact.spec().context);
        let scale = data.len() as f64 / sample.len().max(1) as f64;
        let data_bits = |candidate: &Weights| {
            check(stop)?;
            Ok::<_, MeasureError>(score(candidate, &sample)?.bits * scale)
        };
        let plan = match Plan::lossless(&exact) {
            Some(plan) => plan.or_zeros(&exact, data_bits),
            None => Plan::minimise(&exact, data_bits),
        }?;
        Ok(StoredModel { exact, plan })
    }

    /// The same model stored in nearly, but at most, this many bits per parameter: see
    /// [`Plan::at_bits`].
    pub fn at_bits(&self, bits: f64) -> StoredModel {
        StoredModel {
            plan: self.plan.at_bits(&self.exact, bits),
            exact: self.exact.clone(),
        }
    }

    /// The weights as decoded from an archive that stores them.
    pub fn rounded(&self) -> Weights {
        weights::quantise(&self.exact, &self.plan)
    }
}

/// Evenly spaced pieces of the data, each of whole contexts.
fn sample(data: &[u8], context: usize) -> Vec<u8> {
    let piece = (SAMPLE / PIECES).next_multiple_of(context);
    if data.len() <= PIECES * piece {
        return data.to_vec();
    }
    let stride = data.len() / PIECES;
    (0..PIECES)
        .flat_map(|i| &data[i * stride..][..piece])
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_and_made_of_whole_contexts() {
        let data: Vec<u8> = (0..1 << 20).map(|i| (i >> 12) as u8).collect();
        let taken = sample(&data, 100);
        assert_eq!(taken.len(), PIECES * 4100);
        assert_eq!((taken[0], taken[4100]), (0, 32));
        assert_eq!(sample(&data[..1000], 100), &data[..1000]);
    }
}
