//! Recovery of the intact parts of a damaged archive.

use super::displaced;
use super::error::Error;
use super::input::Input;
use super::layout::{Front, Index};
use super::models::Models;
use super::read::{Frame, Lazy};
use super::repair;
use super::seek::Place;
use super::sought::believed;
use super::{DIGEST, digest};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// Result of a salvage.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// Bytes of the original that were recovered.
    pub recovered: u64,
    /// Bytes of the original known to be lost; zeros were written in their place.
    pub lost: u64,
    /// Offset in the archive after which nothing could be read; how many bytes
    /// of the original are lost there is unknown.
    pub unread: Option<u64>,
    /// The errors found, in order.
    pub damage: Vec<Error>,
    /// Bytes behind the end of an archive that is whole.
    pub surplus: u64,
    /// Where zeros were written, in the original.
    pub zeros: Vec<Range<u64>>,
    /// Whether what was written has the hash of the original that the archive holds.
    pub is_original: bool,
}

/// Writes every intact block, and zeros for damaged blocks of known length, so that
/// all bytes keep their offsets.
///
/// Blocks are found by the index at the end. It is compared with the blocks first: an
/// index that contradicts an intact block is not believed at all. Without a valid
/// index, blocks are found by the lengths in their headers, even of blocks that do not
/// match their checksum, up to the first invalid header. A damaged block is taken for no
/// longer than its bytes can hold. Where bytes were inserted or left out, in one place, blocks
/// behind are found as far from the end as the index says.
///
/// The check of a block tells which it is, except in version 1. So with the index, blocks that
/// lie where others should are put back. Without it, blocks that are missing before an intact
/// one are taken for as long as the first.
///
/// A damaged field of the header is restored, if the first block confirms what it was.
///
/// # Errors
/// An invalid archive header that cannot be restored, or a damaged or missing model: then
/// nothing can be decoded. Errors of reading and writing.
pub fn salvage(
    mut input: impl Read + Seek,
    mut output: impl Write,
    models: &Models,
) -> Result<Salvaged, Error> {
    let (front, start, restored) = repair::front(&mut input, models)?;
    let mut done = blocks(&mut input, &mut output, models, &front, start)?;
    done.damage.splice(..0, restored);
    Ok(done)
}

/// So many missing blocks in a row are recognised without an index, and no more bytes are
/// taken for missing than this many times those of the archive, which may be forged.
const MOST_MISSING: u64 = 4096;
const MOST_LOST: u64 = 1000;

/// The blocks from offset `start` on, and what follows them.
fn blocks(
    input: &mut (impl Read + Seek),
    output: &mut impl Write,
    models: &Models,
    front: &Front,
    start: u64,
) -> Result<Salvaged, Error> {
    let length = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    let mut lazy = Lazy::new(models, front)?;
    let mut done = Salvaged::default();
    let (index, refused) = match believed(input, start, front.terms) {
        Ok(places) => (Some(places), None),
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        Err(refused) => (None, Some(refused)),
    };
    let mut hasher = blake3::Hasher::new();
    let mut next = start;
    // Where the block before ended, if it was intact.
    let mut behind = Some(start);
    let mut ended = false;
    let mut blocks = 0;
    let mut found = Index::default();
    let mut elsewhere: Option<BTreeMap<u64, u64>> = None;
    while !ended {
        let sought = index.as_ref().map(|index| index[blocks as usize]);
        let place = sought.map(|sought| sought.place);
        let at = place.map_or(next, |place| place.start);
        input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
        let mut block = Input::new(&mut *input, at);
        let frame = match sought.is_some_and(|sought| !sought.found) {
            true => Err(Error::BlockMissing { block: blocks }),
            false => Frame::read(&mut block, front.terms, lazy.exists()),
        };
        if let Some(offset) = behind.take_if(|behind| *behind != at && frame.is_ok()) {
            done.damage.push(Error::Malformed {
                offset,
                what: "bytes were inserted or left out before a block",
            });
        }
        next = block.offset;
        if let (None, Ok(frame)) = (&index, &frame)
            && let Some(number) = frame.number(blocks..blocks + MOST_MISSING)
            && let first = found.blocks.first().map_or(0, |(raw, _)| *raw)
            && let lost = (number - blocks) * first.max(frame.header.raw as u64)
            && number > blocks
            && done.lost + lost <= length.saturating_mul(MOST_LOST)
        {
            let missing = (blocks..number).map(|block| Error::BlockMissing { block });
            done.damage.extend(missing);
            done.lose(lost, output)?;
            blocks = number;
        }
        let told = frame
            .as_ref()
            .ok()
            .map(|f| (f.header.raw as u64, f.header.last));
        let mut decode = |frame: Frame| {
            let stored = frame.checked(blocks)?;
            lazy.prepare(blocks, &stored.extent())?;
            stored.decode(blocks, lazy.get(), &|_| {})
        };
        let mut bytes = frame.and_then(&mut decode);
        let mut moved = false;
        if let (Some(index), Err(error)) = (&index, &bytes)
            && !matches!(error, Error::Read(_))
            && !fatal(error)
        {
            if elsewhere.is_none() {
                let places: Vec<Place> = index.iter().map(|sought| sought.place).collect();
                elsewhere = Some(displaced::blocks(input, start, front.terms, &places)?);
            }
            let there = elsewhere.as_ref().and_then(|there| there.get(&blocks));
            if let Some(&there) = there.filter(|there| **there != at) {
                input.seek(SeekFrom::Start(there)).map_err(Error::Read)?;
                let frame = Frame::read(&mut Input::new(&mut *input, there), front.terms, true);
                bytes = frame.and_then(&mut decode);
                moved = true;
                done.damage.push(Error::BlockMoved {
                    block: blocks,
                    offset: there,
                });
            }
        }
        match bytes {
            Ok(bytes) => {
                output.write_all(&bytes).map_err(Error::Write)?;
                hasher.update(&bytes);
                done.recovered += bytes.len() as u64;
                found.blocks.push((bytes.len() as u64, next - at));
                behind = (!moved).then_some(next);
            }
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(error) if fatal(&error) => return Err(error),
            Err(error) => {
                behind = None;
                done.damage.push(error);
                let length = place.map(|place| place.raw).or(told.map(|(raw, _)| raw));
                let Some(lost) = length else {
                    done.unread = Some(at);
                    break;
                };
                done.lose(lost, output)?;
            }
        }
        ended = place.map_or(told.is_some_and(|(_, last)| last), |place| place.last);
        blocks += 1;
    }
    output.flush().map_err(Error::Write)?;
    // Of one block there is no index, and so none that is refused.
    let refused = refused.filter(|_| blocks > 1);
    let digest = digest(&hasher);
    if !done.damage.is_empty() {
        done.damage.extend(refused);
        done.is_original = done.lost == 0 && last_bytes(input)? == Some(digest);
        return Ok(done);
    }
    // All blocks are intact: what follows them is known.
    input.seek(SeekFrom::Start(next)).map_err(Error::Read)?;
    let mut rest = Input::new(&mut *input, next);
    let index = match blocks {
        1 => Vec::new(),
        _ => found.to_bytes(),
    };
    let same = match rest.bytes(index.len() as u64, "the block index") {
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        stored => stored.is_ok_and(|stored| stored == index),
    };
    if !same {
        done.damage.push(refused.unwrap_or(Error::Malformed {
            offset: next,
            what: "the block index does not follow the last block",
        }));
        done.is_original = last_bytes(input)? == Some(digest);
        return Ok(done);
    }
    let offset = rest.offset;
    match rest.array("the hash of the original") {
        Ok(recorded) if recorded == digest => {
            done.is_original = true;
            let offset = rest.offset;
            let end = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
            done.surplus = end - offset;
        }
        Ok(_) => done.damage.push(Error::Digest { offset }),
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        Err(error) => done.damage.push(error),
    }
    Ok(done)
}

impl Salvaged {
    /// Writes zeros for so many bytes.
    ///
    /// # Errors
    /// Errors of writing.
    fn lose(&mut self, lost: u64, output: &mut impl Write) -> Result<(), Error> {
        let zeros = std::io::copy(&mut std::io::repeat(0).take(lost), output);
        zeros.map_err(Error::Write)?;
        let from = self.recovered + self.lost;
        match self.zeros.last_mut().filter(|last| last.end == from) {
            Some(last) => last.end += lost,
            None => self.zeros.push(from..from + lost),
        }
        self.lost += lost;
        Ok(())
    }
}

/// The bytes at the end of the file, where the hash of the original lies; `None` if there
/// are too few.
///
/// # Errors
/// Errors of reading.
fn last_bytes(input: &mut (impl Read + Seek)) -> Result<Option<[u8; DIGEST]>, Error> {
    let end = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    let Some(at) = end.checked_sub(DIGEST as u64) else {
        return Ok(None);
    };
    input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
    Input::new(input, at)
        .array("the hash of the original")
        .map(Some)
}

/// Whether no other block can be decoded either, or none that needs a model.
fn fatal(error: &Error) -> bool {
    matches!(
        error,
        Error::Model { .. }
            | Error::ModelMissing(_)
            | Error::ModelMismatch { .. }
            | Error::Recipe { .. }
            | Error::Memory { .. }
            | Error::Work { .. }
    )
}
