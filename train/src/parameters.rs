//! All parameters of a model as one flat vector, and their initialisation.

use crate::random::{self, Stream};
use brevity_model::{Role, Spec, TensorInfo, Weights, WeightsError};
use std::ops::Range;

/// The parameters of a spec: all tensors, concatenated in canonical order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameters {
    spec: Spec,
    tensors: Vec<(TensorInfo, Range<usize>)>,
    /// All values.
    pub values: Vec<f32>,
}

impl Parameters {
    /// Zeros for `spec`.
    pub fn zeros(spec: &Spec) -> Parameters {
        let mut end = 0;
        let tensors: Vec<_> = spec
            .tensors()
            .into_iter()
            .map(|info| {
                let range = end..end + info.len();
                end = range.end;
                (info, range)
            })
            .collect();
        Parameters {
            spec: spec.clone(),
            tensors,
            values: vec![0.0; end],
        }
    }

    /// The initial values, which depend only on spec and seed.
    ///
    /// Matrices that read the residual stream have the variance `1 / inputs`;
    /// those that write to it are zero, so that the blocks of a new model add
    /// nothing. Embeddings have the standard deviation 1, or `1 / sqrt(width)`
    /// if they are scaled by `sqrt(width)` or tied to the output matrix; the output
    /// matrix has `1 / sqrt(width)` too. With post-norm, blocks that add nothing would
    /// make every position the same, so the writing matrices also have the
    /// variance `1 / inputs`.
    pub fn initial(spec: &Spec, seed: u64) -> Parameters {
        let mut parameters = Parameters::zeros(spec);
        let post = spec.placement == brevity_model::Placement::Post;
        let width = spec.width as f64;
        for (index, (info, range)) in parameters.tensors.iter().enumerate() {
            let values = &mut parameters.values[range.clone()];
            let deviation = match info.role {
                Role::Scale | Role::Gain => {
                    values.fill(1.0);
                    continue;
                }
                Role::Bias | Role::Taps => continue,
                Role::Residual if !post => continue,
                Role::Hidden | Role::Residual => 1.0 / (info.shape[0] as f64).sqrt(),
                Role::Embedding if !spec.tied && !spec.scale_embedding => 1.0,
                Role::Embedding | Role::Output => 1.0 / width.sqrt(),
                Role::Position => 0.1,
            };
            let mut rng = random::at(seed, Stream::Weights, index as u64);
            for value in values {
                *value = random::normal(&mut rng) * deviation as f32;
            }
        }
        parameters
    }

    /// The parameters of trained weights.
    pub fn of(weights: &Weights) -> Parameters {
        let mut parameters = Parameters::zeros(weights.spec());
        let tensors = parameters.tensors.iter().zip(weights.iter());
        for ((_, range), (_, values)) in tensors {
            parameters.values[range.clone()].copy_from_slice(values);
        }
        parameters
    }

    /// The model's spec.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Every tensor with the range of its values.
    pub fn tensors(&self) -> &[(TensorInfo, Range<usize>)] {
        &self.tensors
    }

    /// The values of one tensor, if the spec has it.
    pub fn get(&self, name: &str) -> Option<(&TensorInfo, &[f32])> {
        let (info, range) = self.tensors.iter().find(|(info, _)| info.name == name)?;
        Some((info, &self.values[range.clone()]))
    }

    /// Converts `values`, laid out like these parameters, to named weights.
    ///
    /// # Errors
    /// If a value is not finite.
    pub fn weights(&self, values: &[f32]) -> Result<Weights, WeightsError> {
        let mut ranges = self.tensors.iter().map(|(_, range)| range.clone());
        Weights::from_fn(self.spec.clone(), |_| {
            let range = ranges.next().expect("the same tensors in the same order");
            values[range].to_vec()
        })
    }
}
