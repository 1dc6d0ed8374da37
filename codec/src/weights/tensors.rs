//! The weight coder for any named tensors: what the weights of other programs cost.
//!
//! Tensors are scaled by a power of two to magnitudes of at most one, and coded as the
//! tensors of our own models are. A tensor of two or more dimensions is a matrix with its
//! first dimension as rows.
//!
//! # Stored form
//!
//! The number of tensors; for each its name, its dimensions, and the exponent of its scale
//! as a zigzag number, all as varints; then the range coder's stream.

use super::plan::{coarse_enough, row_steps};
use super::{LARGEST, Models, Precision, Storage, WeightError, half, integer, io, step};
use crate::range::{Decoder, Encoder};
use brevity_model::{Role, TensorInfo, varint};

/// A tensor with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its dimensions; none for a number.
    pub shape: Vec<usize>,
    /// Its values, finite, the last dimension fastest.
    pub values: Vec<f32>,
}

/// The longest name of a tensor, bytes.
const LONGEST: u64 = 1 << 12;

/// Most dimensions of a tensor.
const DIMENSIONS: u64 = 16;

/// Most values of a stored tensor that a decoder believes in.
const MOST_VALUES: u64 = 1 << 40;

impl Tensor {
    /// The exponent of the power of two by which values are divided: the least with
    /// which none exceeds one.
    fn exponent(&self) -> i32 {
        let largest = self.values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        let mut exponent = 0;
        // Both ends of the range of `f32`, denormal numbers included.
        while f64::from(largest) > power(exponent) {
            exponent += 1;
        }
        while largest > 0.0 && f64::from(largest) <= power(exponent - 1) {
            exponent -= 1;
        }
        exponent
    }

    fn scaled(&self, exponent: i32) -> Vec<f32> {
        let scale = power(-exponent);
        let values = self.values.iter();
        values.map(|&x| (f64::from(x) * scale) as f32).collect()
    }

    fn is_matrix(&self) -> bool {
        self.shape.len() > 1
    }

    /// Values of a row.
    fn columns(&self) -> usize {
        match self.is_matrix() {
            true => self.values.len() / self.shape[0].max(1),
            false => self.values.len(),
        }
    }

    /// How it is stored at a precision; vectors are 16-bit floats, as in our own models.
    #[must_use]
    pub fn storage(&self, precision: Precision) -> Storage {
        let rows = |bits| {
            let scaled = self.scaled(self.exponent());
            Storage::Rows(row_steps(&scaled, self.columns().max(1), bits))
        };
        match precision {
            _ if !self.is_matrix() => Storage::Float16,
            Precision::Float16 => Storage::Float16,
            Precision::Int8 => rows(8),
            Precision::Bits(bits) => rows(bits),
            Precision::Step(size) => {
                Storage::Step((0..=255).rev().find(|&k| step(k) >= size).unwrap_or(0))
            }
        }
    }

    /// The finest step, a number of [`step`](super::step), relative to the tensor's scale.
    #[must_use]
    pub fn finest(&self) -> u8 {
        coarse_enough(&self.scaled(self.exponent()))
    }

    /// The root of the mean square of its values, relative to its scale: from 0 to 1.
    #[must_use]
    pub fn relative_rms(&self) -> f64 {
        let scaled = self.scaled(self.exponent());
        let squares: f64 = scaled.iter().map(|&x| f64::from(x).powi(2)).sum();
        (squares / scaled.len().max(1) as f64).sqrt()
    }

    /// The values that a decoder has.
    #[must_use]
    pub fn quantise(&self, storage: &Storage) -> Vec<f32> {
        let exponent = self.exponent();
        let columns = self.columns().max(1);
        let back = |x: f32| (f64::from(x) * power(exponent)) as f32;
        let scaled = self.scaled(exponent);
        match storage {
            Storage::Float16 => scaled.iter().map(|&x| back(half(x).to_f32())).collect(),
            Storage::Zeros => vec![0.0; scaled.len()],
            Storage::Step(_) | Storage::Rows(_) => {
                let rows = scaled.chunks(columns).enumerate();
                rows.flat_map(|(row, values)| {
                    let step = storage.row_step(row);
                    let value = move |&x: &f32| back(integer(x, step) as f32 * step);
                    values.iter().map(value)
                })
                .collect()
            }
        }
    }

    /// What the coder asks of a tensor: its shape as a matrix, and which it is.
    fn info(&self) -> TensorInfo {
        let (matrix, columns) = (self.is_matrix(), self.columns());
        TensorInfo {
            name: self.name.clone(),
            shape: match matrix {
                true => vec![self.shape[0], columns],
                false => vec![columns],
            },
            role: if matrix { Role::Hidden } else { Role::Bias },
        }
    }
}

/// `2^exponent`.
fn power(exponent: i32) -> f64 {
    f64::from(exponent).exp2()
}

fn zigzag(x: i32) -> u64 {
    u64::from(((x << 1) ^ (x >> 31)) as u32)
}

fn unzigzag(x: u64) -> i32 {
    (x >> 1) as i32 ^ -((x & 1) as i32)
}

/// Tensors in their stored form.
///
/// # Panics
/// If there is not one storage for each tensor, or a shape is not that of the values.
#[must_use]
pub fn encode_tensors(tensors: &[Tensor], storage: &[Storage]) -> Vec<u8> {
    assert_eq!(tensors.len(), storage.len(), "a storage for each tensor");
    let mut out = Vec::new();
    varint::put(&mut out, tensors.len() as u64);
    let mut models = Models::new();
    let mut encoder = Encoder::default();
    for (tensor, storage) in tensors.iter().zip(storage) {
        let length: usize = tensor.shape.iter().product();
        assert_eq!(length, tensor.values.len(), "the shape of {}", tensor.name);
        varint::put(&mut out, tensor.name.len() as u64);
        out.extend(tensor.name.as_bytes());
        varint::put(&mut out, tensor.shape.len() as u64);
        for &dimension in &tensor.shape {
            varint::put(&mut out, dimension as u64);
        }
        let exponent = tensor.exponent();
        varint::put(&mut out, zigzag(exponent));
        if tensor.values.is_empty() {
            continue;
        }
        let mut storage = storage.clone();
        let mut values = tensor.scaled(exponent);
        let written = models.tensor(&mut encoder, &tensor.info(), &mut storage, &mut values);
        debug_assert_eq!(written, Ok(()));
    }
    out.extend(encoder.finish());
    out
}

/// Decodes what [`encode_tensors`] wrote, which must fill all of `bytes`.
///
/// # Errors
/// Bytes that it cannot have written. Damage may go unnoticed.
pub fn decode_tensors(bytes: &[u8]) -> Result<Vec<Tensor>, WeightError> {
    let damaged = |tensor: &str, what| WeightError::Value {
        tensor: tensor.to_owned(),
        what,
    };
    let mut at = 0;
    let number = |at: &mut usize, most| {
        let next = || {
            *at += 1;
            bytes.get(*at - 1).copied().ok_or(())
        };
        varint::read(most, next).ok().flatten()
    };
    let mut tensors = Vec::new();
    let header = |at: &mut usize| -> Option<(Tensor, i32)> {
        let length = number(at, LONGEST)? as usize;
        let name = bytes.get(*at..*at + length)?;
        *at += length;
        let name = String::from_utf8(name.to_vec()).ok()?;
        let dimensions = number(at, DIMENSIONS)?;
        let shape: Option<Vec<usize>> = (0..dimensions)
            .map(|_| Some(number(at, MOST_VALUES)? as usize))
            .collect();
        let exponent = unzigzag(number(at, 1 << 12)?);
        let tensor = Tensor {
            name,
            shape: shape?,
            values: Vec::new(),
        };
        Some((tensor, exponent))
    };
    let count = number(&mut at, 1 << 20).ok_or_else(|| damaged("", "no number of tensors"))?;
    for _ in 0..count {
        let read = header(&mut at).ok_or_else(|| damaged("", "a header that is cut off"))?;
        tensors.push(read);
    }
    let stream = &bytes[at..];
    let sizes = tensors.iter().map(|(tensor, _)| {
        let shape = tensor.shape.iter();
        shape.fold(1_u64, |all, &n| all.saturating_mul(n as u64))
    });
    let parameters = sizes.fold(0_u64, u64::saturating_add);
    if parameters > io::most_decisions(stream.len()) {
        return Err(WeightError::Claim {
            parameters,
            bytes: bytes.len(),
        });
    }
    let mut models = Models::new();
    let mut decoder = Decoder::new(stream);
    let mut decoded = Vec::new();
    for (mut tensor, exponent) in tensors {
        let length = tensor.shape.iter().product();
        tensor.values = vec![0.0; length];
        if length > 0 {
            let (info, mut storage) = (tensor.info(), Storage::Float16);
            let read = models.tensor(&mut decoder, &info, &mut storage, &mut tensor.values);
            if decoder.overrun() {
                return Err(WeightError::Stream {
                    tensor: tensor.name,
                });
            }
            read.map_err(|what| damaged(&tensor.name, what))?;
        }
        let back = |x: &mut f32| *x = (f64::from(*x) * power(exponent)) as f32;
        tensor.values.iter_mut().for_each(back);
        decoded.push(tensor);
    }
    if !decoder.ended() {
        let tensor = decoded.pop().map_or_else(String::new, |tensor| tensor.name);
        return Err(WeightError::Stream { tensor });
    }
    Ok(decoded)
}

/// Whether all values are whole numbers that a step of their scale stores exactly; gives
/// that step.
#[must_use]
pub fn whole(tensor: &Tensor) -> Option<Storage> {
    let exponent = tensor.exponent();
    let fits = |x: &f32| x.fract() == 0.0 && x.abs() <= LARGEST as f32;
    let index = u8::try_from(8 * exponent.max(0)).ok()?;
    tensor
        .values
        .iter()
        .all(fits)
        .then_some(Storage::Step(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize], value: impl Fn(usize) -> f32) -> Tensor {
        let length = shape.iter().product();
        Tensor {
            name: name.into(),
            shape: shape.to_vec(),
            values: (0..length).map(value).collect(),
        }
    }

    fn all() -> Vec<Tensor> {
        let wave = |scale: f32| move |i: usize| (i as f32 * 0.7).sin() * scale;
        vec![
            tensor("conv.weight", &[4, 3, 5, 5], wave(0.1)),
            tensor("conv.bias", &[4], wave(3.0)),
            tensor("huge", &[3, 70], wave(3e38)),
            tensor("tiny", &[3, 70], wave(1e-40)),
            tensor("empty", &[0, 7], wave(1.0)),
            tensor("count", &[], |_| 512.0),
            tensor("zeros", &[2, 2], |_| 0.0),
        ]
    }

    #[test]
    fn decoding_gives_the_quantised_values() {
        let tensors = all();
        for precision in [
            Precision::Float16,
            Precision::Int8,
            Precision::Bits(4),
            Precision::Step(0.01),
        ] {
            let storage: Vec<Storage> = tensors.iter().map(|t| t.storage(precision)).collect();
            let decoded = decode_tensors(&encode_tensors(&tensors, &storage)).unwrap();
            for ((tensor, storage), decoded) in tensors.iter().zip(&storage).zip(decoded) {
                assert_eq!(decoded.name, tensor.name);
                assert_eq!(decoded.shape, tensor.shape);
                assert_eq!(decoded.values, tensor.quantise(storage), "{}", tensor.name);
            }
        }
        let huge = &tensors[2];
        let error = |storage: &Storage| {
            let pairs = huge.values.iter().zip(huge.quantise(storage));
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(error(&huge.storage(Precision::Int8)) < 3e38 / 200.0);
        assert!(error(&huge.storage(Precision::Bits(4))) > 3e38 / 200.0);
    }

    #[test]
    fn whole_numbers_are_stored_exactly() {
        for values in [
            vec![0.0, 3.0, -7.0, 512.0],
            vec![1_000_000.0],
            vec![0.0],
            vec![1.0],
        ] {
            let tensor = Tensor {
                name: "n".into(),
                shape: vec![values.len()],
                values,
            };
            let storage = whole(&tensor).unwrap();
            assert_eq!(tensor.quantise(&storage), tensor.values);
        }
        assert_eq!(whole(&tensor("n", &[1], |_| 0.5)), None);
        assert_eq!(whole(&tensor("n", &[1], |_| 2e6)), None);
    }

    #[test]
    fn truncations_are_noticed() {
        let tensors = all();
        let storage: Vec<Storage> = tensors.iter().map(|t| t.storage(Precision::Int8)).collect();
        let bytes = encode_tensors(&tensors, &storage);
        for length in 0..bytes.len() {
            assert!(decode_tensors(&bytes[..length]).is_err(), "{length}");
        }
    }
}
