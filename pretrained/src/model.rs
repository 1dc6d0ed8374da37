//! A model that is ready to predict.

use crate::error::{LoadError, Problem};
use crate::gguf::Gguf;
use crate::load;
use crate::mapped::Mapped;
use crate::spec::Spec;
use crate::state::State;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Vocabulary;
use crate::weights::Weights;
use std::path::{Path, PathBuf};

/// Where a model comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The file or folder.
    pub path: PathBuf,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// The licence that it names.
    pub license: Option<String>,
    /// Bytes of its files: what a description of it takes, as `stored`.
    pub bytes: u64,
    /// BLAKE3 hash of its files.
    pub hash: [u8; 32],
}

/// A model with its tokens.
#[derive(Clone, Debug)]
pub struct Model {
    spec: Spec,
    weights: Weights,
    vocabulary: Vocabulary,
    tokenizer: Tokenizer,
    /// The token that every context begins with.
    first: u32,
    origin: Origin,
}

impl Model {
    /// Loads a GGUF file. Parameters stay on disk until they are used.
    ///
    /// # Errors
    /// Anything that is missing, damaged or unknown, by its name.
    pub fn load(path: &Path) -> Result<Model, LoadError> {
        Model::read(path).map_err(|problem| LoadError {
            path: path.into(),
            problem,
        })
    }

    fn read(path: &Path) -> Result<Model, Problem> {
        let file = Mapped::open(path)?;
        let gguf = Gguf::parse(file.bytes())?;
        let (spec, weights) = load::gguf::load(&file, &gguf)?;
        load::check_finite(&weights)?;
        let loaded = crate::tokenizer::gguf::load(&gguf, spec.vocabulary)?;
        let text = |key| gguf.text(key).ok().flatten().map(str::to_owned);
        let origin = Origin {
            path: path.into(),
            name: text("general.name"),
            license: text("general.license"),
            bytes: file.bytes().len() as u64,
            hash: *blake3::hash(file.bytes()).as_bytes(),
        };
        Model::new(spec, weights, loaded, origin)
    }

    pub(crate) fn new(
        spec: Spec,
        weights: Weights,
        tokens: crate::tokenizer::gguf::Loaded,
        origin: Origin,
    ) -> Result<Model, Problem> {
        let Some(first) = tokens.bos else {
            return Err(Problem::Tokenizer(
                "there is no token that a text begins with".into(),
            ));
        };
        if tokens.vocabulary.barred().len() == tokens.vocabulary.len() {
            return Err(Problem::Tokenizer("no token stands for bytes".into()));
        }
        Ok(Model {
            spec,
            weights,
            vocabulary: tokens.vocabulary,
            tokenizer: tokens.tokenizer,
            first,
            origin,
        })
    }

    /// Sizes and switches.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Parameters.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The bytes of tokens.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// For encoders.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The token that every context begins with, never coded: the start of a text,
    /// or its end where there is no start.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Lanes without a past.
    pub fn state(&self, lanes: usize) -> State {
        State::new(lanes, self.spec.layers())
    }
}
