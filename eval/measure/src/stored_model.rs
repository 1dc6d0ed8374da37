//! A model with its storage plan.

use crate::{MeasureError, check};
use brevity_codec::weights::{self, Plan};
use brevity_codec::{Contexts, score, score_beside};
use brevity_model::Weights;
use brevity_task::Stop;
use std::ops::Range;

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
        StoredModel::chosen(exact, data, None, stop)
    }

    /// As [`for_data`](StoredModel::for_data), where the data are coded by a mixture with
    /// context models, which say `beside` of them.
    ///
    /// # Errors
    /// As [`for_data`](StoredModel::for_data).
    ///
    /// # Panics
    /// If `beside` is of other data.
    pub fn for_mixture(
        exact: Weights,
        data: &[u8],
        beside: &Contexts,
        stop: &Stop,
    ) -> Result<StoredModel, MeasureError> {
        assert_eq!(
            beside.len(),
            data.len(),
            "what context models say of the data"
        );
        StoredModel::chosen(exact, data, Some(beside), stop)
    }

    fn chosen(
        exact: Weights,
        data: &[u8],
        beside: Option<&Contexts>,
        stop: &Stop,
    ) -> Result<StoredModel, MeasureError> {
        let pieces = pieces(data.len(), exact.spec().context);
        let sample: Vec<u8> = pieces
            .iter()
            .flat_map(|p| &data[p.clone()])
            .copied()
            .collect();
        let beside = beside.map(|contexts| contexts.parts(pieces));
        let scale = data.len() as f64 / sample.len().max(1) as f64;
        let data_bits = |candidate: &Weights| {
            check(stop)?;
            let scored = match &beside {
                None => score(candidate, &sample),
                Some(contexts) => score_beside(candidate, &sample, contexts),
            };
            Ok::<_, MeasureError>(scored?.bits * scale)
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
fn pieces(length: usize, context: usize) -> Vec<Range<usize>> {
    let piece = (SAMPLE / PIECES).next_multiple_of(context);
    if length <= PIECES * piece {
        return std::iter::once(0..length).collect();
    }
    let stride = length / PIECES;
    (0..PIECES)
        .map(|i| i * stride..i * stride + piece)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_and_made_of_whole_contexts() {
        let taken = pieces(1 << 20, 100);
        assert_eq!(taken.len(), PIECES);
        assert!(taken.iter().all(|piece| piece.len() == 4100));
        assert_eq!((taken[0].start, taken[1].start), (0, 1 << 17));
        assert_eq!(pieces(1000, 100), std::slice::from_ref(&(0..1000)));
    }
}
