//! What anybody's weights cost: named tensors under our weight coder.
//!
//! - [`read`] takes the tensors of a safetensors or `.npz` file;
//! - [`price`] gives their bytes as plain numbers, and entropy-coded at some precisions,
//!   each decoded again; with a loss, the precision with the shortest description of
//!   weights and data ([`shortest`]);
//! - [`save`] writes tensors for a program that computes the loss.
//!
//! A part of a two-part code: with the code length of the data under the *quantised*
//! weights it is the description length of the data, which is what models are selected by.

mod files;
mod npy;
mod search;
mod tensors;

pub use files::{read, save};
pub use search::{Price, Shortest, shortest};
pub use tensors::{Kind, Stored, Weights};

use brevity_codec::weights::{Precision, Storage, Tensor, decode_tensors, encode_tensors};
use std::path::PathBuf;

/// Most values of all tensors together: 8 GB as 32-bit floats.
pub const MOST_VALUES: u64 = 1 << 31;

/// Why weights cannot be priced.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what its name says.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A tensor is no weight.
    #[error("tensor `{tensor}` {problem}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// What is wrong.
        problem: String,
    },
    /// There are no weights.
    #[error("there are no weights to price")]
    Empty,
    /// More values than fit into memory.
    #[error("{values} values in all, more than {MOST_VALUES}: price parts of them")]
    TooMany {
        /// How many there are.
        values: u64,
    },
    /// The loss cannot be had.
    #[error("the loss: {0}")]
    Loss(String),
    /// What was coded does not decode.
    #[error("the coded weights do not decode")]
    Decode(#[source] brevity_codec::weights::WeightError),
    /// What was coded decodes to other values.
    #[error("the coded weights decode to other values in tensor `{0}`")]
    Differs(String),
    /// Stopped on request.
    #[error("stopped")]
    Stopped,
}

/// Weights at one precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Coded {
    /// Its name: `fp16`, `int8`, `4-bit`, ...
    pub name: String,
    /// Bytes, names and shapes included, decoded again.
    pub bytes: u64,
    /// Root of the mean square of the errors over that of the values.
    pub relative_error: f64,
    /// Code length of the data under these weights, bits, if there is a loss.
    pub data_bits: Option<f64>,
}

/// What weights cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Priced {
    /// Number of tensors.
    pub tensors: usize,
    /// Number of values.
    pub parameters: u64,
    /// Bytes as they are in the file, without names and shapes.
    pub in_file: u64,
    /// Bytes at 4 a value.
    pub fp32: u64,
    /// Bytes at 2 a value: the convention `fp16`.
    pub fp16: u64,
    /// Entropy-coded at fixed precisions.
    pub coded: Vec<Coded>,
    /// At the precision with the shortest description of weights and data.
    pub shortest: Option<Coded>,
    /// Code length of the data under the weights as they are, bits.
    pub exact_bits: Option<f64>,
}

/// The code length of the data, in bits, under tensors.
pub type Loss<'a> = &'a mut dyn FnMut(&[Tensor]) -> Result<f64, PriceError>;

/// The precisions that are always told.
const PRECISIONS: [(&str, Precision); 3] = [
    ("fp16", Precision::Float16),
    ("int8", Precision::Int8),
    ("4-bit", Precision::Bits(4)),
];

/// Prices weights. `loss` gives the code length of the data under the tensors it gets,
/// which it is asked about 40 times.
///
/// # Errors
/// No weights; values that are not finite; a loss that fails or is no length.
pub fn price(weights: &Weights, mut loss: Option<Loss<'_>>) -> Result<Priced, PriceError> {
    let tensors = &weights.tensors;
    let parameters = tensors.iter().map(|t| t.values.len() as u64).sum();
    if parameters == 0 {
        return Err(PriceError::Empty);
    }
    let mut coded = Vec::new();
    for (name, precision) in PRECISIONS {
        let storage: Vec<Storage> = weights.storage(precision);
        coded.push(self::coded(name, tensors, &storage, &mut loss)?);
    }
    let mut found = (None, None);
    if let Some(loss) = &mut loss {
        let best = shortest(weights, loss)?;
        let priced = self::coded("shortest", tensors, &best.storage, &mut None)?;
        found = (
            Some(Coded {
                data_bits: Some(best.price.data),
                ..priced
            }),
            Some(best.exact),
        );
    }
    Ok(Priced {
        tensors: tensors.len(),
        parameters,
        in_file: weights.in_file,
        fp32: 4 * parameters,
        fp16: 2 * parameters,
        coded,
        shortest: found.0,
        exact_bits: found.1,
    })
}

/// The tensors as a decoder has them.
fn quantised(tensors: &[Tensor], storage: &[Storage]) -> Vec<Tensor> {
    let pairs = tensors.iter().zip(storage);
    pairs
        .map(|(tensor, storage)| Tensor {
            values: tensor.quantise(storage),
            ..tensor.clone()
        })
        .collect()
}

fn coded(
    name: &str,
    tensors: &[Tensor],
    storage: &[Storage],
    loss: &mut Option<Loss<'_>>,
) -> Result<Coded, PriceError> {
    let bytes = encode_tensors(tensors, storage);
    let decoded = decode_tensors(&bytes).map_err(PriceError::Decode)?;
    let (mut errors, mut squares) = (0.0, 0.0);
    for ((tensor, storage), decoded) in tensors.iter().zip(storage).zip(&decoded) {
        if decoded.values != tensor.quantise(storage) || decoded.shape != tensor.shape {
            return Err(PriceError::Differs(tensor.name.clone()));
        }
        for (a, b) in tensor.values.iter().zip(&decoded.values) {
            errors += (f64::from(*a) - f64::from(*b)).powi(2);
            squares += f64::from(*a).powi(2);
        }
    }
    Ok(Coded {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        relative_error: if squares > 0.0 {
            (errors / squares).sqrt()
        } else {
            0.0
        },
        data_bits: match loss {
            Some(loss) => Some(length(loss(&decoded)?)?),
            None => None,
        },
    })
}

/// A code length that may be one.
fn length(bits: f64) -> Result<f64, PriceError> {
    match bits.is_finite() && bits >= 0.0 {
        true => Ok(bits),
        false => Err(PriceError::Loss(format!(
            "{bits} is no code length: give the bits of all data, a finite number"
        ))),
    }
}
