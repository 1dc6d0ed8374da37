//! The parts of an archive and their sizes, without decoding.

use super::demand::{Account, Needs};
use super::error::Error;
use super::extent::Extent;
use super::index::Index;
use super::input::Input;
use super::layout::{BlockHeader, DIGEST, Effort, Front, Header};
use super::limits::Demand;
use super::models::Models;
use crate::block::Method;
use brevity_model::Spec;
use std::io::Read;

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Where it starts in the archive.
    pub offset: u64,
    /// How it is coded.
    pub method: Method,
    /// Bytes of the original.
    pub raw: u64,
    /// Bytes of its header.
    pub header: u64,
    /// Bytes of its stream.
    pub payload: u64,
    extent: Extent,
}

/// All fields of an archive.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The header, model included.
    pub header: Header,
    /// Version of the format.
    pub version: u8,
    /// What its context models take, if it has any and says so; version 1 does
    /// not.
    pub effort: Option<Effort>,
    /// The model's spec, if the archive holds a model.
    pub spec: Option<Spec>,
    /// Bytes before the first block, without the model.
    pub header_bytes: u64,
    /// Bytes of the stored model or recipe.
    pub model_bytes: u64,
    /// The blocks.
    pub blocks: Vec<BlockInfo>,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// The first bytes of the original's BLAKE3 hash; a brief archive has none.
    pub digest: Option<[u8; DIGEST]>,
    /// Whether the archive is brief: one of few bytes, with one check for all.
    pub brief: bool,
    /// Bytes of the whole archive.
    pub stored: u64,
}

impl Inspection {
    /// Bytes of the original.
    pub fn raw(&self) -> u64 {
        self.blocks.iter().map(|b| b.raw).sum()
    }

    /// Bytes of all streams.
    pub fn payload(&self) -> u64 {
        self.blocks.iter().map(|b| b.payload).sum()
    }

    /// What decoding asks for: the most memory, lanes and threads of a block, the work of
    /// all. `None` if that depends on a model that is not here.
    ///
    /// # Errors
    /// A recipe that is invalid.
    pub fn demand(&self, models: &Models) -> Result<Option<Demand>, Error> {
        let needs = Needs::of(&self.header, self.header_bytes, models)?;
        if matches!(needs, Needs::Missing) {
            return Ok(None);
        }
        let mut all = Demand::default();
        for block in &self.blocks {
            let one = needs.block(&block.extent);
            all.memory = all.memory.max(one.memory);
            all.operations += one.operations;
            all.context_seconds += one.context_seconds;
            all.lanes = all.lanes.max(one.lanes);
            all.threads = all.threads.max(one.threads);
            all.blocks += one.blocks;
        }
        Ok(Some(all))
    }

    /// Whether decoding stays within the limits of `models`.
    ///
    /// # Errors
    /// [`Error::Memory`] and [`Error::Work`]; a recipe that is invalid.
    pub fn admit(&self, models: &Models) -> Result<(), Error> {
        let mut account = Account::new(&self.header, self.header_bytes, models)?;
        for (number, block) in (0..).zip(&self.blocks) {
            account.charge(number, &block.extent)?;
        }
        Ok(())
    }

    /// Bytes that belong neither to the model nor to a stream.
    pub fn overhead(&self) -> u64 {
        self.stored - self.model_bytes - self.payload()
    }
}

/// Reads all fields. Verifies the checksum of the model, but not those of blocks.
///
/// # Errors
/// Invalid fields, or a truncated archive.
pub fn inspect(input: impl Read) -> Result<Inspection, Error> {
    let mut input = Input::new(input, 0);
    let Front {
        header,
        terms,
        model_at,
    } = Front::read(&mut input)?;
    let spec = match &header {
        Header::Embedded(bytes) => match Spec::from_bytes(bytes) {
            Ok((spec, _)) => Some(spec),
            Err(error) => {
                return Err(Error::Model {
                    offset: model_at,
                    source: error.into(),
                });
            }
        },
        _ => None,
    };
    let model_bytes = input.offset - model_at;
    let mut blocks = Vec::new();
    let mut index = Index::default();
    loop {
        let offset = input.offset;
        let block = BlockHeader::read(&mut input, terms)?;
        input.skip(block.stored as u64, "a block")?;
        blocks.push(BlockInfo {
            offset,
            method: block.method,
            raw: block.raw as u64,
            header: block.length() as u64,
            payload: block.stored as u64,
            extent: block.extent(),
        });
        index.blocks.push((block.raw as u64, input.offset - offset));
        if block.last {
            break;
        }
    }
    let index_at = input.offset;
    if blocks.len() > 1 {
        let length = index.to_bytes().len() as u64;
        let bytes = input.bytes(length, "the block index")?;
        if Index::from_bytes(&bytes, index_at)? != index {
            return Err(Error::Malformed {
                offset: index_at,
                what: "the block index does not match the blocks",
            });
        }
    }
    let index_bytes = input.offset - index_at;
    let digest = match terms.brief {
        true => None,
        false => Some(input.array("the hash of the original")?),
    };
    input.end()?;
    Ok(Inspection {
        header,
        version: terms.version,
        effort: terms.effort,
        spec,
        header_bytes: model_at,
        model_bytes,
        blocks,
        index_bytes,
        digest,
        brief: terms.brief,
        stored: input.offset,
    })
}
