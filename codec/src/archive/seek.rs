//! Decompression of a part of an archive.

use super::error::Error;
use super::index::Index;
use super::input::Input;
use super::layout::{BlockHeader, DIGEST, Front, Terms};
use super::models::Models;
use super::read::{Frame, Lazy, is_intact};
use std::cmp::Ordering;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::{Bound, RangeBounds};

/// Location of a block, as the index has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Offset of its first byte in the original.
    pub raw_start: u64,
    /// Bytes of the original.
    pub raw: u64,
    /// Offset of its header in the archive.
    pub start: u64,
    /// Bytes in the archive, header included.
    pub stored: u64,
    /// Whether it is the last.
    pub last: bool,
}

impl Place {
    /// Offset of the first byte behind it in the archive.
    pub(super) fn end(&self) -> u64 {
        self.start + self.stored
    }

    /// Whether the block's header says the same.
    pub(super) fn agrees(&self, header: &BlockHeader) -> bool {
        let stored = (header.length() + header.stored) as u64;
        (self.raw, self.stored, self.last) == (header.raw as u64, stored, header.last)
    }

    /// Compares with the block itself. A damaged block is no contradiction: what it was,
    /// only the index knows.
    ///
    /// # Errors
    /// An intact block that is another than the index says; errors of reading.
    pub fn compare(
        &self,
        input: &mut (impl Read + Seek),
        number: u64,
        terms: Terms,
    ) -> Result<(), Error> {
        input
            .seek(SeekFrom::Start(self.start))
            .map_err(Error::Read)?;
        match BlockHeader::read(&mut Input::new(&mut *input, self.start), terms) {
            Ok(header) if self.agrees(&header) => return Ok(()),
            Err(Error::Read(error)) => return Err(Error::Read(error)),
            _ => {}
        }
        match is_intact(input, self.start, number, terms)? {
            true => Err(Error::Malformed {
                offset: self.start,
                what: "the block index does not match the block here",
            }),
            false => Ok(()),
        }
    }

    /// Makes sure that the block's header is what was written: where its check does not tell,
    /// decodes the block.
    ///
    /// # Errors
    /// As [`Place::decode`].
    fn confirm(
        &self,
        input: &mut (impl Read + Seek),
        number: u64,
        terms: Terms,
        lazy: &mut Lazy,
    ) -> Result<(), Error> {
        if terms.brief {
            return self.decode(input, number, terms, lazy).map(drop);
        }
        let (frame, _) = Frame::at(input, self.start, terms, lazy.exists())?;
        frame.checked(number).map(drop)
    }

    /// Decodes the block.
    ///
    /// # Errors
    /// A block that is damaged or asks for too much; a missing model; errors of reading.
    fn decode(
        &self,
        input: &mut (impl Read + Seek),
        number: u64,
        terms: Terms,
        lazy: &mut Lazy,
    ) -> Result<Vec<u8>, Error> {
        let (frame, _) = Frame::at(input, self.start, terms, lazy.exists())?;
        let stored = frame.checked(number)?;
        lazy.prepare(number, &stored.extent())?;
        stored.decode(number, lazy.get(), &|_| {})
    }
}

/// The blocks listed by the index at the end of an archive whose blocks start at
/// `start`. An archive of one block has no index.
///
/// # Errors
/// An index that is damaged or does not cover the archive exactly.
fn places(input: &mut (impl Read + Seek), start: u64) -> Result<Vec<Place>, Error> {
    let (places, index_start) = listed(input, start)?;
    let end = places.last().map_or(start, Place::end);
    match end == index_start {
        true => Ok(places),
        false => Err(Error::Malformed {
            offset: index_start,
            what: "the block index does not follow the last block",
        }),
    }
}

/// The same, wherever the index lies, and its offset.
///
/// # Errors
/// An index that is damaged.
pub(super) fn listed(
    input: &mut (impl Read + Seek),
    start: u64,
) -> Result<(Vec<Place>, u64), Error> {
    let end = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    let malformed = |offset| Error::Malformed {
        offset,
        what: "the archive does not end with a block index",
    };
    let tail = (DIGEST + Index::TAIL) as u64;
    if end < start + tail {
        return Err(malformed(end));
    }
    let index_end = end - DIGEST as u64;
    let length_at = end - tail;
    input
        .seek(SeekFrom::Start(length_at))
        .map_err(Error::Read)?;
    let length = u32::from_le_bytes(Input::new(&mut *input, length_at).array("the block index")?);
    let index_start = length_at
        .checked_sub(u64::from(length))
        .filter(|&at| at >= start)
        .ok_or_else(|| malformed(length_at))?;
    input
        .seek(SeekFrom::Start(index_start))
        .map_err(Error::Read)?;
    let bytes = Input::new(&mut *input, index_start).bytes(index_end - index_start, "the index")?;
    let index = Index::from_bytes(&bytes, index_start)?;
    let (mut raw_start, mut at) = (0, start);
    let count = index.blocks.len();
    let mut places = Vec::new();
    for (raw, stored) in index.blocks {
        places.push(Place {
            raw_start,
            raw,
            start: at,
            stored,
            last: places.len() + 1 == count,
        });
        raw_start += raw;
        at += stored;
    }
    if count < 2 {
        return Err(malformed(index_start));
    }
    Ok((places, index_start))
}

/// What the first block of an archive says of itself.
enum First {
    /// It is the only one, and the archive ends where it should.
    Alone(Place),
    /// It is the only one, but the archive is too short or too long.
    Misfit(Error),
    /// It is one of several, or damaged.
    Other,
}

/// Whether the first block is the only one, so that there is no index.
///
/// # Errors
/// Errors of reading.
fn first(input: &mut (impl Read + Seek), start: u64, terms: Terms) -> Result<First, Error> {
    let end = input.seek(SeekFrom::End(0)).map_err(Error::Read)?;
    input.seek(SeekFrom::Start(start)).map_err(Error::Read)?;
    // A damaged header is for the index to tell.
    let header = match BlockHeader::read(&mut Input::new(&mut *input, start), terms) {
        Err(Error::Read(error)) => return Err(Error::Read(error)),
        Err(_) => return Ok(First::Other),
        Ok(header) if !header.last => return Ok(First::Other),
        Ok(header) => header,
    };
    let place = Place {
        raw_start: 0,
        raw: header.raw as u64,
        start,
        stored: (header.length() + header.stored) as u64,
        last: true,
    };
    let behind = place.end() + terms.digest();
    Ok(match end.cmp(&behind) {
        Ordering::Equal => First::Alone(place),
        Ordering::Less => First::Misfit(Error::Truncated {
            offset: end,
            what: match end < place.end() {
                true => "a block",
                false => "the hash of the original",
            },
        }),
        Ordering::Greater => First::Misfit(Error::Malformed {
            offset: behind,
            what: "there are bytes after the end of the archive",
        }),
    })
}

/// Decompresses the bytes `range` of the original, decoding only the blocks
/// that contain them. The headers of the blocks before are read, too, and compared with
/// the index: which bytes a block has depends on the lengths of all before.
///
/// # Errors
/// As [`super::decompress`], except that the hash of the original is not checked; a
/// range beyond the end of the original.
pub fn decompress_range(
    mut input: impl Read + Seek,
    mut output: impl Write,
    models: &Models,
    range: impl RangeBounds<u64>,
) -> Result<(), Error> {
    let mut beginning = Input::new(&mut input, 0);
    let front = Front::read(&mut beginning)?;
    let start = beginning.offset;
    let mut lazy = Lazy::new(models, &front)?;
    let first = first(&mut input, start, front.terms)?;
    let is_alone = matches!(first, First::Alone(_));
    let places = match first {
        First::Alone(place) => vec![place],
        First::Misfit(error) => places(&mut input, start).map_err(|_| error)?,
        First::Other => places(&mut input, start)?,
    };
    let length = places.last().map_or(0, |p| p.raw_start + p.raw);
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => length,
    };
    if start > end || end > length {
        // Without an index, a header tells the length, which may be damaged.
        if is_alone && start <= end {
            places[0].confirm(&mut input, 0, front.terms, &mut lazy)?;
        }
        return Err(Error::Range { start, end, length });
    }
    for (number, place) in (0..).zip(places) {
        if place.raw_start >= end {
            break;
        }
        place.compare(&mut input, number, front.terms)?;
        let from = start.max(place.raw_start);
        let to = end.min(place.raw_start + place.raw);
        if from >= to {
            continue;
        }
        let bytes = place.decode(&mut input, number, front.terms, &mut lazy)?;
        let part = (from - place.raw_start) as usize..(to - place.raw_start) as usize;
        output.write_all(&bytes[part]).map_err(Error::Write)?;
    }
    output.flush().map_err(Error::Write)
}
