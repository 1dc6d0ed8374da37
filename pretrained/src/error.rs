//! Why a model cannot be used.

use crate::gguf::GgufError;
use crate::spec::SpecError;
use std::io;
use std::path::PathBuf;

/// A model that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct LoadError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a model.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A GGUF file is damaged, or not what we read.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// A safetensors file is damaged.
    #[error("{file}: not a valid safetensors file: {source}")]
    Safetensors {
        /// Its name.
        file: String,
        /// What is wrong.
        source: safetensors::SafeTensorError,
    },
    /// A file is not the JSON that it should be.
    #[error("{file}: {source}")]
    Json {
        /// Its name.
        file: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Sizes do not go together.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A field is missing.
    #[error("the field `{0}` is missing")]
    Missing(String),
    /// A field has a value that we do not know.
    #[error("`{field}` is {value}, which is not supported")]
    Unsupported {
        /// The field.
        field: String,
        /// Its value.
        value: String,
    },
    /// A tensor is missing.
    #[error("the tensor `{0}` is missing")]
    NoTensor(String),
    /// A tensor has another shape than the model's sizes say.
    #[error("the tensor `{name}` has the shape {got:?}, expected {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// By the sizes.
        expected: Vec<usize>,
        /// In the file.
        got: Vec<usize>,
    },
    /// A tensor holds NaN or infinity.
    #[error("the tensor `{name}` holds a value that is no finite number, in row {row}")]
    NotFinite {
        /// The tensor.
        name: String,
        /// The first such row.
        row: usize,
    },
    /// A tokenizer does not belong to the model, or is not one that we read.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
}
