//! Recovery of the intact parts of a damaged archive.

use super::error::Error;
use super::input::Input;
use super::layout::{BlockHeader, Front, Index, Terms};
use super::models::Models;
use super::read::{Frame, Lazy, first_is_intact};
use super::repair;
use super::seek::{Place, listed};
use super::{DIGEST, digest};
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
                behind = Some(next);
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
                let zeros = std::io::copy(&mut std::io::repeat(0).take(lost), output);
                zeros.map_err(Error::Write)?;
                let from = done.recovered + done.lost;
                match done.zeros.last_mut().filter(|last| last.end == from) {
                    Some(last) => last.end += lost,
                    None => done.zeros.push(from..from + lost),
                }
                done.lost += lost;
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

/// A block of the index, and whether it is to be looked for at its place.
#[derive(Clone, Copy)]
struct Sought {
    place: Place,
    found: bool,
}

/// The blocks by the index, if that contradicts none that is intact. If the index does not
/// follow the last of them, bytes were inserted or left out: a block lies where the index
/// says, as far from the start or as far from the end.
///
/// # Errors
/// An index that is damaged, that announces more than twice what there is, that contradicts
/// an intact block, by which a block may lie at two places, or that is of another archive
/// behind this one; errors of reading.
fn believed(
    input: &mut (impl Read + Seek),
    start: u64,
    terms: Terms,
) -> Result<Vec<Sought>, Error> {
    let (places, index_start) = listed(input, start)?;
    let end = places.last().map_or(start, Place::end);
    if end == index_start {
        let compared = (0..)
            .zip(&places)
            .try_for_each(|(number, place)| place.compare(input, number, terms));
        let found = true;
        let sought = places.into_iter().map(|place| Sought { place, found });
        return compared.map(|()| sought.collect());
    }
    let refused = |what| Error::Malformed {
        offset: index_start,
        what,
    };
    if ends_before(input, start, terms)? {
        return Err(refused("the block index is that of other bytes"));
    }
    if end - start > 2 * (index_start - start) {
        return Err(refused("the block index announces more than there is"));
    }
    let mut sought = Vec::new();
    for place in places {
        let moved = Place {
            start: (place.start + index_start).saturating_sub(end),
            ..place
        };
        sought.push(
            match [place, moved].map(|place| place.is_there(input, terms)) {
                [Ok(true), Ok(true)] => {
                    return Err(refused("a block may lie at two places by the block index"));
                }
                [Ok(true), Ok(false)] => Sought { place, found: true },
                [Ok(false), Ok(found)] => Sought {
                    place: moved,
                    found,
                },
                [Err(error), _] | [_, Err(error)] => return Err(error),
            },
        );
    }
    let mut begins = sought.iter().filter(|sought| sought.found);
    if begins.all(|sought| sought.place.start != start) && first_is_intact(input, start, terms)? {
        return Err(refused("the block index is that of other bytes"));
    }
    Ok(sought)
}

/// Whether the blocks from `start` on end with their index, or are a single intact one: then
/// the index at the end of the file is of what follows.
///
/// # Errors
/// Errors of reading.
fn ends_before(input: &mut (impl Read + Seek), start: u64, terms: Terms) -> Result<bool, Error> {
    let mut at = start;
    let mut found = Index::default();
    let mut ended = false;
    while !ended {
        input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
        let header = match BlockHeader::read(&mut Input::new(&mut *input, at), terms) {
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            Err(_) => return Ok(false),
            Ok(header) => header,
        };
        let stored = (header.length() + header.stored) as u64;
        found.blocks.push((header.raw as u64, stored));
        at += stored;
        ended = header.last;
    }
    if found.blocks.len() == 1 {
        return first_is_intact(input, start, terms);
    }
    let index = found.to_bytes();
    input.seek(SeekFrom::Start(at)).map_err(Error::Read)?;
    match Input::new(input, at).bytes(index.len() as u64, "the block index") {
        Err(Error::Read(error)) => Err(Error::Read(error)),
        stored => Ok(stored.is_ok_and(|stored| stored == index)),
    }
}

impl Place {
    /// Whether there is a block here whose header says the same.
    ///
    /// # Errors
    /// Errors of reading.
    fn is_there(&self, input: &mut (impl Read + Seek), terms: Terms) -> Result<bool, Error> {
        input
            .seek(SeekFrom::Start(self.start))
            .map_err(Error::Read)?;
        match BlockHeader::read(&mut Input::new(&mut *input, self.start), terms) {
            Err(Error::Read(error)) => Err(Error::Read(error)),
            header => Ok(header.is_ok_and(|header| self.agrees(&header))),
        }
    }
}
