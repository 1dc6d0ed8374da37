//! Reading archives from start to end.

use super::batch::{Batch, Ready};
use super::demand::Account;
use super::error::Error;
use super::extent::Extent;
use super::index::Index;
use super::input::Input;
use super::layout::{BlockHeader, Front, Header, Terms, Whole};
use super::limits::Demand;
use super::models::Models;
use super::{Summary, digest};
use crate::block::{self, Coded, Failure, Progress};
use crate::predict::Model;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// The model of an archive: made when the first block needs it, and only if that is
/// within the limits.
pub(super) struct Lazy<'a> {
    models: &'a Models<'a>,
    front: &'a Front,
    account: Account<'a>,
    model: Option<Box<dyn Model>>,
}

impl<'a> Lazy<'a> {
    pub fn new(models: &'a Models<'a>, front: &'a Front) -> Result<Lazy<'a>, Error> {
        Ok(Lazy {
            models,
            front,
            account: Account::new(&front.header, front.model_at, models)?,
            model: None,
        })
    }

    /// Whether the archive says that it has a model.
    pub fn exists(&self) -> bool {
        self.front.header != Header::Plain
    }

    /// Before a block is decoded: checks what that asks for, and makes the model if the
    /// block needs it.
    ///
    /// # Errors
    /// More memory or work than is allowed; a model that is missing or invalid.
    pub fn prepare(&mut self, number: u64, block: &Extent) -> Result<Demand, Error> {
        let needs_model = block.method.needs_model();
        if needs_model && self.model.is_none() && self.models.missing(self.front) {
            // Says which.
            self.models.resolve(self.front)?;
        }
        let demand = self.account.charge(number, block)?;
        if needs_model && self.model.is_none() {
            self.model = self.models.resolve(self.front)?;
        }
        Ok(demand)
    }

    /// The model, if a block has needed it.
    pub fn get(&self) -> Option<&dyn Model> {
        self.model.as_deref()
    }
}

/// A block that matches its checksum, or, in a brief archive, that may.
pub(super) struct Stored {
    pub offset: u64,
    pub raw: usize,
    pub coded: Coded,
    pub last: bool,
    outside: bool,
    /// In a brief archive, what tells whether the block is intact once it is decoded.
    whole: Option<Whole>,
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

    /// As [`Frame::read`], of the block at an offset, and the offset behind it.
    pub(super) fn at(
        input: &mut (impl Read + Seek),
        offset: u64,
        terms: Terms,
        has_model: bool,
    ) -> Result<(Frame, u64), Error> {
        input.seek(SeekFrom::Start(offset)).map_err(Error::Read)?;
        let mut input = Input::new(input, offset);
        let frame = Frame::read(&mut input, terms, has_model)?;
        Ok((frame, input.offset))
    }

    /// Which of these blocks it is, by its checksum.
    pub(super) fn number(&self, among: Range<u64>) -> Option<u64> {
        self.header.number(&self.payload, among)
    }

    /// The block, if header and payload match the checksum of the one with this number.
    pub(super) fn checked(self, block: u64) -> Result<Stored, Error> {
        let (offset, raw, last) = (self.offset, self.header.raw, self.header.last);
        let outside = self.outside;
        let whole = self.header.whole(&self.payload);
        let coded = self.header.with(self.payload, block);
        Ok(Stored {
            offset,
            raw,
            coded: coded.ok_or(Error::BlockCheck { block, offset })?,
            last,
            outside,
            whole,
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

/// Whether the block with this number is at an offset, as its check says; that of a brief
/// archive says it only when the block is decoded, so there any block is taken for intact.
///
/// # Errors
/// Errors of reading.
pub(super) fn is_intact(
    input: &mut (impl Read + Seek),
    offset: u64,
    number: u64,
    terms: Terms,
) -> Result<bool, Error> {
    match Frame::at(input, offset, terms, true) {
        Err(Error::Read(error)) => Err(Error::Read(error)),
        frame => Ok(frame.is_ok_and(|(frame, _)| frame.checked(number).is_ok())),
    }
}

impl Stored {
    /// What the block asks for.
    pub(super) fn extent(&self) -> Extent {
        Extent {
            method: self.coded.method,
            lanes_log2: self.coded.lanes_log2,
            raw: self.raw,
            stored: self.coded.payload.len(),
            models: self.coded.models,
        }
    }

    /// Decodes the block's bytes.
    pub(super) fn decode(
        &self,
        block: u64,
        model: Option<&dyn Model>,
        progress: Progress<'_>,
    ) -> Result<Vec<u8>, Error> {
        let bytes = block::decode(&self.coded, self.raw, model, progress)
            .map_err(|failure| self.error(block, failure))?;
        match &self.whole {
            Some(whole) if !whole.is_of(&bytes) => Err(self.error(block, Failure::Diverged)),
            _ => Ok(bytes),
        }
    }

    /// The code length of the block's bytes in bits.
    pub(super) fn code_length(
        &self,
        block: u64,
        model: Option<&dyn Model>,
        progress: Progress<'_>,
    ) -> Result<f64, Error> {
        if self.whole.is_some() {
            // Its check covers what it decodes to.
            self.decode(block, model, &|_| {})?;
        }
        block::code_length(&self.coded, self.raw, model, progress)
            .map_err(|failure| self.error(block, failure))
    }

    fn error(&self, block: u64, failure: Failure) -> Error {
        let offset = self.offset;
        match failure {
            Failure::Predict(source) => Error::Predict { block, source },
            _ if self.whole.is_some() => Error::BlockCheck { block, offset },
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
    let mut lazy = Lazy::new(models, &front)?;
    let has_model = lazy.exists();
    let mut hasher = blake3::Hasher::new();
    let mut index = Index::default();
    let mut raw = 0;
    let mut ended = false;
    let mut held = None;
    while !ended || held.is_some() {
        let mut batch = Batch::new(models.limits.memory, held.take());
        // A damaged block is reported after the blocks before it are written.
        let mut damage = None;
        while batch.has_room() && held.is_none() && !ended && damage.is_none() {
            let start = input.offset;
            let number = index.blocks.len() as u64;
            let next = read_block(&mut input, number, front.terms, has_model)
                .and_then(|stored| Ok((lazy.prepare(number, &stored.extent())?, stored)));
            match next {
                Ok((demand, stored)) => {
                    ended = stored.last;
                    index.blocks.push((stored.raw as u64, input.offset - start));
                    held = batch.push(Ready::new(number, stored, &demand));
                }
                Err(error) => damage = Some(error),
            }
        }
        for bytes in batch.decode(lazy.get(), progress) {
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
    // The check of a brief archive's block covers what it decodes to.
    if !front.terms.brief && input.array("the hash of the original")? != digest {
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
