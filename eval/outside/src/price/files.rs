//! Tensors from files: safetensors and `.npz`.

use super::npy::npz;
use super::{MOST_VALUES, PriceError};
use brevity_codec::weights::{Precision, Storage, Tensor, whole};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::fs::File;
use std::io;
use std::path::Path;

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

/// Reads the tensors of a safetensors file, or of an `.npz` file of numpy; those whose
/// names `skip` has are left out.
///
/// # Errors
/// A file that cannot be read or is none of the two; tensors of bools, complex numbers or
/// texts; and as [`Weights::push`].
pub fn read(path: &Path, skip: &dyn Fn(&str) -> bool) -> Result<Weights, PriceError> {
    let io = |source: io::Error| PriceError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(io(io::Error::other("it is no file")));
    }
    // SAFETY: the file is only read; whoever changes it meanwhile gets a wrong price.
    let bytes = unsafe { Mmap::map(&file) }.map_err(io)?;
    let problem = |problem: String| PriceError::File {
        path: path.to_owned(),
        problem,
    };
    let mut weights = Weights::default();
    if bytes.starts_with(b"PK") {
        npz(&bytes, &problem, skip, &mut weights)?;
    } else {
        let file = SafeTensors::deserialize(&bytes).map_err(|error| {
            problem(format!("neither a safetensors file ({error}) nor an .npz"))
        })?;
        let mut tensors = file.tensors();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, view) in tensors.iter().filter(|(name, _)| !skip(name)) {
            weights.push(&stored(name, view)?)?;
        }
    }
    match weights.tensors.is_empty() {
        true => Err(PriceError::Empty),
        false => Ok(weights),
    }
}

/// What is no number of a weight, in words.
pub(super) fn no_weight(name: &str, kind: &str) -> PriceError {
    PriceError::Tensor {
        tensor: name.to_owned(),
        problem: format!("is of type {kind}, which is no weight: leave it out with --skip {name}"),
    }
}

fn stored<'a>(name: &str, view: &TensorView<'a>) -> Result<Stored<'a>, PriceError> {
    let kind = match view.dtype() {
        Dtype::F64 => Kind::F64,
        Dtype::F32 => Kind::F32,
        Dtype::F16 => Kind::F16,
        Dtype::BF16 => Kind::Bf16,
        Dtype::I8 => Kind::Signed(1),
        Dtype::I16 => Kind::Signed(2),
        Dtype::I32 => Kind::Signed(4),
        Dtype::I64 => Kind::Signed(8),
        Dtype::U8 => Kind::Unsigned(1),
        Dtype::U16 => Kind::Unsigned(2),
        Dtype::U32 => Kind::Unsigned(4),
        Dtype::U64 => Kind::Unsigned(8),
        other => return Err(no_weight(name, &format!("{other:?}").to_lowercase())),
    };
    Ok(Stored {
        name: name.to_owned(),
        shape: view.shape().to_vec(),
        kind,
        bytes: view.data(),
    })
}

/// Writes tensors as 32-bit floats to a safetensors file.
///
/// # Errors
/// A file that cannot be written.
pub fn save(tensors: &[Tensor], path: &Path) -> Result<(), PriceError> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        (tensor.name.as_str(), view.expect("as many bytes"))
    });
    let file = safetensors::serialize(views, None).expect("the header is below its limit");
    std::fs::write(path, file).map_err(|source| PriceError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
