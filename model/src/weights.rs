//! Weights: a spec and the values of all its parameters.

use crate::parameters::TensorInfo;
use crate::spec::{Spec, SpecError};
use brevity_kernels::mixture::GATES;
use std::collections::BTreeMap;

/// Name of the gates in a model file.
pub(crate) const GATES_NAME: &str = "mixture.gates";

/// The parameters of a transformer: every tensor of the spec in its shape, and every
/// value finite. The constructors check this.
///
/// ```
/// use brevity_model::{Spec, Weights};
///
/// let spec = Spec::aspect(16, 64);
/// let weights = Weights::from_fn(spec, |info| vec![0.01; info.len()])?;
/// assert_eq!(weights.get("embedding.weight").map(<[f32]>::len), Some(256 * 16));
/// # Ok::<(), brevity_model::WeightsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    spec: Spec,
    tensors: Vec<Tensor>,
    gates: Option<[f32; GATES]>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    info: TensorInfo,
    values: Vec<f32>,
}

/// Values that are not the parameters of a spec.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// The spec is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A tensor of the spec is missing.
    #[error("tensor `{0}` is missing: the model does not match its spec")]
    Missing(String),
    /// A tensor is not in the spec.
    #[error("tensor `{0}` does not belong to this spec")]
    Unknown(String),
    /// A tensor has the wrong number of values.
    #[error("tensor `{name}` has {got} values, its shape {shape:?} needs {}", shape.iter().product::<usize>())]
    Length {
        /// The tensor.
        name: String,
        /// The shape by the spec.
        shape: Vec<usize>,
        /// The number of values given.
        got: usize,
    },
    /// A value is NaN or infinite.
    #[error("tensor `{name}` holds {value} at index {index}: the model cannot code anything")]
    NonFinite {
        /// The tensor.
        name: String,
        /// The index of the value, row-major.
        index: usize,
        /// The value.
        value: f32,
    },
}

impl Weights {
    /// Weights from named tensors, row-major.
    ///
    /// # Errors
    /// The spec is invalid; a tensor is missing, unknown or of the wrong length; a value
    /// is not finite.
    pub fn new(
        spec: Spec,
        tensors: impl IntoIterator<Item = (String, Vec<f32>)>,
    ) -> Result<Weights, WeightsError> {
        spec.validate()?;
        let mut given: BTreeMap<String, Vec<f32>> = tensors.into_iter().collect();
        let mut list = Vec::new();
        for info in spec.tensors() {
            let Some(values) = given.remove(&info.name) else {
                return Err(WeightsError::Missing(info.name));
            };
            list.push(Tensor::checked(info, values)?);
        }
        if let Some((name, _)) = given.pop_first() {
            return Err(WeightsError::Unknown(name));
        }
        Ok(Weights {
            spec,
            tensors: list,
            gates: None,
        })
    }

    /// Calls `values` for each tensor of `spec`, in canonical order; it returns the values,
    /// row-major.
    ///
    /// # Errors
    /// Those of [`Weights::new`].
    pub fn from_fn(
        spec: Spec,
        mut values: impl FnMut(&TensorInfo) -> Vec<f32>,
    ) -> Result<Weights, WeightsError> {
        spec.validate()?;
        let tensors = spec
            .tensors()
            .into_iter()
            .map(|info| {
                let values = values(&info);
                Tensor::checked(info, values)
            })
            .collect::<Result<_, _>>()?;
        Ok(Weights {
            spec,
            tensors,
            gates: None,
        })
    }

    /// The same weights, trained beside context models with these gates (see
    /// [`brevity_kernels::mixture`]). They are no parameters: each block of an archive
    /// has its own.
    ///
    /// # Errors
    /// A gate that is not finite.
    pub fn with_gates(mut self, gates: Option<[f32; GATES]>) -> Result<Weights, WeightsError> {
        if let Some(index) = gates.iter().flatten().position(|gate| !gate.is_finite()) {
            return Err(WeightsError::NonFinite {
                name: GATES_NAME.into(),
                index,
                value: gates.into_iter().flatten().nth(index).unwrap_or(f32::NAN),
            });
        }
        self.gates = gates;
        Ok(self)
    }

    /// The gates of the mixture that the weights were trained in; `None` if they were
    /// trained alone.
    pub fn gates(&self) -> Option<&[f32; GATES]> {
        self.gates.as_ref()
    }

    /// The spec.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The values of a tensor, row-major; `None` if the spec does not have it.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let tensor = self.tensors.iter().find(|t| t.info.name == name)?;
        Some(&tensor.values)
    }

    /// All tensors in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TensorInfo, &[f32])> {
        self.tensors.iter().map(|t| (&t.info, &t.values[..]))
    }

    /// Number of parameters, `N`.
    pub fn parameters(&self) -> u64 {
        self.spec.parameters()
    }
}

impl Tensor {
    fn checked(info: TensorInfo, values: Vec<f32>) -> Result<Tensor, WeightsError> {
        if values.len() != info.len() {
            return Err(WeightsError::Length {
                name: info.name,
                shape: info.shape,
                got: values.len(),
            });
        }
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(WeightsError::NonFinite {
                name: info.name,
                index,
                value: values[index],
            });
        }
        Ok(Tensor { info, values })
    }
}
