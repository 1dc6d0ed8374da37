//! Model files: safetensors of `f32`, with the spec in the header.
//!
//! The header's metadata has one entry, `spec`: the [`Spec`] as TOML. There is only
//! one entry because the order of several is not defined, and the same weights must
//! give the same file.
//!
//! Weights that were trained beside context models have one tensor more, the gates of
//! their mixture.

use crate::spec::Spec;
use crate::weights::{GATES_NAME, Weights, WeightsError};
use brevity_kernels::mixture::CONFIDENCES;
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Shape of the gates.
const GATES_SHAPE: [usize; 2] = [CONFIDENCES, 2];

/// A model file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// The reason.
    pub source: FormatError,
}

/// Why a model file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// An error of the file system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is shorter than its header says.
    #[error("truncated: {got} bytes, but the header promises {expected}")]
    Truncated {
        /// The length by the header, in bytes.
        expected: u64,
        /// The length of the file, in bytes.
        got: u64,
    },
    /// The file is not a safetensors file, or is damaged.
    #[error("not a valid safetensors file: {0}")]
    Safetensors(SafeTensorError),
    /// The header has no spec: another program wrote the file.
    #[error("the header has no `spec` entry: the file was not written by brevity")]
    NoSpec,
    /// The spec in the header cannot be parsed.
    #[error("the `spec` entry of the header is not a model spec")]
    Spec(#[from] Box<toml::de::Error>),
    /// A tensor does not hold 32-bit floats.
    #[error("tensor `{name}` has type {dtype}, expected F32")]
    Dtype {
        /// The tensor.
        name: String,
        /// Its element type.
        dtype: Dtype,
    },
    /// A tensor has another shape than the spec says.
    #[error("tensor `{name}` has shape {got:?}, its spec says {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// The shape by the spec.
        expected: Vec<usize>,
        /// The shape in the file.
        got: Vec<usize>,
    },
    /// The tensors are not the parameters of the spec.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Weights {
    /// The weights as a safetensors file. The same weights give the same bytes.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let spec = toml::to_string(self.spec()).expect("a spec is plain TOML");
        let metadata = HashMap::from([("spec".to_string(), spec)]);
        let tensors = self.iter();
        let tensors = tensors.map(|(info, values)| (info.name.as_str(), &info.shape[..], values));
        let gates = self
            .gates()
            .map(|gates| (GATES_NAME, &GATES_SHAPE[..], &gates[..]));
        let bytes: Vec<_> = tensors
            .chain(gates)
            .map(|(name, shape, values)| (name, shape, little_endian(values)))
            .collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes)
                .expect("weights have the length of their shape");
            (*name, view)
        });
        safetensors::serialize(views, Some(metadata)).expect("the header is far below its limit")
    }

    /// Parses a safetensors file that brevity wrote.
    ///
    /// # Errors
    /// Any [`FormatError`] except [`FormatError::Io`].
    pub fn from_safetensors(bytes: &[u8]) -> Result<Weights, FormatError> {
        let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| {
            let got = bytes.len() as u64;
            match promised_length(bytes) {
                Some(expected) if expected > got => FormatError::Truncated { expected, got },
                _ => FormatError::Safetensors(e),
            }
        })?;
        let data = &bytes[8 + header..];
        let spec = metadata.metadata().as_ref().and_then(|m| m.get("spec"));
        let spec: Spec = toml::from_str(spec.ok_or(FormatError::NoSpec)?).map_err(Box::new)?;
        spec.validate().map_err(WeightsError::from)?;
        let shapes = spec.tensors().into_iter();
        let shapes: HashMap<_, _> = shapes
            .map(|info| (info.name, info.shape))
            .chain([(GATES_NAME.to_string(), GATES_SHAPE.to_vec())])
            .collect();
        let (mut tensors, mut gates) = (Vec::new(), None);
        for (name, info) in metadata.tensors() {
            let Some(expected) = shapes.get(&name) else {
                return Err(WeightsError::Unknown(name).into());
            };
            if info.dtype != Dtype::F32 {
                let dtype = info.dtype;
                return Err(FormatError::Dtype { name, dtype });
            }
            if info.shape != *expected {
                return Err(FormatError::Shape {
                    name,
                    expected: expected.clone(),
                    got: info.shape.clone(),
                });
            }
            let values = data[info.data_offsets.0..info.data_offsets.1].chunks_exact(4);
            let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            let values: Vec<f32> = values.collect();
            match name == GATES_NAME {
                true => gates = values.first_chunk().copied(),
                false => tensors.push((name, values)),
            }
        }
        Ok(Weights::new(spec, tensors)?.with_gates(gates)?)
    }

    /// Writes a safetensors file atomically: to a temporary file in the same folder,
    /// which is synced and renamed. `path` holds either the whole model or what it
    /// held before.
    ///
    /// # Errors
    /// An error of the file system, with the path.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        brevity_files::write(path, &self.to_safetensors()).map_err(|e| FileError {
            path: path.into(),
            source: e.into(),
        })
    }

    /// Reads a safetensors file that brevity wrote.
    ///
    /// # Errors
    /// Any [`FormatError`], with the path.
    pub fn load(path: &Path) -> Result<Weights, FileError> {
        fs::read(path)
            .map_err(FormatError::from)
            .and_then(|bytes| Weights::from_safetensors(&bytes))
            .map_err(|source| FileError {
                path: path.into(),
                source,
            })
    }
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Whether there is a model file that is as long as its header says. Reads the header alone.
///
/// # Errors
/// An error of the file system, other than that there is no file.
pub fn is_whole_model(path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut head = Vec::new();
    file.by_ref().take(8).read_to_end(&mut head)?;
    if let Some(header) = head.first_chunk() {
        let header = u64::from_le_bytes(*header).min(MOST_HEADER);
        file.by_ref().take(header).read_to_end(&mut head)?;
    }
    Ok(promised_length(&head) == Some(file.metadata()?.len()))
}

/// Limit on the bytes of a header, as in the safetensors library.
const MOST_HEADER: u64 = 100_000_000;

/// The length of the file by its header, if that can be read.
fn promised_length(bytes: &[u8]) -> Option<u64> {
    let (length, rest) = bytes.split_first_chunk()?;
    let header = u64::from_le_bytes(*length);
    let whole = header.checked_add(8)?;
    // The first bytes of another kind of file are a random and mostly huge length.
    if header > MOST_HEADER || (!rest.is_empty() && rest[0] != b'{') {
        return None;
    }
    let Some(header) = rest.get(..header as usize) else {
        return Some(whole);
    };
    let metadata: Metadata = serde_json::from_slice(header).ok()?;
    whole.checked_add(metadata.data_len() as u64)
}
