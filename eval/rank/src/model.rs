//! What is ranked, and what bytes cost under it.

use crate::config::{Kind, ModelConfig};
use crate::error::ModelError;
use crate::set::Set;
use brevity_baselines::{Coder, marginal_bits};
use brevity_codec::{Frequencies, price_each, weights};
use brevity_length::Convention;
use brevity_measure::StoredModel;
use brevity_model::{Transformer, Weights};
use brevity_outside::pipe::Pipe;
use brevity_outside::predictor::{PredictorModel, check_causal, price_each as outside_each};
use brevity_outside::{Outside, OutsideError};
use brevity_pretrained::Model as Tokens;
use brevity_pretrained::archive::{Settings, compress};
use brevity_task::Stop;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// A model, predictor or coder.
pub(crate) enum Model {
    Own(Box<Own>),
    Outside(PredictorModel),
    Tokens(Box<Tokens>),
    Coder(Coder),
}

/// A transformer of ours.
pub(crate) struct Own {
    weights: Weights,
    transformer: Transformer,
}

/// What documents cost.
pub(crate) struct Lengths {
    /// Bits of each.
    pub bits: Vec<f64>,
    /// Tokens of each, under a model of tokens.
    pub tokens: Option<Vec<u64>>,
}

impl Lengths {
    /// Bits per raw byte of the set.
    pub(crate) fn rate(&self, set: &Set) -> f64 {
        self.bits.iter().sum::<f64>() / set.bytes.len().max(1) as f64
    }
}

/// What a model is stored in, and the documents' bits under what is decoded from that.
pub(crate) struct Stored {
    pub convention: Convention,
    pub model_bytes: u64,
    pub data_bits: f64,
}

/// What stands before each byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// So many bytes at most, since the start of a chunk.
    Bytes(usize),
    /// So many tokens.
    Tokens(usize),
    /// The document from its start.
    Document,
    /// The byte set from its start.
    Set,
}

impl Model {
    pub fn open(config: &ModelConfig, limit: Duration) -> Result<Model, ModelError> {
        let other = |error: Box<dyn std::error::Error + Send + Sync>| ModelError::Other(error);
        Ok(match config.kind().expect("the config was checked") {
            Kind::Coder(coder) => Model::Coder(coder),
            Kind::Predictor(command) => {
                let command = command.to_owned();
                let make = move || Ok(Box::new(Pipe::new(&command, limit)?) as Box<dyn Outside>);
                Model::Outside(PredictorModel::new(Box::new(make))?)
            }
            Kind::Path(path) if Tokens::is_at(path) => {
                Model::Tokens(Box::new(Tokens::load(path).map_err(|e| other(e.into()))?))
            }
            Kind::Path(path) => {
                let weights = Weights::load(&file(path)).map_err(|e| other(e.into()))?;
                let transformer = Transformer::new(&weights);
                Model::Own(Box::new(Own {
                    weights,
                    transformer,
                }))
            }
        })
    }

    pub fn context(&self) -> Context {
        match self {
            Model::Own(own) => own.context(),
            Model::Outside(model) => match model.about().context {
                0 => Context::Document,
                context => Context::Bytes(context),
            },
            Model::Tokens(model) => Context::Tokens(Settings::new(model).contexts.tokens),
            Model::Coder(_) => Context::Set,
        }
    }

    /// Finds a predictor that reads ahead.
    pub fn check(&self, sample: &[u8]) -> Result<(), ModelError> {
        match self {
            Model::Outside(model) => Ok(model.with(|p| check_causal(p, sample))?),
            _ => Ok(()),
        }
    }

    /// What the documents of a byte set cost, each from a start without a past; under a
    /// coder, what its stream grows by.
    pub fn lengths(
        &self,
        bytes: &[u8],
        documents: &[Range<usize>],
        stride: Option<usize>,
        stop: &Stop,
    ) -> Result<Lengths, ModelError> {
        let (mut bits, mut tokens) = (Vec::with_capacity(documents.len()), Vec::new());
        if let Model::Coder(coder) = self {
            let grown = marginal_bits(*coder, bytes)?.bits;
            bits.extend(documents.iter().map(|d| sum(&grown[d.clone()])));
            return Ok(Lengths { bits, tokens: None });
        }
        for document in documents {
            stopped(stop)?;
            let document = &bytes[document.clone()];
            if let Model::Tokens(model) = self {
                let settings = Settings::new(model);
                let found = compress(model, &settings, document, &|_| !stop.is_set())?;
                bits.push(found.bits);
                tokens.push(found.items as u64);
            } else {
                let price = |next: &Frequencies, byte| next.bits(byte) as f32;
                bits.push(sum(&self.windows(document, stride, stop, price)?));
            }
        }
        Ok(Lengths {
            bits,
            tokens: matches!(self, Model::Tokens(_)).then_some(tokens),
        })
    }

    /// What `price` says of each byte of a document, in windows of the context that move
    /// on by `stride` bytes.
    ///
    /// # Panics
    /// For models that do not predict bytes: see [`predicts_bytes`](Self::predicts_bytes).
    pub fn windows<T: Clone + Default + Send>(
        &self,
        document: &[u8],
        stride: Option<usize>,
        stop: &Stop,
        price: impl Fn(&Frequencies, u8) -> T + Sync,
    ) -> Result<Vec<T>, ModelError> {
        match (self.context(), stride) {
            (Context::Bytes(context), Some(stride))
                if stride < context && document.len() > context =>
            {
                let plan = windows(document.len(), context, stride);
                // Each is a chunk of its own.
                let all: Vec<u8> = plan
                    .iter()
                    .flat_map(|(window, _)| &document[window.clone()])
                    .copied()
                    .collect();
                let priced = self.stream(&all, stop, price)?;
                let chunks = priced.chunks(context).zip(&plan);
                Ok(chunks
                    .flat_map(|(chunk, (_, new))| &chunk[context - new..])
                    .cloned()
                    .collect())
            }
            _ => self.stream(document, stop, price),
        }
    }

    /// What `price` says of each byte of a stream, in chunks of the context.
    fn stream<T: Clone + Default + Send>(
        &self,
        bytes: &[u8],
        stop: &Stop,
        price: impl Fn(&Frequencies, u8) -> T + Sync,
    ) -> Result<Vec<T>, ModelError> {
        stopped(stop)?;
        match self {
            Model::Own(own) => Ok(price_each(&own.transformer, bytes, price)?),
            Model::Outside(model) => Ok(model.with(|p| outside_each(p, bytes, stop, price))?),
            Model::Tokens(_) | Model::Coder(_) => unreachable!("no model of bytes"),
        }
    }

    /// Whether it gives a distribution of each byte.
    pub fn predicts_bytes(&self) -> bool {
        matches!(self, Model::Own(_) | Model::Outside(_))
    }

    /// How it is stored: ours at the precision with the shortest description of these byte
    /// sets, pretrained ones as their files, a predictor's as stated, coders in nothing.
    /// None for a predictor of which nothing is stated.
    pub fn stored(
        &self,
        sets: &[(&[u8], &[Range<usize>])],
        exact_bits: f64,
        (stated, stride): (Option<u64>, Option<usize>),
        stop: &Stop,
    ) -> Result<Option<Stored>, ModelError> {
        let of = |convention, model_bytes, data_bits| {
            Ok(Some(Stored {
                convention,
                model_bytes,
                data_bits,
            }))
        };
        match self {
            Model::Own(own) => {
                let all: Vec<u8> = sets.iter().flat_map(|(bytes, _)| *bytes).copied().collect();
                let stored = StoredModel::for_data(own.weights.clone(), &all, stop)?;
                let model_bytes = weights::encode(&stored.exact, &stored.plan).len() as u64;
                let rounded = stored.rounded();
                let rounded = Model::Own(Box::new(Own {
                    transformer: Transformer::new(&rounded),
                    weights: rounded,
                }));
                let mut data_bits = 0.0;
                for (bytes, documents) in sets {
                    let found = rounded.lengths(bytes, documents, stride, stop)?;
                    data_bits += found.bits.iter().sum::<f64>();
                }
                of(Convention::stored(), model_bytes, data_bits)
            }
            Model::Tokens(model) => {
                of(Convention::stored(), model.model_bytes().stored, exact_bits)
            }
            Model::Outside(_) => match stated {
                Some(stated) => of(Convention::stated(), stated, exact_bits),
                None => Ok(None),
            },
            Model::Coder(_) => of(Convention::stated(), 0, exact_bits),
        }
    }
}

impl Own {
    fn context(&self) -> Context {
        let spec = self.weights.spec();
        match spec.window {
            None => Context::Bytes(spec.context),
            Some(_) => Context::Document,
        }
    }
}

/// Windows of `context` bytes over `length` bytes, more than one, and how many bytes at
/// the end of each are new.
fn windows(length: usize, context: usize, stride: usize) -> Vec<(Range<usize>, usize)> {
    let mut windows = vec![(0..context, context)];
    let mut end = context;
    while end < length {
        let new = stride.min(length - end);
        end += new;
        windows.push((end - context..end, new));
    }
    windows
}

fn stopped(stop: &Stop) -> Result<(), ModelError> {
    match stop.is_set() {
        true => Err(OutsideError::Stopped.into()),
        false => Ok(()),
    }
}

fn sum(bits: &[f32]) -> f64 {
    bits.iter().map(|&b| f64::from(b)).sum()
}

/// The file of a model, or of a trial's folder.
fn file(path: &Path) -> std::path::PathBuf {
    match path.is_dir() {
        true => path.join("model.safetensors"),
        false => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_price_each_byte_once() {
        assert_eq!(windows(10, 4, 3), [(0..4, 4), (3..7, 3), (6..10, 3)]);
        for (length, context, stride) in [(17, 8, 1), (100, 16, 5), (33, 32, 31)] {
            let plan = windows(length, context, stride);
            assert_eq!(plan.iter().map(|(_, new)| new).sum::<usize>(), length);
            assert!(plan.iter().all(|(window, _)| window.len() == context));
        }
    }
}
