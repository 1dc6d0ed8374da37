//! Reading archives from start to end.

use super::error::Error;
use super::input::Input;
use super::layout::{BlockHeader, Front, Header, Index, ModelId, Terms};
use super::{Summary, digest};
use crate::block::{self, Coded, Failure, Progress};
use crate::predict::{Model, TransformerModel};
use crate::weights;
use brevity_model::{Transformer, Weights};
use rayon::prelude::*;
use std::io::{Read, Write};

/// Builds the learning model that a recipe describes, or says why it cannot.
pub type Recipe<'a> = &'a (dyn Fn(&[u8]) -> Result<Box<dyn Model>, String> + Sync);

/// Models for archives that do not contain their own.
#[derive(Clone, Copy, Default)]
pub struct Models<'a> {
    /// The model for archives that contain only its hash.
    pub external: Option<&'a Weights>,
    /// Builds the model for archives that contain a recipe.
    pub recipe: Option<Recipe<'a>>,
    /// Finds the predictor from outside that a description names.
    pub outside: Option<Recipe<'a>>,
}

impl Models<'_> {
    /// The model that an archive's blocks need.
    pub(super) fn resolve(&self, front: &Front) -> Result<Option<Box<dyn Model>>, Error> {
        let offset = front.model_at;
        let transformer = |weights: &Weights| -> Box<dyn Model> {
            Box::new(TransformerModel::new(Transformer::new(weights)))
        };
        match &front.header {
            Header::Plain => Ok(None),
            Header::Embedded(bytes) => match weights::decode(bytes) {
                Ok(weights) => Ok(Some(transformer(&weights))),
                Err(source) => Err(Error::Model { offset, source }),
            },
            Header::External(wanted) => {
                let weights = self.external.ok_or(Error::ModelMissing(*wanted))?;
                let given = ModelId::of(weights);
                if given != *wanted {
                    let wanted = *wanted;
                    return Err(Error::ModelMismatch { wanted, given });
                }
                Ok(Some(transformer(weights)))
            }
            Header::Recipe(bytes) => {
                let follow = self.recipe.ok_or_else(|| Error::Recipe {
                    offset,
                    reason: "this program cannot learn while it decodes".into(),
                })?;
                let model = follow(bytes).map_err(|reason| Error::Recipe { offset, reason })?;
                Ok(Some(model))
            }
            Header::Outside(described) => {
                let find = self.outside.ok_or(Error::PredictorMissing)?;
                match find(described) {
                    Ok(model) => Ok(Some(model)),
                    Err(reason) => Err(Error::Predictor { reason }),
                }
            }
        }
    }
}

/// A block that matches its checksum.
pub(super) struct Stored {
    pub offset: u64,
    pub raw: usize,
    pub coded: Coded,
    pub last: bool,
    outside: bool,
}

/// A block as read, not yet checked.
pub(super) struct Frame {
    pub offset: u64,
    pub header: BlockHeader,
    payload: Vec<u8>,
    outside: bool,
}

impl Frame {
    /// Reads as many bytes as the block's header says; `has_model` says whether
    /// its method may need one, `terms` is what the archive's header says.
    pub(super) fn read<R: Read>(
        input: &mut Input<R>,
        terms: Terms,
        has_model: bool,
    ) -> Result<Frame, Error> {
        let offset = input.offset;
        let header = BlockHeader::read(input, terms)?;
        if header.method.needs_model() && !has_model {
            return Err(Error::Malformed {
                offset,
                what: "a block needs a model and the archive has none",
            });
        }
        let payload = input.bytes(header.stored as u64, "a block")?;
        Ok(Frame {
            offset,
            header,
            payload,
            outside: terms.outside,
        })
    }

    /// The block, if header and payload match its checksum.
    pub(super) fn checked(self, block: u64) -> Result<Stored, Error> {
        let (offset, raw, last) = (self.offset, self.header.raw, self.header.last);
        let outside = self.outside;
        let coded = self.header.with(self.payload);
        Ok(Stored {
            offset,
            raw,
            coded: coded.ok_or(Error::BlockCheck { block, offset })?,
            last,
            outside,
        })
    }
}

/// Reads one block and checks it; `terms` is what the archive's header says,
/// `has_model` says whether the block's method may need one.
pub(super) fn read_block<R: Read>(
    input: &mut Input<R>,
    block: u64,
    terms: Terms,
    has_model: bool,
) -> Result<Stored, Error> {
    Frame::read(input, terms, has_model)?.checked(block)
}

impl Stored {
    /// Decodes the block's bytes.
    pub(super) fn decode(
        &self,
        block: u64,
        model: Option<&dyn Model>,
        progress: Progress<'_>,
    ) -> Result<Vec<u8>, Error> {
        block::decode(&self.coded, self.raw, model, progress)
            .map_err(|failure| self.error(block, failure))
    }

    /// The code length of the block's bytes in bits.
    pub(super) fn code_length(
        &self,
        block: u64,
        model: Option<&dyn Model>,
        progress: Progress<'_>,
    ) -> Result<f64, Error> {
        block::code_length(&self.coded, self.raw, model, progress)
            .map_err(|failure| self.error(block, failure))
    }

    fn error(&self, block: u64, failure: Failure) -> Error {
        let offset = self.offset;
        match failure {
            Failure::Predict(source) => Error::Predict { block, source },
            // The checksum matched, so this is no damage.
            _ if self.outside => Error::Unrepeatable { block, offset },
            Failure::Stream | Failure::Diverged => Error::Diverged { block, offset },
        }
    }
}

/// Decompresses an archive and verifies every hash. Memory depends on the block size
/// and the number of threads, not on the size of the archive.
///
/// `progress` is called, from any thread, with the number of original bytes done
/// since the last call. The output before an error is a prefix of the original.
///
/// # Errors
/// Any damage of the archive, with its offset; a missing model.
pub fn decompress(
    input: impl Read,
    mut output: impl Write,
    models: &Models,
    progress: Progress<'_>,
) -> Result<Summary, Error> {
    let mut input = Input::new(input, 0);
    let front = Front::read(&mut input)?;
    let model = models.resolve(&front)?;
    let model = model.as_deref();
    let together = match model {
        Some(_) => 1,
        None => rayon::current_num_threads(),
    };
    let mut hasher = blake3::Hasher::new();
    let mut index = Index::default();
    let mut raw = 0;
    let mut ended = false;
    while !ended {
        let mut batch = Vec::new();
        // A damaged block is reported after the blocks before it are written.
        let mut damage = None;
        while batch.len() < together && !ended && damage.is_none() {
            let start = input.offset;
            let number = index.blocks.len() as u64;
            match read_block(&mut input, number, front.terms, model.is_some()) {
                Ok(stored) => {
                    ended = stored.last;
                    index.blocks.push((stored.raw as u64, input.offset - start));
                    batch.push((number, stored));
                }
                Err(error) => damage = Some(error),
            }
        }
        let decoded: Vec<Result<Vec<u8>, Error>> = batch
            .par_iter()
            .map(|(number, stored)| stored.decode(*number, model, progress))
            .collect();
        for bytes in decoded {
            let bytes = bytes?;
            output.write_all(&bytes).map_err(Error::Write)?;
            hasher.update(&bytes);
            raw += bytes.len() as u64;
        }
        if let Some(error) = damage {
            return Err(error);
        }
    }
    if index.blocks.len() > 1 {
        let expected = index.to_bytes();
        let offset = input.offset;
        if input.bytes(expected.len() as u64, "the block index")? != expected {
            let what = "the block index does not match the blocks";
            return Err(Error::Malformed { offset, what });
        }
    }
    let offset = input.offset;
    let digest = digest(&hasher);
    if input.array("the hash of the original")? != digest {
        return Err(Error::Digest { offset });
    }
    input.end()?;
    output.flush().map_err(Error::Write)?;
    Ok(Summary {
        raw,
        stored: input.offset,
        digest,
    })
}
