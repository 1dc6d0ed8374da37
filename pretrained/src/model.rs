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
use std::io::Read;
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
    exact: bool,
}

impl Model {
    /// Loads a GGUF file or a Hugging Face folder. Parameters stay on disk until they
    /// are used.
    ///
    /// # Errors
    /// Anything that is missing, damaged or unknown, by its name.
    pub fn load(path: &Path) -> Result<Model, LoadError> {
        let model = match path.is_dir() {
            true => Model::from_folder(path),
            false => Model::from_gguf(path),
        };
        model.map_err(|problem| LoadError {
            path: path.into(),
            problem,
        })
    }

    /// Whether there is a model that [`load`](Self::load) might read, by the first
    /// bytes of the file or the files in the folder.
    pub fn is_at(path: &Path) -> bool {
        if path.is_dir() {
            return path.join("config.json").is_file() && path.join("tokenizer.json").is_file();
        }
        let mut start = [0; 4];
        let file = std::fs::File::open(path);
        file.and_then(|mut file| file.read_exact(&mut start))
            .is_ok()
            && Gguf::is(&start)
    }

    fn from_gguf(path: &Path) -> Result<Model, Problem> {
        let file = Mapped::open(path)?;
        let gguf = Gguf::parse(file.bytes())?;
        let (spec, weights) = load::gguf::load(&file, &gguf)?;
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

    fn from_folder(path: &Path) -> Result<Model, Problem> {
        let (spec, weights) = load::folder::load(path)?;
        let config = load::folder::json(path, "config.json")?;
        let tokenizer = load::folder::json(path, "tokenizer.json")?;
        let loaded = crate::tokenizer::json::load(&tokenizer, &config, spec.vocabulary)?;
        let mut hasher = blake3::Hasher::new();
        let mut bytes = 0;
        for name in load::folder::files(path)? {
            let file = Mapped::open(&path.join(&name))?;
            hasher.update(blake3::hash(file.bytes()).as_bytes());
            bytes += file.bytes().len() as u64;
        }
        let origin = Origin {
            path: path.into(),
            name: config["_name_or_path"].as_str().map(str::to_owned),
            license: None,
            bytes,
            hash: *hasher.finalize().as_bytes(),
        };
        Model::new(spec, weights, loaded, origin)
    }

    fn new(
        spec: Spec,
        weights: Weights,
        tokens: crate::tokenizer::gguf::Loaded,
        origin: Origin,
    ) -> Result<Model, Problem> {
        load::check_finite(&weights)?;
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
            exact: false,
        })
    }

    /// The same model without rounded activations: each product is that of the
    /// dequantised matrix, as other programs compute it in `f32`. Slower, and the
    /// archives of one are not for the other.
    pub fn exact(mut self) -> Model {
        self.exact = true;
        self
    }

    /// The same model with other parameters of the same shapes, which take so many bytes
    /// and have this hash.
    pub(crate) fn with_weights(mut self, weights: Weights, bytes: u64, hash: [u8; 32]) -> Model {
        self.weights = weights;
        self.origin.bytes = bytes;
        self.origin.hash = hash;
        self
    }

    /// Whether activations are not rounded.
    pub fn is_exact(&self) -> bool {
        self.exact
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
