//! Recovery of the intact parts of a damaged archive.

use super::digest;
use super::error::Error;
use super::input::Input;
use super::layout::{BlockHeader, Front, Index, Terms};
use super::models::Models;
use super::read::{Frame, Lazy};
use super::repair;
use super::seek::{Place, shifted};
use std::io::{Read, Seek, SeekFrom, Write};

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
}

/// Writes every intact block, and zeros for damaged blocks of known length, so that
/// all bytes keep their offsets.
///
/// Blocks are found by the index at the end. It is compared with the blocks first: an
/// index that contradicts an intact block is not believed at all. Without a valid
/// index, blocks are found by the lengths in their headers, even of blocks that do not
/// match their checksum, up to the first invalid header. A damaged block is taken for no
/// longer than its bytes can hold. Where bytes were inserted or left out, blocks behind are
/// found as far from the end as the index says.
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
    let (front, start, restored) = repair::front(&mut input)?;
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
    let mut done = Salvaged::default();
    let (index, refused) = match believed(input, start, front.terms) {
        Ok(places) => (Some(places), None),
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        Err(refused) => (None, Some(refused)),
    };
    let mut hasher = blake3::Hasher::new();
    let mut next = start;
    let mut ended = false;
    let mut blocks = 0;
    let mut found = Index::default();
    while !ended {
        let place = index.as_ref().map(|places| places[blocks as usize]);
        let at = place.map_or(next, |place| place.start);
        input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
        let mut block = Input::new(&mut *input, at);
        let frame = Frame::read(&mut block, front.terms, lazy.exists());
        next = block.offset;
        let told = frame
            .as_ref()
            .ok()
            .map(|f| (f.header.raw as u64, f.header.last));
        let bytes = frame
            .and_then(|frame| frame.checked(blocks))
            .and_then(|stored| {
                lazy.prepare(blocks, &stored.extent())?;
                stored.decode(blocks, lazy.get(), &|_| {})
            });
        match bytes {
            Ok(bytes) => {
                output.write_all(&bytes).map_err(Error::Write)?;
                hasher.update(&bytes);
                done.recovered += bytes.len() as u64;
                found.blocks.push((bytes.len() as u64, next - at));
            }
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(error) if fatal(&error) => return Err(error),
            Err(error) => {
                done.damage.push(error);
                let length = place.map(|place| place.raw).or(told.map(|(raw, _)| raw));
                let Some(lost) = length else {
                    done.unread = Some(at);
                    break;
                };
                let zeros = std::io::copy(&mut std::io::repeat(0).take(lost), output);
                zeros.map_err(Error::Write)?;
                done.lost += lost;
            }
        }
        ended = place.map_or(told.is_some_and(|(_, last)| last), |place| place.last);
        blocks += 1;
    }
    output.flush().map_err(Error::Write)?;
    // Of one block there is no index, and so none that is refused.
    let refused = refused.filter(|_| blocks > 1);
    if !done.damage.is_empty() {
        done.damage.extend(refused);
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
        return Ok(done);
    }
    let offset = rest.offset;
    match rest.array("the hash of the original") {
        Ok(recorded) if recorded == digest(&hasher) => {
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

/// The blocks by the index, if that contradicts none that is intact.
fn believed(input: &mut (impl Read + Seek), start: u64, terms: Terms) -> Result<Vec<Place>, Error> {
    let (mut places, shift) = shifted(input, start)?;
    for (number, place) in (0..).zip(&mut places) {
        if shift != 0 {
            *place = place.found(input, shift, terms)?;
        }
        place.compare(input, number, terms)?;
    }
    Ok(places)
}

impl Place {
    /// The place of the block whose header says the same: this one, or the one `shift`
    /// bytes behind.
    ///
    /// # Errors
    /// Errors of reading.
    fn found(
        self,
        input: &mut (impl Read + Seek),
        shift: i64,
        terms: Terms,
    ) -> Result<Place, Error> {
        let moved = self.start.checked_add_signed(shift);
        for start in [Some(self.start), moved].into_iter().flatten() {
            input.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
            match BlockHeader::read(&mut Input::new(&mut *input, start), terms) {
                Ok(header) if self.agrees(&header) => return Ok(Place { start, ..self }),
                Err(Error::Read(error)) => return Err(Error::Read(error)),
                _ => {}
            }
        }
        Ok(self)
    }
}
