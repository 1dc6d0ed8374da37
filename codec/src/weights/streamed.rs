//! The stored form of named tensors, written and read a row at a time, so that no matrix
//! has to be in memory. A vector is one row.
//!
//! # Stored form
//!
//! The number of tensors; for each its name, its dimensions, and the exponent of its scale
//! as a zigzag number, all as varints; then the range coder's stream. A tensor of two or
//! more dimensions is a matrix with its first dimension as rows.

use super::plan::coarse_enough;
use super::{Models, Rows, Storage, WeightError, io};
use crate::range::{Decoder, Encoder};
use brevity_model::{Role, TensorInfo, varint};

/// The longest name of a tensor, bytes.
const LONGEST: u64 = 1 << 12;

/// Most dimensions of a tensor.
const DIMENSIONS: u64 = 16;

/// The exponents that [`exponent_of`] gives to finite numbers.
const EXPONENTS: std::ops::RangeInclusive<i32> = -149..=128;

/// Most values of a stored tensor that a decoder believes in.
const MOST_VALUES: u64 = 1 << 40;

/// The name and the dimensions of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorShape {
    /// Its name.
    pub name: String,
    /// Its dimensions; none for a number.
    pub shape: Vec<usize>,
}

impl TensorShape {
    /// Number of values.
    #[must_use]
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// Values of a row: of a vector all of them.
    #[must_use]
    pub fn columns(&self) -> usize {
        match self.shape.len() > 1 {
            true => self.values() / self.shape[0].max(1),
            false => self.values(),
        }
    }

    /// What the coder asks of a tensor: its shape as a matrix, and which it is.
    fn info(&self) -> TensorInfo {
        let (matrix, columns) = (self.shape.len() > 1, self.columns());
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

/// The exponent of the power of two by which values are divided whose largest magnitude
/// is `largest`: the least with which none exceeds one.
pub(super) fn exponent_of(largest: f32) -> i32 {
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

/// `2^exponent`, exactly.
///
/// # Panics
/// In debug builds, if it is no normal number.
fn power(exponent: i32) -> f64 {
    debug_assert!((-1022..=1023).contains(&exponent));
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Values divided by the power of two of an exponent.
pub(super) fn scaled(values: &[f32], exponent: i32) -> impl Iterator<Item = f32> {
    let scale = power(-exponent);
    values.iter().map(move |&x| (f64::from(x) * scale) as f32)
}

/// The value of which `x` is the scaled one.
pub(super) fn unscaled(x: f32, exponent: i32) -> f32 {
    (f64::from(x) * power(exponent)) as f32
}

fn zigzag(x: i32) -> u64 {
    u64::from(((x << 1) ^ (x >> 31)) as u32)
}

fn unzigzag(x: u64) -> i32 {
    (x >> 1) as i32 ^ -((x & 1) as i32)
}

/// One step for all values of a matrix, the finest with which they take at most `bits`
/// bits a value, as far as `sample` tells: some of its rows, of `columns` values each.
/// `largest` is the largest magnitude of the whole matrix. Steps are an eighth of an
/// octave apart, so up to an eighth of a bit remains unused.
///
/// # Panics
/// If the sample is not whole rows.
#[must_use]
pub fn step_at_bits(sample: &[f32], columns: usize, largest: f32, bits: f64) -> Storage {
    assert!(sample.len().is_multiple_of(columns.max(1)), "whole rows");
    let values: Vec<f32> = scaled(sample, exponent_of(largest)).collect();
    let shape = TensorShape {
        name: String::new(),
        shape: vec![sample.len() / columns.max(1), columns],
    };
    let fits = |k: u8| {
        let (mut models, mut encoder) = (Models::new(), Encoder::default());
        let mut values = values.clone();
        let step = Storage::Step(k);
        let written = models.tensor(&mut encoder, &shape.info(), &step, &mut values);
        debug_assert_eq!(written, Ok(()));
        encoder.finish().len() as f64 * 8.0 <= bits * values.len() as f64
    };
    let (mut enough, mut more) = (0, coarse_enough(&[1.0]) + 1);
    while more - enough > 1 {
        let middle = u8::midpoint(enough, more);
        match fits(middle) {
            true => enough = middle,
            false => more = middle,
        }
    }
    Storage::Step(enough)
}

/// Writes tensors in their stored form.
///
/// ```
/// use brevity_codec::weights::{Storage, TensorDecoder, TensorEncoder, TensorShape};
///
/// let shape = TensorShape { name: "w".into(), shape: vec![2, 3] };
/// let mut encoder = TensorEncoder::new();
/// // Steps are relative to the scale, here 1.
/// encoder.begin(&shape, 0.75, Storage::Step(16));
/// encoder.row(&[0.5, -0.25, 0.0]);
/// encoder.row(&[0.75, 0.1, 0.25]);
/// let bytes = encoder.finish();
///
/// let (mut decoder, mut values) = (TensorDecoder::new(&bytes)?, Vec::new());
/// let found = decoder.next_tensor(&mut |_, row| values.extend_from_slice(row))?;
/// assert_eq!(found, Some(shape));
/// assert_eq!(values, [0.5, -0.25, 0.0, 0.75, 0.0, 0.25]);
/// assert_eq!(decoder.next_tensor(&mut |_, _| {})?, None);
/// # Ok::<(), brevity_codec::weights::WeightError>(())
/// ```
pub struct TensorEncoder {
    headers: Vec<u8>,
    count: u64,
    models: Models,
    encoder: Encoder,
    tensor: Option<Current>,
}

/// The tensor that is written.
struct Current {
    rows: Rows,
    storage: Storage,
    exponent: i32,
    columns: usize,
    /// Values that are missing.
    missing: usize,
}

impl TensorEncoder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> TensorEncoder {
        TensorEncoder {
            headers: Vec::new(),
            count: 0,
            models: Models::new(),
            encoder: Encoder::default(),
            tensor: None,
        }
    }

    /// Begins a tensor whose largest magnitude is `largest`, stored as `storage` says.
    ///
    /// # Panics
    /// If rows of the tensor before are missing.
    pub fn begin(&mut self, shape: &TensorShape, largest: f32, storage: Storage) {
        self.complete();
        self.count += 1;
        varint::put(&mut self.headers, shape.name.len() as u64);
        self.headers.extend(shape.name.as_bytes());
        varint::put(&mut self.headers, shape.shape.len() as u64);
        for &dimension in &shape.shape {
            varint::put(&mut self.headers, dimension as u64);
        }
        let exponent = exponent_of(largest);
        varint::put(&mut self.headers, zigzag(exponent));
        if shape.values() == 0 {
            return;
        }
        let rows = self
            .models
            .begin(&mut self.encoder, &shape.info(), &storage);
        self.tensor = Some(Current {
            rows,
            storage,
            exponent,
            columns: shape.columns(),
            missing: shape.values(),
        });
    }

    /// Writes the next row of the tensor.
    ///
    /// # Panics
    /// If the row is of another length, or the tensor has no more.
    pub fn row(&mut self, values: &[f32]) {
        let tensor = self.tensor.as_mut().expect("a tensor was begun");
        assert_eq!(values.len(), tensor.columns, "a row of the tensor");
        assert!(tensor.missing > 0, "the tensor is complete");
        tensor.missing -= values.len();
        let mut values: Vec<f32> = scaled(values, tensor.exponent).collect();
        let Current { rows, storage, .. } = tensor;
        let written = self
            .models
            .row(&mut self.encoder, rows, storage, &mut values);
        debug_assert_eq!(written, Ok(()));
    }

    /// The stored form of all tensors.
    ///
    /// # Panics
    /// If rows of the last tensor are missing.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.complete();
        let mut out = Vec::new();
        varint::put(&mut out, self.count);
        out.extend(self.headers);
        out.extend(self.encoder.finish());
        out
    }

    fn complete(&self) {
        let missing = self.tensor.as_ref().map_or(0, |tensor| tensor.missing);
        assert_eq!(missing, 0, "values of a tensor are missing");
    }
}

impl Default for TensorEncoder {
    fn default() -> TensorEncoder {
        TensorEncoder::new()
    }
}

/// Reads what [`TensorEncoder`] wrote.
pub struct TensorDecoder<'a> {
    tensors: std::vec::IntoIter<(TensorShape, i32)>,
    /// The last one that was begun.
    last: String,
    models: Models,
    decoder: Decoder<'a>,
}

impl<'a> TensorDecoder<'a> {
    /// Reads the headers; the stream must fill the rest of `bytes`.
    ///
    /// # Errors
    /// Headers that are damaged, or claim more values than the bytes can hold.
    pub fn new(bytes: &'a [u8]) -> Result<TensorDecoder<'a>, WeightError> {
        let cut = |what| WeightError::Value {
            tensor: String::new(),
            what,
        };
        let mut at = 0;
        let count = number(bytes, &mut at, 1 << 20).ok_or_else(|| cut("no number of tensors"))?;
        let mut tensors = Vec::new();
        let mut parameters = 0_u64;
        for _ in 0..count {
            let read = header(bytes, &mut at).ok_or_else(|| cut("a header that is cut off"))?;
            let shape = read.0.shape.iter();
            let values = shape.fold(1_u64, |all, &n| all.saturating_mul(n as u64));
            parameters = parameters.saturating_add(values);
            tensors.push(read);
        }
        let stream = &bytes[at..];
        if parameters > io::most_decisions(stream.len()) {
            return Err(WeightError::Claim {
                parameters,
                bytes: bytes.len(),
            });
        }
        Ok(TensorDecoder {
            tensors: tensors.into_iter(),
            last: String::new(),
            models: Models::new(),
            decoder: Decoder::new(stream),
        })
    }

    /// Reads the next tensor: `take` gets its rows in order. `None` after the last one.
    ///
    /// # Errors
    /// Bytes that no encoder wrote. Damage may go unnoticed.
    pub fn next_tensor(
        &mut self,
        take: &mut dyn FnMut(&TensorShape, &[f32]),
    ) -> Result<Option<TensorShape>, WeightError> {
        let Some((shape, exponent)) = self.tensors.next() else {
            return match self.decoder.ended() {
                true => Ok(None),
                false => Err(WeightError::Stream {
                    tensor: std::mem::take(&mut self.last),
                }),
            };
        };
        self.last.clone_from(&shape.name);
        let (values, columns) = (shape.values(), shape.columns());
        if values == 0 {
            return Ok(Some(shape));
        }
        let unknown = Storage::Float16;
        let mut rows = self
            .models
            .begin(&mut self.decoder, &shape.info(), &unknown);
        let (mut row, scale) = (vec![0.0; columns], power(exponent));
        for _ in 0..values / columns {
            let read = self
                .models
                .row(&mut self.decoder, &mut rows, &unknown, &mut row);
            if self.decoder.overrun() {
                return Err(WeightError::Stream { tensor: shape.name });
            }
            read.map_err(|what| WeightError::Value {
                tensor: shape.name.clone(),
                what,
            })?;
            for x in &mut row {
                *x = (f64::from(*x) * scale) as f32;
            }
            take(&shape, &row);
        }
        Ok(Some(shape))
    }
}

/// A varint of at most `most`.
fn number(bytes: &[u8], at: &mut usize, most: u64) -> Option<u64> {
    let next = || {
        *at += 1;
        bytes.get(*at - 1).copied().ok_or(())
    };
    varint::read(most, next).ok().flatten()
}

/// Name, dimensions and exponent of a tensor.
fn header(bytes: &[u8], at: &mut usize) -> Option<(TensorShape, i32)> {
    let length = number(bytes, at, LONGEST)? as usize;
    let name = bytes.get(*at..*at + length)?;
    *at += length;
    let name = String::from_utf8(name.to_vec()).ok()?;
    let dimensions = number(bytes, at, DIMENSIONS)?;
    let shape: Option<Vec<usize>> = (0..dimensions)
        .map(|_| Some(number(bytes, at, MOST_VALUES)? as usize))
        .collect();
    let shape = shape?;
    // Of dimensions in any order, so that no product of some of them overflows.
    let values = shape
        .iter()
        .map(|&n| n.max(1))
        .try_fold(1, usize::checked_mul)?;
    let exponent = unzigzag(number(bytes, at, 1 << 12)?);
    let valid = values as u64 <= MOST_VALUES && EXPONENTS.contains(&exponent);
    valid.then_some((TensorShape { name, shape }, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fill_so_many_bits() {
        // Roughly Gaussian, rows of several scales.
        let mut state = 1_u32;
        let mut unit = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 2f32.powi(24) - 0.5
        };
        let columns = 64;
        let values: Vec<f32> = (0..600 * columns)
            .map(|i| (unit() + unit() + unit()) * [0.3, 5.0, 1.0][i / columns % 3])
            .collect();
        let largest = values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        for bits in [1.0, 2.5, 3.0, 4.0, 6.0, 9.0, 14.0] {
            let storage = step_at_bits(&values[..200 * columns], columns, largest, bits);
            let mut encoder = TensorEncoder::new();
            let shape = TensorShape {
                name: "w".into(),
                shape: vec![600, columns],
            };
            encoder.begin(&shape, largest, storage);
            values.chunks(columns).for_each(|row| encoder.row(row));
            let taken = encoder.finish().len() as f64 * 8.0 / values.len() as f64;
            assert!(
                (bits - 0.2..bits + 0.03).contains(&taken),
                "{bits}: {taken}"
            );
        }
    }

    #[test]
    fn headers_of_impossible_tensors_are_refused() {
        let header_of = |shape: &[u64], exponent: u64| {
            let mut bytes = Vec::new();
            for number in [0, shape.len() as u64]
                .iter()
                .chain(shape)
                .chain([&exponent])
            {
                varint::put(&mut bytes, *number);
            }
            header(&bytes, &mut 0)
        };
        assert!(header_of(&[2, 3], 0).is_some());
        assert!(header_of(&[1 << 40, 1 << 40, 0], 0).is_none());
        assert!(header_of(&[1 << 30, 1 << 30], 0).is_none());
        for (stored, exponent) in [(256, 128), (297, -149)] {
            let read = header_of(&[1], stored).expect("a power of two");
            assert_eq!(read.1, exponent);
        }
        assert!(header_of(&[1], 258).is_none());
        assert!(header_of(&[1], 299).is_none());
    }

    #[test]
    #[should_panic(expected = "values of a tensor are missing")]
    fn a_tensor_without_all_rows_is_not_written() {
        let mut encoder = TensorEncoder::new();
        let shape = TensorShape {
            name: "w".into(),
            shape: vec![2, 2],
        };
        encoder.begin(&shape, 1.0, Storage::Float16);
        encoder.row(&[0.5, 1.0]);
        let _ = encoder.finish();
    }
}
