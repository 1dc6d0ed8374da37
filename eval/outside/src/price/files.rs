//! Tensors from files: safetensors and `.npz`.

use super::PriceError;
use super::npy::npz;
use super::tensors::{Kind, Stored, Weights, no_weight};
use brevity_codec::weights::Tensor;
use memmap2::Mmap;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::fs::File;
use std::io;
use std::path::Path;

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
