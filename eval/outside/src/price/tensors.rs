//! Tensors of any type of number, taken as weights.

use super::{MOST_VALUES, PriceError};
use brevity_codec::weights::{Precision, Storage, Tensor, whole};
use half::{bf16, f16};

/// The type of the numbers of a tensor, as its file has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// The upper half of a 32-bit float.
    Bf16,
    /// Signed whole number of so many bytes.
    Signed(usize),
    /// Unsigned whole number of so many bytes.
    Unsigned(usize),
}

impl Kind {
    /// Bytes of a number.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Kind::F64 => 8,
            Kind::F32 => 4,
            Kind::F16 | Kind::Bf16 => 2,
            Kind::Signed(bytes) | Kind::Unsigned(bytes) => bytes,
        }
    }

    /// The type that numpy names so, without the sign of the byte order: `f4`, `i8`.
    #[must_use]
    pub fn of_numpy(name: &str) -> Option<Kind> {
        Some(match name {
            "f8" => Kind::F64,
            "f4" => Kind::F32,
            "f2" => Kind::F16,
            "i1" => Kind::Signed(1),
            "i2" => Kind::Signed(2),
            "i4" => Kind::Signed(4),
            "i8" => Kind::Signed(8),
            "u1" => Kind::Unsigned(1),
            "u2" => Kind::Unsigned(2),
            "u4" => Kind::Unsigned(4),
            "u8" => Kind::Unsigned(8),
            _ => return None,
        })
    }

    fn is_whole(self) -> bool {
        matches!(self, Kind::Signed(_) | Kind::Unsigned(_))
    }

    /// The number that little-endian bytes hold.
    fn value(self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let unsigned = u64::from_le_bytes(wide);
        match self {
            Kind::F64 => f64::from_bits(unsigned),
            Kind::F32 => f32::from_bits(unsigned as u32).into(),
            Kind::F16 => f16::from_bits(unsigned as u16).into(),
            Kind::Bf16 => bf16::from_bits(unsigned as u16).into(),
            Kind::Unsigned(_) => unsigned as f64,
            Kind::Signed(bytes) => {
                let unused = 64 - 8 * bytes as u32;
                ((unsigned << unused) as i64 >> unused) as f64
            }
        }
    }
}

/// A tensor as it lies in a file.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// The type of its numbers.
    pub kind: Kind,
    /// The numbers, little-endian, the last dimension fastest.
    pub bytes: &'a [u8],
}

/// Weights that are priced.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    /// The tensors.
    pub tensors: Vec<Tensor>,
    /// For whole numbers, such as counters: how they are stored exactly.
    pub exact: Vec<Option<Storage>>,
    /// Bytes of the numbers as given.
    pub in_file: u64,
}

impl Weights {
    /// Adds a tensor.
    ///
    /// # Errors
    /// Values that are not finite or too large; whole numbers beyond 2^20; a shape of
    /// other bytes; too many values.
    pub fn push(&mut self, stored: &Stored<'_>) -> Result<(), PriceError> {
        let problem = |problem: String| PriceError::Tensor {
            tensor: stored.name.clone(),
            problem,
        };
        let shape = stored.shape.iter();
        let values = shape.fold(1_u64, |all, &n| all.saturating_mul(n as u64));
        let known: u64 = self.tensors.iter().map(|t| t.values.len() as u64).sum();
        if values.saturating_add(known) > MOST_VALUES {
            return Err(PriceError::TooMany {
                values: values.saturating_add(known),
            });
        }
        if values.saturating_mul(stored.kind.bytes() as u64) != stored.bytes.len() as u64 {
            return Err(problem(format!(
                "has {} bytes for the shape {:?}",
                stored.bytes.len(),
                stored.shape
            )));
        }
        let mut tensor = Tensor {
            name: stored.name.clone(),
            shape: stored.shape.clone(),
            values: Vec::with_capacity(values as usize),
        };
        for (i, bytes) in stored.bytes.chunks_exact(stored.kind.bytes()).enumerate() {
            let value = stored.kind.value(bytes);
            let narrow = value as f32;
            if !narrow.is_finite() {
                return Err(problem(format!("has the value {value} at index {i}")));
            }
            tensor.values.push(narrow);
        }
        let exact = match stored.kind.is_whole() {
            false => None,
            true => Some(whole(&tensor).ok_or_else(|| {
                problem("has whole numbers beyond 2^20, which are no weights: leave it out".into())
            })?),
        };
        self.in_file += stored.bytes.len() as u64;
        self.tensors.push(tensor);
        self.exact.push(exact);
        Ok(())
    }

    /// How each tensor is stored at a precision; whole numbers exactly.
    pub(super) fn storage(&self, precision: Precision) -> Vec<Storage> {
        let tensors = self.tensors.iter().zip(&self.exact);
        tensors
            .map(|(tensor, exact)| match exact {
                Some(exact) => exact.clone(),
                None => tensor.storage(precision),
            })
            .collect()
    }
}

/// What is no number of a weight, in words.
pub(super) fn no_weight(name: &str, kind: &str) -> PriceError {
    PriceError::Tensor {
        tensor: name.to_owned(),
        problem: format!("is of type {kind}, which is no weight: leave it out with --skip {name}"),
    }
}
