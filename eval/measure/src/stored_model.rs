//! A model and how finely it is worth storing.

use crate::{MeasureError, check};
use brevity_codec::score;
use brevity_codec::weights::{self, Plan};
use brevity_model::Weights;
use brevity_task::Stop;

/// Bytes that tell how finely the weights are worth storing. The search prices
/// them about 20 times.
const SAMPLE: usize = 1 << 15;

/// Pieces of the data that the sample is made of.
const PIECES: usize = 8;

/// A model and how an archive stores it.
#[derive(Clone, Debug)]
pub struct StoredModel {
    /// The weights as they were trained.
    pub exact: Weights,
    /// How finely each tensor is stored.
    pub plan: Plan,
}

impl StoredModel {
    /// A model as it is stored for the shortest description of weights and
    /// `data`, as far as a sample of the data tells: as it is if it was trained
    /// for that, otherwise as finely as pays, and as zeros if nothing pays.
    ///
    /// # Errors
    /// A model that yields something that is no number;
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

    /// The same model stored in so many bits a parameter at most, and hardly
    /// less: see [`Plan::at_bits`].
    pub fn at_bits(&self, bits: f64) -> StoredModel {
        StoredModel {
            plan: self.plan.at_bits(&self.exact, bits),
            exact: self.exact.clone(),
        }
    }

    /// The weights as a decoder of an archive that holds them has them.
    pub fn rounded(&self) -> Weights {
        weights::quantise(&self.exact, &self.plan)
    }
}

/// Evenly spaced pieces of the data, whole contexts long.
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
