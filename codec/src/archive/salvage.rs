//! Recovery of the intact parts of a damaged archive.

use super::displaced;
use super::error::Error;
use super::index::Index;
use super::input::Input;
use super::layout::Front;
use super::models::Models;
use super::read::{Frame, Lazy};
use super::repair;
use super::seek::Place;
use super::sought::{Sought, State, believed};
use super::walked::{Unread, walked};
use super::{DIGEST, digest};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// Result of a salvage.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// Bytes of the original that were recovered.
    pub recovered: u64,
    /// Zeros that were written in place of lost bytes of the original.
    pub lost: u64,
    /// Whether nothing confirms how many are lost: there is no index to believe, and the checks
    /// of the lost blocks, which cover their headers, fail.
    pub unconfirmed: bool,
    /// Offset in the archive after which nothing could be read; how many bytes
    /// of the original are lost there is unknown.
    pub unread: Option<u64>,
    /// The errors found, in order.
    pub damage: Vec<Error>,
    /// Bytes behind the end of an archive that is whole.
    pub surplus: u64,
    /// Where zeros were written, in the original.
    pub zeros: Vec<Range<u64>>,
    /// Whether what was written is the original, by the hash of it that the archive holds, or
    /// by the check of a brief archive.
    pub is_original: bool,
}

/// Writes every intact block, and zeros for others, so that all bytes keep their offsets.
///
/// Blocks are found by the index at the end. It is compared with the blocks first: an
/// index that contradicts an intact block is not believed at all. Where bytes were inserted or
/// left out, in one place, blocks behind are found as far from the end as the index says.
/// Without a valid index, headers lead from block to block, even from those that do not
/// match their checksum, up to the first invalid one. A damaged block is taken for no
/// longer than its bytes can hold.
///
/// The check of a block tells which it is, except in version 1: blocks that lie where others
/// should are put back, in archives of up to 4096 blocks. Without an index, blocks that are
/// missing before an intact one are taken for as long as the longest.
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

/// The blocks from offset `start` on, and what follows them.
fn blocks(
    input: &mut (impl Read + Seek),
    output: &mut impl Write,
    models: &Models,
    front: &Front,
    start: u64,
) -> Result<Salvaged, Error> {
    let mut lazy = Lazy::new(models, front)?;
    let has_model = lazy.exists();
    let mut done = Salvaged::default();
    let (plan, unread, refused) = match believed(input, start, front.terms) {
        Ok(plan) => (plan, None, None),
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        Err(refused) => {
            let (plan, unread) = walked(input, start, front.terms, has_model)?;
            (plan, unread, Some(refused))
        }
    };
    let mut hasher = blake3::Hasher::new();
    // Where the block before ended, if it was intact.
    let mut behind = Some(start);
    let mut found = Index::default();
    let mut elsewhere = None;
    for (number, &Sought { place, state }) in (0..).zip(&plan) {
        let at = place.start;
        let frame = match state {
            State::Missing => Err(Error::BlocksMissing {
                blocks: number..number + 1,
            }),
            _ => Frame::at(input, at, front.terms, has_model),
        };
        let offset = behind.take_if(|behind| *behind != at && frame.is_ok());
        if let (Some(offset), State::There) = (offset, state) {
            done.damage.push(Error::Malformed {
                offset,
                what: "bytes were inserted or left out before a block",
            });
        }
        let mut decode = |(frame, next): (Frame, u64)| {
            let stored = frame.checked(number)?;
            lazy.prepare(number, &stored.extent())?;
            Ok((stored.decode(number, lazy.get(), &|_| {})?, next))
        };
        let mut bytes = frame.and_then(&mut decode);
        let mut moved = (state == State::Moved).then_some(at);
        if let Err(error) = &bytes
            && refused.is_none()
            && is_unchecked(error)
        {
            if elsewhere.is_none() {
                let places: Vec<Place> = plan.iter().map(|sought| sought.place).collect();
                let blocks = displaced::blocks(input, start, front.terms, has_model, &places)?;
                elsewhere = Some(blocks);
            }
            moved = elsewhere.as_ref().and_then(|of| of.get(&number)).copied();
            if let Some(there) = moved {
                bytes = Frame::at(input, there, front.terms, has_model).and_then(&mut decode);
            }
        }
        if let Some(offset) = moved {
            done.damage.push(Error::BlockMoved {
                block: number,
                offset,
            });
        }
        match bytes {
            Ok((bytes, next)) => {
                output.write_all(&bytes).map_err(Error::Write)?;
                hasher.update(&bytes);
                done.recovered += bytes.len() as u64;
                found.blocks.push((bytes.len() as u64, next - at));
                behind = moved.is_none().then_some(next);
            }
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(error) if fatal(&error) => return Err(error),
            Err(error) => {
                behind = None;
                done.unconfirmed |= refused.is_some() && is_unchecked(&error);
                done.note(error);
                done.lose(place.raw, output)?;
            }
        }
    }
    if let Some(Unread { offset, error }) = unread {
        done.damage.push(error);
        done.unread = Some(offset);
    }
    output.flush().map_err(Error::Write)?;
    // Of one block there is no index, and so none that is refused.
    let refused = refused.filter(|_| plan.len() > 1);
    let digest = digest(&hasher);
    if !done.damage.is_empty() {
        done.damage.extend(refused);
        done.is_original = done.lost == 0 && last_bytes(input)? == Some(digest);
        return Ok(done);
    }
    // All blocks are intact: what follows them is known.
    let next = behind.unwrap_or(start);
    input.seek(SeekFrom::Start(next)).map_err(Error::Read)?;
    let mut rest = Input::new(&mut *input, next);
    let index = match plan.len() {
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
    let recorded = match front.terms.brief {
        // Its only block is intact.
        true => Ok(digest),
        false => rest.array("the hash of the original"),
    };
    match recorded {
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
    /// Notes damage; blocks that are missing in a row once.
    fn note(&mut self, error: Error) {
        if let (Some(Error::BlocksMissing { blocks: before }), Error::BlocksMissing { blocks }) =
            (self.damage.last_mut(), &error)
            && before.end == blocks.start
        {
            before.end = blocks.end;
            return;
        }
        self.damage.push(error);
    }

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
            None if lost == 0 => {}
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

/// Whether a block gives this error before its check holds: it may be intact at another place,
/// and its header may be wrong.
fn is_unchecked(error: &Error) -> bool {
    matches!(
        error,
        Error::BlockCheck { .. }
            | Error::BlocksMissing { .. }
            | Error::Malformed { .. }
            | Error::Truncated { .. }
    )
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
