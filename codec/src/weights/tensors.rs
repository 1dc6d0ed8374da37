//! The weight coder for any named tensors: what the weights of other programs cost.
//!
//! Tensors are scaled by a power of two to magnitudes of at most one, and coded as the
//! tensors of our own models are. A tensor of two or more dimensions is a matrix with its
//! first dimension as rows.

use super::plan::{coarse_enough, row_steps};
use super::streamed::{TensorDecoder, TensorEncoder, TensorShape, exponent_of, scaled, unscaled};
use super::{LARGEST, Precision, Storage, WeightError, half, integer, step};

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

impl Tensor {
    fn largest(&self) -> f32 {
        self.values.iter().fold(0.0, |m, x| m.max(x.abs()))
    }

    fn exponent(&self) -> i32 {
        exponent_of(self.largest())
    }

    fn scaled(&self, exponent: i32) -> Vec<f32> {
        scaled(&self.values, exponent).collect()
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
        let back = |x: f32| unscaled(x, exponent);
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
}

/// Tensors in their stored form.
///
/// # Panics
/// If there is not one storage for each tensor, or a shape is not that of the values.
#[must_use]
pub fn encode_tensors(tensors: &[Tensor], storage: &[Storage]) -> Vec<u8> {
    assert_eq!(tensors.len(), storage.len(), "a storage for each tensor");
    let mut encoder = TensorEncoder::new();
    for (tensor, storage) in tensors.iter().zip(storage) {
        let shape = TensorShape {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
        };
        let length = shape.values();
        assert_eq!(length, tensor.values.len(), "the shape of {}", tensor.name);
        encoder.begin(&shape, tensor.largest(), storage.clone());
        let rows = tensor.values.chunks(tensor.columns().max(1));
        rows.for_each(|row| encoder.row(row));
    }
    encoder.finish()
}

/// Decodes what [`encode_tensors`] wrote, which must fill all of `bytes`.
///
/// # Errors
/// Bytes that it cannot have written. Damage may go unnoticed.
pub fn decode_tensors(bytes: &[u8]) -> Result<Vec<Tensor>, WeightError> {
    let mut decoder = TensorDecoder::new(bytes)?;
    let mut tensors = Vec::new();
    loop {
        let mut values = Vec::new();
        let mut take = |shape: &TensorShape, row: &[f32]| {
            if values.is_empty() {
                values.reserve_exact(shape.values());
            }
            values.extend_from_slice(row);
        };
        let Some(TensorShape { name, shape }) = decoder.next_tensor(&mut take)? else {
            return Ok(tensors);
        };
        tensors.push(Tensor {
            name,
            shape,
            values,
        });
    }
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
